"""What pipelines and stages look like."""

from typing import Any

from django.contrib.postgres.aggregates import JSONBAgg
from django.db.models import JSONField, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce, JSONObject
from rest_framework import serializers

from crm.api.shapes import Choice, Computed, Line, Shape
from sales.models import Pipeline, Stage, StageKind

LARGEST_POSITION = 2**31 - 1


class Position(serializers.IntegerField):
    """A place in an order, from 0; one beyond the end means the end."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"required": False, "min_value": 0, "max_value": LARGEST_POSITION} | kwargs))


class StageFields(Shape):
    """A stage as it stands in its pipeline."""

    id = serializers.UUIDField(read_only=True)
    name = Line(max_length=100)
    position = Position()
    probability = serializers.IntegerField(required=False, min_value=0, max_value=100)
    type = Choice(StageKind, source="kind")

    class Meta:
        model = Stage


STAGES = Coalesce(
    Subquery(
        Stage.objects.filter(organization_id=OuterRef("organization_id"), pipeline_id=OuterRef("pk"))
        .order_by()
        .values("pipeline_id")
        .annotate(
            stages=JSONBAgg(
                JSONObject(id="id", name="name", position="position", probability="probability", type="kind"),
                order_by="position",
            )
        )
        .values("stages")
    ),
    Value([], JSONField()),
    output_field=JSONField(),
)


class PipelineFields(Shape):
    """A pipeline with its stages in their order."""

    id = serializers.UUIDField(read_only=True)
    name = Line(max_length=100)
    is_default = serializers.BooleanField(required=False)
    stages = Computed(STAGES, StageFields(many=True))
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = Pipeline


class Worth(Shape):
    """Amounts: in the organization's currency, and in others."""

    value = serializers.FloatField(read_only=True)
    values_by_currency = serializers.DictField(child=serializers.FloatField(), read_only=True)


class Standing(Worth):
    """So many deals, and what they are worth."""

    count = serializers.IntegerField(read_only=True)


class PipelineStats(Shape):
    """The figures of a pipeline's deals (docs/figures.md)."""

    open = Standing(read_only=True)
    won = Standing(read_only=True)
    lost = Standing(read_only=True)
    weighted = Worth(read_only=True)
    conversion_rate = serializers.FloatField(read_only=True)
    average_cycle = serializers.FloatField(read_only=True, allow_null=True)
