"""What activities look like, declared once in the domain's names; surfaces set the casing and their own words."""

from datetime import date, datetime
from typing import Any

from rest_framework import serializers

from contacts.api.serializers import CompanyRefSerializer, NamedPersonSerializer, PersonRefSerializer
from crm.api.fields import LineField, OptionalChoiceField, OptionalTextField, SqlField
from crm.api.serializers import Serializer
from crm.core import clock
from sales.models import Activity, ActivityStatus, ActivityType, Deal, Priority

LONGEST_SUBJECT = 200
LONGEST_DESCRIPTION = 20_000
LONGEST_MOMENT = 40  # with fractions of a second and an offset


class Due(SqlField):
    """A date or a time: a date is the end of that day for whom it is assigned to, and is shown as it was given."""

    request_schema = serializers.CharField(max_length=LONGEST_MOMENT)
    response_schema: type[serializers.Field] = serializers.CharField
    columns = ("due_at", "due_on")

    def __init__(self, **kwargs: Any) -> None:
        given: dict[str, Any] = {"source": "due", "required": False, "allow_null": True}
        super().__init__(**(given | kwargs))

    def to_internal_value(self, data: Any) -> date | datetime:
        """Take ISO 8601."""
        try:
            return clock.parse_iso(data.strip()[: LONGEST_MOMENT + 1])
        except (AttributeError, ValueError):
            raise serializers.ValidationError(
                "Enter a date or a time, such as 2026-12-01 or 2026-12-01T08:00:00Z."
            ) from None

    def from_row(self, due_at: datetime | None, due_on: date | None) -> date | datetime | None:
        """Return what was given."""
        return due_on or due_at


class DueTime(Due):
    """The same, always shown as the time."""

    response_schema = serializers.DateTimeField

    def from_row(self, due_at: datetime | None, due_on: date | None) -> date | datetime | None:
        """Return the time."""
        return due_at


class DealTitleSerializer(Serializer):
    """A deal, by id and title."""

    id = serializers.UUIDField(read_only=True)
    title = serializers.CharField(read_only=True)

    class Meta:
        model = Deal


class ActivityFieldsSerializer(Serializer):
    """What all activities have in common."""

    id = serializers.UUIDField(read_only=True)
    description = OptionalTextField(max_length=LONGEST_DESCRIPTION)
    status = OptionalChoiceField(ActivityStatus)
    priority = OptionalChoiceField(Priority)
    contact_id = serializers.UUIDField(required=False, allow_null=True)
    contact = NamedPersonSerializer(read_only=True)
    completed_at = serializers.DateTimeField(read_only=True)
    created_by = PersonRefSerializer(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = Activity


class TaskSerializer(ActivityFieldsSerializer):
    """An activity of type `task`, by its assignee."""

    title = LineField(source="subject", max_length=LONGEST_SUBJECT)
    due_date = Due()
    assignee_id = serializers.UUIDField(source="owner_id", required=False, allow_null=True)
    assignee = PersonRefSerializer(source="owner", read_only=True)
    company_id = serializers.UUIDField(required=False, allow_null=True)
    company = CompanyRefSerializer(read_only=True)
    deal_id = serializers.UUIDField(required=False, allow_null=True)
    deal = DealTitleSerializer(read_only=True)


# The Platform's words for what an activity may be about, and ours.
RELATED = {"contact": "contact", "account": "company", "opportunity": "deal"}


class RelatedType(SqlField, serializers.ChoiceField):
    """What kind of thing it is about."""

    columns = ("deal_id", "contact_id", "company_id")

    def __init__(self, **kwargs: Any) -> None:
        given: dict[str, Any] = {"required": False, "allow_null": True}
        super().__init__(choices=[(word, word) for word in RELATED], **(given | kwargs))

    def to_internal_value(self, data: Any) -> str:
        """Return our word."""
        return RELATED[super().to_internal_value(data)]

    def from_row(self, *ids: str | None) -> str | None:
        """Return the kind of the first there is: a deal brings its contact and company along."""
        return next((word for word, pk in zip(("opportunity", "contact", "account"), ids, strict=True) if pk), None)


class RelatedId(SqlField, serializers.UUIDField):
    """The thing it is about."""

    columns = RelatedType.columns

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"required": False, "allow_null": True} | kwargs))

    def from_row(self, *ids: str | None) -> str | None:
        """Return the first there is."""
        return next(filter(None, ids), None)


class DealNameSerializer(Serializer):
    """A deal as an opportunity, by id and name."""

    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(source="title", read_only=True)

    class Meta:
        model = Deal


class PlatformActivitySerializer(ActivityFieldsSerializer):
    """An activity as the Platform names its parts."""

    aliases = {"title": "subject"}

    type = OptionalChoiceField(ActivityType)
    subject = LineField(max_length=LONGEST_SUBJECT)
    due_at = DueTime()
    due_on = serializers.DateField(read_only=True)
    related_type = RelatedType()
    related_id = RelatedId()
    owner_id = serializers.UUIDField(required=False, allow_null=True)
    owner = PersonRefSerializer(read_only=True)
    account_id = serializers.UUIDField(source="company_id", required=False, allow_null=True)
    account = CompanyRefSerializer(source="company", read_only=True)
    opportunity_id = serializers.UUIDField(source="deal_id", required=False, allow_null=True)
    opportunity = DealNameSerializer(source="deal", read_only=True)
