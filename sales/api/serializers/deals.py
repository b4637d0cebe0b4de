"""What deals (opportunities) look like, and the bodies that move them."""

from typing import Any

from django.db.models import F
from rest_framework import serializers

from contacts.api.serializers import NamedPersonSerializer, PersonRefSerializer
from crm.api.fields import (
    AmountField,
    LineField,
    OptionalCharField,
    OptionalChoiceField,
    OptionalTextField,
    SqlField,
    SqlValueField,
    TextListField,
)
from crm.api.serializers import Serializer
from crm.core.models import Event
from sales.api.serializers.pipelines import Position
from sales.models import CHANCE, Deal, DealStatus, Priority


class PipelineRefSerializer(Serializer):
    """A pipeline, by id and name."""

    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(read_only=True)


class StageRefSerializer(Serializer):
    """A stage, by id and name."""

    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(read_only=True)


class Chance(SqlField, serializers.IntegerField):
    """A percent: the deal's own where it is set (null unsets it), shown as it counts."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"required": False, "allow_null": True, "min_value": 0, "max_value": 100} | kwargs))

    def sql(self, source: str) -> Any:
        """Return the SQL that reads it."""
        return CHANCE


class DealFieldsSerializer(Serializer):
    """A deal; surfaces name its title, its worth and its company."""

    id = serializers.UUIDField(read_only=True)
    currency = LineField(max_length=3, required=False)
    contact_id = serializers.UUIDField(required=False, allow_null=True)
    contact = NamedPersonSerializer(read_only=True)
    pipeline_id = serializers.UUIDField(required=False)
    pipeline = PipelineRefSerializer(read_only=True)
    stage_id = serializers.UUIDField(required=False)
    stage = StageRefSerializer(read_only=True)
    status = OptionalChoiceField(DealStatus)
    priority = OptionalChoiceField(Priority)
    probability = Chance()
    expected_close_date = serializers.DateField(required=False, allow_null=True)
    source = OptionalCharField(max_length=100)  # type: ignore[assignment]  # a column of this name, not DRF's attribute
    tags = TextListField()
    description = OptionalTextField(max_length=20_000)
    lost_reason = OptionalTextField(max_length=500)
    owner_id = serializers.UUIDField(required=False, allow_null=True)
    owner = NamedPersonSerializer(read_only=True)
    stage_entered_at = serializers.DateTimeField(read_only=True)
    closed_at = serializers.DateTimeField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = Deal


class WorthSerializer(AmountField):
    """What a deal is worth, in its own currency; none is nothing."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(currency="currency", **({"allow_null": True, "min_value": 0} | kwargs))


class MoveSerializer(Serializer):
    """Where a deal is to go, and why."""

    stage_id = serializers.UUIDField()
    note = OptionalTextField(max_length=2000)
    lost_reason = OptionalTextField(max_length=500)


class DragSerializer(Serializer):
    """Which deal is to go where on the board; without a position, to the end of the stage."""

    deal_id = serializers.UUIDField()
    stage_id = serializers.UUIDField()
    position = Position(allow_null=True)


class HistoryEntrySerializer(Serializer):
    """A move of a deal. `days_in_stage` were spent in the stage that it left; its creation left none."""

    id = serializers.UUIDField(read_only=True)
    from_stage = SqlValueField(F("metadata__from_stage"), StageRefSerializer(allow_null=True))
    to_stage = SqlValueField(F("metadata__to_stage"), StageRefSerializer())
    moved_by = PersonRefSerializer(source="actor", read_only=True)
    moved_at = serializers.DateTimeField(source="occurred_at", read_only=True)
    days_in_stage = SqlValueField(F("metadata__days_in_stage"), serializers.FloatField(allow_null=True))
    note = SqlValueField(F("metadata__note"), serializers.CharField(allow_null=True))
    lost_reason = SqlValueField(F("metadata__lost_reason"), serializers.CharField(allow_null=True))

    class Meta:
        model = Event
