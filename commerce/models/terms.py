"""The shop's terms: promotions, shipping methods, tax rates. Amounts are in minor units of the term's `currency`."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from crm.core.db import SoftDeleteModel, TenantForeignKey, TenantModel
from crm.core.fields import LineField
from crm.core.money import LARGEST_MINOR

LONGEST_CODE = 40
LONGEST_NORMALIZED_CODE = 3 * LONGEST_CODE  # some characters become three when their case is folded


def normal_code(code: str) -> str:
    """Return the form in which codes are compared: trimmed, case aside."""
    return code.strip().casefold()


class PromotionType(models.TextChoices):
    """How a promotion's value is meant."""

    PERCENTAGE = "percentage"
    FIXED = "fixed"


class Promotion(SoftDeleteModel):
    """A code that lowers the price of an order, within its dates, minimum and number of uses.

    `value` is hundredths of a percent for a percentage, else minor units. `uses` counts living orders that used it.
    """

    code = models.CharField(max_length=LONGEST_CODE)
    code_normalized = models.CharField(max_length=LONGEST_NORMALIZED_CODE, editable=False)
    type = models.CharField(max_length=10, choices=PromotionType)
    value = models.BigIntegerField()
    currency = models.CharField(max_length=3, editable=False)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    minimum_total = models.BigIntegerField(default=0)
    max_uses = models.PositiveIntegerField(null=True, blank=True)
    max_uses_per_user = models.PositiveIntegerField(null=True, blank=True)
    uses = models.PositiveIntegerField(default=0, editable=False)
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "code_normalized"], name="promotion_code_once", condition=Q(deleted_at=None)
            ),
            models.CheckConstraint(
                condition=Q(value__gt=0, value__lte=LARGEST_MINOR)
                & (Q(type=PromotionType.FIXED) | Q(value__lte=100_00)),
                name="promotion_value_range",
            ),
            models.CheckConstraint(
                condition=Q(minimum_total__gte=0, minimum_total__lte=LARGEST_MINOR), name="promotion_minimum_range"
            ),
            models.CheckConstraint(
                condition=Q(max_uses__isnull=True) | Q(uses__lte=F("max_uses")), name="promotion_never_overused"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class PromotionUse(TenantModel):
    """An order's use of a promotion; a cancelled order gives it back."""

    promotion = TenantForeignKey(Promotion, related_name="redemptions", db_index=False)
    order = TenantForeignKey("commerce.Order", related_name="redemptions", db_index=False)
    customer = TenantForeignKey("contacts.Contact", related_name="+", db_index=False)
    created_at = models.DateTimeField(auto_now_add=True)
    returned_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "promotion", "order"], name="promotion_use_once")
        ]
        indexes = [
            models.Index("organization", "promotion", "customer", name="promotion_use_customer"),
            models.Index("organization", "order", name="promotion_use_order"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class ShippingMethod(SoftDeleteModel):
    """A way to send an order, free from an order value on where `free_from` says so."""

    code = models.CharField(max_length=LONGEST_CODE)
    code_normalized = models.CharField(max_length=LONGEST_NORMALIZED_CODE, editable=False)
    name = LineField(max_length=100)
    currency = models.CharField(max_length=3, editable=False)
    price = models.BigIntegerField(default=0)
    free_from = models.BigIntegerField(null=True, blank=True)
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "code_normalized"], name="shipping_code_once", condition=Q(deleted_at=None)
            ),
            models.CheckConstraint(condition=Q(price__gte=0, price__lte=LARGEST_MINOR), name="shipping_price_range"),
            models.CheckConstraint(
                condition=Q(free_from__isnull=True) | Q(free_from__gte=0, free_from__lte=LARGEST_MINOR),
                name="shipping_free_from_range",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TaxRate(SoftDeleteModel):
    """A tax by the shipping address: of a whole country where `state` is empty; the newest that has started counts.

    `country` and `state` are ISO 3166 codes: `US`, `NY`. `rate` is in percent.
    """

    name = LineField(max_length=100)
    country = models.CharField(max_length=2)
    state = models.CharField(max_length=3, blank=True)
    rate = models.DecimalField(
        max_digits=7, decimal_places=4, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )
    starts_on = models.DateField()
    applies_to_shipping = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "country", "state", "starts_on"],
                name="tax_rate_once",
                condition=Q(deleted_at=None),
            ),
            models.CheckConstraint(condition=Q(rate__gte=0, rate__lte=100), name="tax_rate_range"),
        ]

    def __str__(self) -> str:
        return self.name
