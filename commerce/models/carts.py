"""Carts: one of each user. Prices are not kept: they are today's whenever a cart is shown."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from commerce.models.catalog import Product, Variant
from crm.core.db import TenantForeignKey, TimestampedModel
from crm.core.fields import FreeObjectField

MOST_OF_ONE = 999
MOST_LINES = 200
LARGEST_ATTRIBUTES = 4096  # bytes of JSON


class Cart(TimestampedModel):
    """What a user is about to order; the row is also the lock that makes two checkouts at once one order."""

    owned_by: ClassVar[str | None] = "user_id"

    user = TenantForeignKey("accounts.User", related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "user"], name="cart_once")]

    def __str__(self) -> str:
        return str(self.pk)


class CartItem(TimestampedModel):
    """A line of a cart. The same product, variant and attributes stand in it once; `choice` is their digest."""

    cart = TenantForeignKey(Cart, related_name="items", db_index=False)
    product = TenantForeignKey(Product, related_name="+", db_index=False)
    variant = TenantForeignKey(Variant, null=True, blank=True, related_name="+", db_index=False)
    quantity = models.PositiveIntegerField()
    attributes = FreeObjectField(default=dict, blank=True)
    choice = models.CharField(max_length=64, editable=False)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "cart", "choice"], name="cart_item_once"),
            models.CheckConstraint(
                condition=Q(quantity__gte=1, quantity__lte=MOST_OF_ONE), name="cart_item_quantity_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.product_id}"
