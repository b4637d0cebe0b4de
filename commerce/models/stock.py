"""Stock: a balance that can never be negative, and the append-only ledger that explains it."""

from django.db import models
from django.db.models import F, Q

from crm.core.db import TenantForeignKey, TenantModel


class MovementType(models.TextChoices):
    """Why stock changed."""

    RESTOCK = "restock"
    SALE = "sale"
    RETURN = "return"
    DAMAGE = "damage"
    CORRECTION = "correction"
    TRANSFER = "transfer"


class StockItem(TenantModel):
    """The balance that a product, and those of its variants without stock of their own, are sold from.

    It stands apart from the product so that selling locks and rewrites nothing else.
    """

    quantity = models.BigIntegerField(default=0)
    reorder_level = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(quantity__gte=0), name="stock_never_negative")]

    def __str__(self) -> str:
        return str(self.quantity)


class StockMovement(TenantModel):
    """One change of a balance, never altered: the changes of a stock item sum up to its quantity.

    `balance` is what was there afterwards, `cost_per_unit` is in minor units of `currency`, `reference_*` names the
    thing that caused it.
    """

    stock = TenantForeignKey(StockItem, related_name="movements", db_index=False)
    change = models.BigIntegerField()
    balance = models.BigIntegerField()
    type = models.CharField(max_length=10, choices=MovementType)
    reason = models.CharField(max_length=500, blank=True)
    cost_per_unit = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    reference_type = models.CharField(max_length=30, blank=True)
    reference_id = models.UUIDField(null=True, blank=True)
    created_by = TenantForeignKey("accounts.User", null=True, blank=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(change=0), name="movement_changes_something"),
            models.CheckConstraint(condition=Q(balance__gte=0), name="movement_never_below_zero"),
        ]
        indexes = [
            models.Index("organization", "stock", F("created_at").desc(), F("id").desc(), name="movement_recent"),
            models.Index(
                "organization",
                "reference_id",
                name="movement_reference",
                condition=Q(reference_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.change:+d}"
