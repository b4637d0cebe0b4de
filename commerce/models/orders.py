"""Orders: what was sold, to whom, at which price, as it was at that moment. Amounts are minor units of `currency`."""

from types import MappingProxyType
from typing import Any, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from commerce.models.catalog import Product, Variant
from contacts.models import Contact
from crm.core.actor import Actor
from crm.core.db import TenantForeignKey, TenantModel, TenantQuerySet, TimestampedModel
from crm.core.fields import LineField


class OrderStatus(models.TextChoices):
    """How far an order is."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    PROCESSING = "processing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


# Forward, skipping allowed; cancelled before it is shipped; refunded after.
TRANSITIONS = MappingProxyType(
    {
        "pending": frozenset({"confirmed", "processing", "shipped", "delivered", "cancelled"}),
        "confirmed": frozenset({"processing", "shipped", "delivered", "cancelled"}),
        "processing": frozenset({"shipped", "delivered", "cancelled"}),
        "shipped": frozenset({"delivered", "refunded"}),
        "delivered": frozenset({"refunded"}),
        "cancelled": frozenset(),
        "refunded": frozenset(),
    }
)
NUMBER_PREFIX = "ORD-"  # of every order's number
UNCOUNTED = (OrderStatus.CANCELLED, OrderStatus.REFUNDED)  # in no total and no revenue


class OrderRows(TenantQuerySet[Any]):
    """Questions about orders."""

    def visible_to(self, actor: Actor) -> Self:
        """Keep what the actor may see: all, or what they made, ordered, or sold to their own customers."""
        rows = self.of(actor)
        if actor.sees_all:
            return rows
        mine = Q(created_by_id=actor.user_id) | Q(user_id=actor.user_id) | Q(customer__owner_id=actor.user_id)
        return rows.filter(mine)

    def searched(self, actor: Actor, text: str) -> Self:
        """Keep the orders whose number begins with `text`, and those of customers whom its words find."""
        start = text.strip().upper()
        found = Q(customer_id__in=Contact.objects.of(actor).searched(actor, text).values("pk"))
        if start[: len(NUMBER_PREFIX)] == NUMBER_PREFIX[: len(start)]:
            found |= Q(order_number__startswith=start)
        return self.filter(found)


class Order(TimestampedModel):
    """An order, whichever surface took it. `pricing` is how its totals came about, line by line.

    `customer` is the contact it is for, `user` the shopper whom that contact stands for, if any, and `created_by` who
    of the back office entered it, if the shopper did not.
    """

    owned_by: ClassVar[str | None] = "created_by_id"

    order_number = models.CharField(max_length=12)
    status = models.CharField(max_length=10, choices=OrderStatus, default=OrderStatus.PENDING)
    customer = TenantForeignKey("contacts.Contact", related_name="+", db_index=False)
    user = TenantForeignKey("accounts.User", null=True, blank=True, related_name="+", db_index=False)
    created_by = TenantForeignKey("accounts.User", null=True, blank=True, related_name="+", db_index=False)
    currency = models.CharField(max_length=3)
    subtotal = models.BigIntegerField()
    discount_total = models.BigIntegerField(default=0)
    tax_total = models.BigIntegerField(default=0)
    shipping_total = models.BigIntegerField(default=0)
    total = models.BigIntegerField()
    pricing = models.JSONField(default=dict)
    shipping_address = models.JSONField(null=True, blank=True)
    billing_address = models.JSONField(null=True, blank=True)
    shipping_method = models.CharField(max_length=40, blank=True)
    promotion_codes = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    payment_method = models.CharField(max_length=200, blank=True)
    tracking_number = models.CharField(max_length=200, blank=True)
    notes = models.TextField(blank=True)
    stock_returned_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = OrderRows.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "order_number"], name="order_number_once"),
            models.CheckConstraint(
                condition=Q(total=F("subtotal") - F("discount_total") + F("tax_total") + F("shipping_total")),
                name="order_adds_up",
            ),
        ]
        indexes = [
            models.Index("organization", F("created_at").desc(), F("id").desc(), name="order_recent"),
            models.Index("organization", "customer", F("created_at").desc(), F("id").desc(), name="order_customer"),
            models.Index(
                "organization",
                "user",
                F("created_at").desc(),
                F("id").desc(),
                name="order_user",
                condition=Q(user__isnull=False),
            ),
            models.Index("organization", "status", F("created_at").desc(), F("id").desc(), name="order_status"),
        ]

    def __str__(self) -> str:
        return self.order_number


class OrderItem(TenantModel):
    """A line of an order: a snapshot of the product and its price; later edits of the product change nothing here."""

    order = TenantForeignKey(Order, related_name="items", db_index=False)
    position = models.PositiveIntegerField()
    product = TenantForeignKey(Product, related_name="+", db_index=False)
    variant = TenantForeignKey(Variant, null=True, blank=True, related_name="+", db_index=False)
    sku = models.CharField(max_length=64)
    name = LineField(max_length=401)
    attributes = models.JSONField(default=dict, blank=True)
    quantity = models.PositiveIntegerField()
    unit_price = models.BigIntegerField()
    discount = models.BigIntegerField(default=0)
    tax = models.BigIntegerField(default=0)
    total = models.BigIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "order", "position"], name="order_item_position_once"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="order_item_quantity"),
            models.CheckConstraint(
                condition=Q(total=F("unit_price") * F("quantity") - F("discount") + F("tax"), total__gte=0),
                name="order_item_adds_up",
            ),
        ]
        indexes = [models.Index("organization", "product", name="order_item_product")]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.name}"
