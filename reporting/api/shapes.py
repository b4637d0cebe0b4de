"""What dashboards show: figures, and recent activity."""

from django.db.models import TextField, Value
from rest_framework import serializers

from contacts.api.shapes import CompanyRef, NamedPerson
from crm.api.shapes import Computed, Derived, Shape
from crm.core.models import Event, TimelineKind


class RecentActivity(Shape):
    """An event as the Team's dashboard shows it."""

    id = serializers.UUIDField(read_only=True)
    type = serializers.ChoiceField(source="kind", choices=TimelineKind.choices, read_only=True)
    description = serializers.CharField(source="title", read_only=True)
    contact = NamedPerson(read_only=True)
    actor = NamedPerson(read_only=True)
    created_at = serializers.DateTimeField(source="occurred_at", read_only=True)

    class Meta:
        model = Event


OWNERS = tuple(
    f"{thing}__owner__{column}" for thing in ("contact", "company") for column in ("id", "full_name", "email")
)


def owner_of(*owners: str | None) -> dict[str, str | None] | None:
    """Return whose the contact is, else whose the company is, by id and name."""
    for pk, full_name, email in (owners[:3], owners[3:]):
        if pk:
            return {"id": pk, "name": full_name or email}
    return None


class FeedItem(Shape):
    """An event as the Platform's activity feed shows it, with the people and things it speaks of."""

    id = serializers.UUIDField(read_only=True)
    type = serializers.CharField(source="name", read_only=True)
    description = serializers.CharField(source="title", read_only=True)
    actor = NamedPerson(read_only=True)
    owner = Derived(OWNERS, owner_of, NamedPerson(allow_null=True))
    contact = NamedPerson(read_only=True)
    account = CompanyRef(source="company", read_only=True)
    opportunity = Computed(Value(None, output_field=TextField()), CompanyRef(allow_null=True))
    timestamp = serializers.DateTimeField(source="occurred_at", read_only=True)

    class Meta:
        model = Event
