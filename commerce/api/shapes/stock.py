"""What stock movements look like, and the adjustments that make them."""

from rest_framework import serializers

from commerce.api.shapes.catalog import LARGEST_STOCK
from commerce.models import MovementType, StockMovement
from contacts.api.shapes import PersonRef
from crm.api.shapes import Amount, Choice, LongText, Shape, Text


class Movement(Shape):
    """A change of stock, and what there was afterwards."""

    id = serializers.UUIDField(read_only=True)
    type = Choice(MovementType, read_only=True)
    adjustment = serializers.IntegerField(source="change", read_only=True)
    balance = serializers.IntegerField(read_only=True)
    reason = Text(read_only=True)
    cost_per_unit = Amount(currency="currency", read_only=True)
    reference_type = Text(read_only=True)
    reference_id = serializers.UUIDField(read_only=True)
    created_by = PersonRef(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = StockMovement


class Adjustment(Shape):
    """A change of stock to make: signed, and not nothing."""

    adjustment = serializers.IntegerField(min_value=-LARGEST_STOCK, max_value=LARGEST_STOCK)
    type = Choice(MovementType, required=True)
    reason = LongText(max_length=500)
    cost_per_unit = Amount(min_value=0, allow_null=True)
    variant_id = serializers.UUIDField(required=False, allow_null=True)
