"""What promotions, shipping methods, tax rates and the shop itself look like."""

from typing import Any

from django.db.models import F, Value
from django.db.models.functions import Coalesce, NullIf
from rest_framework import serializers

from accounts.models import Organization
from commerce.models import Promotion, PromotionType, ShippingMethod, TaxRate
from commerce.models.terms import LONGEST_CODE
from commerce.services.promotions import shown_value
from crm.api.fields import AmountField, FloatField, LineField, OptionalCharField
from crm.api.serializers import Serializer

LARGEST_COUNT = 2**31 - 1


class PromotionValue(AmountField):
    """Percent or major units, as the promotion's type says."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Return type, value and currency."""
        return ("type", *super().columns)

    def from_row(self, kind: str, value: int, currency: str) -> float:  # type: ignore[override]  # one column more
        """Return the number as people write it."""
        return shown_value(kind, value, currency)


class UseCount(serializers.IntegerField):
    """How often something may be used; null for any number of times."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            **({"required": False, "allow_null": True, "min_value": 1, "max_value": LARGEST_COUNT} | kwargs)
        )


class PromotionFieldsSerializer(Serializer):
    """A promotion. `value` is in percent, or in major units of `currency` where the type is fixed.

    Without a `currency` a new one is in the shop's; another one takes new amounts with it.
    """

    id = serializers.UUIDField(read_only=True)
    code = LineField(max_length=LONGEST_CODE)
    type = serializers.ChoiceField(choices=PromotionType.choices)
    value = PromotionValue(currency="currency", required=True)
    currency = LineField(max_length=3, min_length=3, required=False)
    starts_at = serializers.DateTimeField(required=False, allow_null=True)
    ends_at = serializers.DateTimeField(required=False, allow_null=True)
    minimum_total = AmountField(currency="currency", min_value=0, allow_null=True)
    max_uses = UseCount()
    max_uses_per_user = UseCount()
    uses = serializers.IntegerField(read_only=True)
    active = serializers.BooleanField(required=False)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = Promotion


class ShippingMethodFieldsSerializer(Serializer):
    """A way to send an order; free for goods worth `free_from` or more after discounts.

    Without a `currency` a new one is in the shop's; another one takes new amounts with it.
    """

    id = serializers.UUIDField(read_only=True)
    code = LineField(max_length=LONGEST_CODE)
    name = LineField(max_length=100)
    currency = LineField(max_length=3, min_length=3, required=False)
    price = AmountField(currency="currency", min_value=0)
    free_from = AmountField(currency="currency", min_value=0, allow_null=True)
    active = serializers.BooleanField(required=False)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = ShippingMethod


class TaxRateFieldsSerializer(Serializer):
    """A tax rate in percent of a country or, with `state`, of a part of it; shown by their ISO 3166 codes."""

    id = serializers.UUIDField(read_only=True)
    name = LineField(max_length=100)
    country = LineField(max_length=60)
    state = OptionalCharField(max_length=100)
    rate = FloatField(max_digits=7, decimal_places=4, min_value=0, max_value=100)
    starts_on = serializers.DateField(required=False)
    applies_to_shipping = serializers.BooleanField(required=False)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = TaxRate


class ShopName(OptionalCharField):
    """The storefront's name: the organization's where it has none of its own."""

    def sql(self, source: str) -> Any:
        """Return the SQL that reads it."""
        return Coalesce(NullIf(F(source), Value("")), F("name"))


class ShopFieldsSerializer(Serializer):
    """The storefront's switch, currency and name."""

    enabled = serializers.BooleanField(source="shop_enabled", required=False)
    currency = LineField(max_length=3, required=False)
    name = ShopName(source="shop_name", max_length=200)

    class Meta:
        model = Organization
