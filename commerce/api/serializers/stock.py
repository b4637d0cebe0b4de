"""What stock movements look like, and the adjustments that make them."""

from rest_framework import serializers

from commerce.api.serializers.catalog import LARGEST_STOCK
from commerce.models import MovementType, StockMovement
from contacts.api.serializers import PersonRefSerializer
from crm.api.fields import AmountField, OptionalCharField, OptionalChoiceField, OptionalTextField
from crm.api.serializers import Serializer


class MovementSerializer(Serializer):
    """A change of stock, and what there was afterwards."""

    id = serializers.UUIDField(read_only=True)
    type = OptionalChoiceField(MovementType, read_only=True)
    adjustment = serializers.IntegerField(source="change", read_only=True)
    balance = serializers.IntegerField(read_only=True)
    reason = OptionalCharField(read_only=True)
    cost_per_unit = AmountField(currency="currency", read_only=True)
    reference_type = OptionalCharField(read_only=True)
    reference_id = serializers.UUIDField(read_only=True)
    created_by = PersonRefSerializer(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = StockMovement


class AdjustmentSerializer(Serializer):
    """A change of stock to make: signed, and not nothing."""

    adjustment = serializers.IntegerField(min_value=-LARGEST_STOCK, max_value=LARGEST_STOCK)
    type = OptionalChoiceField(MovementType, required=True)
    reason = OptionalTextField(max_length=500)
    cost_per_unit = AmountField(min_value=0, allow_null=True)
    variant_id = serializers.UUIDField(required=False, allow_null=True)
