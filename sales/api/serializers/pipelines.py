"""What pipelines and stages look like."""

from typing import Any

from rest_framework import serializers

from crm.api.fields import LineField, NestedList, OptionalChoiceField
from crm.api.serializers import Serializer
from sales.models import Pipeline, Stage, StageKind

LARGEST_POSITION = 2**31 - 1


class Position(serializers.IntegerField):
    """A place in an order, from 0; one beyond the end means the end."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"required": False, "min_value": 0, "max_value": LARGEST_POSITION} | kwargs))


class StageFieldsSerializer(Serializer):
    """A stage as it stands in its pipeline."""

    id = serializers.UUIDField(read_only=True)
    name = LineField(max_length=100)
    position = Position()
    probability = serializers.IntegerField(required=False, min_value=0, max_value=100)
    type = OptionalChoiceField(StageKind, source="kind")

    class Meta:
        model = Stage


class PipelineFieldsSerializer(Serializer):
    """A pipeline with its stages in their order."""

    id = serializers.UUIDField(read_only=True)
    name = LineField(max_length=100)
    is_default = serializers.BooleanField(required=False)
    stages = NestedList(StageFieldsSerializer, Stage, "pipeline", order=("position",))
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = Pipeline


class WorthSerializer(Serializer):
    """Amounts: in the organization's currency, and in others."""

    value = serializers.FloatField(read_only=True)
    values_by_currency = serializers.DictField(child=serializers.FloatField(), read_only=True)


class StandingSerializer(WorthSerializer):
    """So many deals, and what they are worth."""

    count = serializers.IntegerField(read_only=True)


class PipelineStatsSerializer(Serializer):
    """The figures of a pipeline's deals (docs/figures.md)."""

    open = StandingSerializer(read_only=True)
    won = StandingSerializer(read_only=True)
    lost = StandingSerializer(read_only=True)
    weighted = WorthSerializer(read_only=True)
    conversion_rate = serializers.FloatField(read_only=True)
    average_cycle = serializers.FloatField(read_only=True, allow_null=True)
