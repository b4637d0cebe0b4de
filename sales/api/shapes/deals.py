"""What deals (opportunities) look like, and the bodies that move them."""

from typing import Any

from django.db.models import F
from rest_framework import serializers

from contacts.api.shapes import NamedPerson, PersonRef
from crm.api.shapes import Amount, Choice, Computed, Line, LongText, Shape, Text, TextList
from crm.core.models import Event
from sales.api.shapes.pipelines import Position
from sales.models import CHANCE, Deal, DealStatus, Priority


class PipelineRef(Shape):
    """A pipeline, by id and name."""

    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(read_only=True)


class StageRef(Shape):
    """A stage, by id and name."""

    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(read_only=True)


class Chance(serializers.IntegerField):
    """A percent: the deal's own where it is set (null unsets it), shown as it counts."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"required": False, "allow_null": True, "min_value": 0, "max_value": 100} | kwargs))

    def expression(self, source: str) -> Any:
        """Return the SQL that reads it."""
        return CHANCE


class DealFields(Shape):
    """A deal; surfaces name its title, its worth and its company."""

    id = serializers.UUIDField(read_only=True)
    currency = Line(max_length=3, required=False)
    contact_id = serializers.UUIDField(required=False, allow_null=True)
    contact = NamedPerson(read_only=True)
    pipeline_id = serializers.UUIDField(required=False)
    pipeline = PipelineRef(read_only=True)
    stage_id = serializers.UUIDField(required=False)
    stage = StageRef(read_only=True)
    status = Choice(DealStatus)
    priority = Choice(Priority)
    probability = Chance()
    expected_close_date = serializers.DateField(required=False, allow_null=True)
    source = Text(max_length=100)  # type: ignore[assignment]  # a column of this name, not DRF's attribute
    tags = TextList()
    description = LongText(max_length=20_000)
    lost_reason = LongText(max_length=500)
    owner_id = serializers.UUIDField(required=False, allow_null=True)
    owner = NamedPerson(read_only=True)
    stage_entered_at = serializers.DateTimeField(read_only=True)
    closed_at = serializers.DateTimeField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = Deal


class Worth(Amount):
    """What a deal is worth, in its own currency; none is nothing."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(currency="currency", **({"allow_null": True, "min_value": 0} | kwargs))


class Move(Shape):
    """Where a deal is to go, and why."""

    stage_id = serializers.UUIDField()
    note = LongText(max_length=2000)
    lost_reason = LongText(max_length=500)


class Drag(Shape):
    """Which deal is to go where on the board; without a position, to the end of the stage."""

    deal_id = serializers.UUIDField()
    stage_id = serializers.UUIDField()
    position = Position(allow_null=True)


class HistoryEntry(Shape):
    """A move of a deal. `days_in_stage` were spent in the stage that it left; its creation left none."""

    id = serializers.UUIDField(read_only=True)
    from_stage = Computed(F("metadata__from_stage"), StageRef(allow_null=True))
    to_stage = Computed(F("metadata__to_stage"), StageRef())
    moved_by = PersonRef(source="actor", read_only=True)
    moved_at = serializers.DateTimeField(source="occurred_at", read_only=True)
    days_in_stage = Computed(F("metadata__days_in_stage"), serializers.FloatField(allow_null=True))
    note = Computed(F("metadata__note"), serializers.CharField(allow_null=True))
    lost_reason = Computed(F("metadata__lost_reason"), serializers.CharField(allow_null=True))

    class Meta:
        model = Event
