"""What dashboards show: figures, and recent activity."""

from rest_framework import serializers

from contacts.api.serializers import CompanyRefSerializer, NamedPersonSerializer
from crm.api.fields import PythonValueField
from crm.api.serializers import Serializer
from crm.core.models import Event, TimelineKind


class RecentActivitySerializer(Serializer):
    """An event as the Team's dashboard shows it."""

    id = serializers.UUIDField(read_only=True)
    type = serializers.ChoiceField(source="kind", choices=TimelineKind.choices, read_only=True)
    description = serializers.CharField(source="title", read_only=True)
    contact = NamedPersonSerializer(read_only=True)
    actor = NamedPersonSerializer(read_only=True)
    created_at = serializers.DateTimeField(source="occurred_at", read_only=True)

    class Meta:
        model = Event


OWNED = ("deal", "contact", "company")
OWNER = ("id", "full_name", "email")
OWNERS = tuple(f"{thing}__owner__{column}" for thing in OWNED for column in OWNER)


def owner_of(*owners: str | None) -> dict[str, str | None] | None:
    """Return whose the deal is, else whose the contact or the company is, by id and name."""
    for start in range(0, len(owners), len(OWNER)):
        pk, full_name, email = owners[start : start + len(OWNER)]
        if pk:
            return {"id": pk, "name": full_name or email}
    return None


class DealRefSerializer(Serializer):
    """A deal, by id and name."""

    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(source="title", read_only=True)


class FeedItemSerializer(Serializer):
    """An event as the Platform's activity feed shows it, with the people and things it speaks of."""

    id = serializers.UUIDField(read_only=True)
    type = serializers.CharField(source="name", read_only=True)
    description = serializers.CharField(source="title", read_only=True)
    actor = NamedPersonSerializer(read_only=True)
    owner = PythonValueField(OWNERS, owner_of, NamedPersonSerializer(allow_null=True))
    contact = NamedPersonSerializer(read_only=True)
    account = CompanyRefSerializer(source="company", read_only=True)
    opportunity = DealRefSerializer(source="deal", read_only=True)
    timestamp = serializers.DateTimeField(source="occurred_at", read_only=True)

    class Meta:
        model = Event
