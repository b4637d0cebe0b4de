"""Companies, contacts and timelines on the Team surface."""

from typing import Any

import orjson
from rest_framework import serializers

from contacts.api.serializers import (
    CompanyFieldsSerializer,
    CompanyName,
    ContactFieldsSerializer,
    NewEntrySerializer,
    TimelineEntrySerializer,
)
from contacts.api.viewsets import CompanyViewSet, ContactViewSet, TimelineViewSet
from crm.api.fields import PythonValueField
from crm.api.routers import resource, route
from crm.api.surfaces import camel
from crm.api.team import TEAM
from crm.core.db.expressions import ShortChanges


class TeamCompanySerializer(CompanyFieldsSerializer):
    """A company in camelCase."""


class TeamCompanyViewSet(CompanyViewSet):
    """`/companies`."""

    surface = TEAM
    serializer_class = TeamCompanySerializer


class TeamContactSerializer(ContactFieldsSerializer):
    """A contact in camelCase, its company named."""

    company = CompanyName()


class TeamContactViewSet(ContactViewSet):
    """`/contacts`."""

    surface = TEAM
    serializer_class = TeamContactSerializer


def told_in_camel_case(metadata: Any, changes: Any) -> dict[str, Any]:
    """Return what an event keeps, with what changed in it; its keys are ours, the values of changes perhaps not."""
    details, changed = (orjson.loads(orjson.dumps(value)) for value in (metadata, changes))
    found: dict[str, Any] = _camel_keys(details)
    return found | {"changes": {camel(name): change for name, change in changed.items()}} if changed else found


def _camel_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {camel(key): _camel_keys(below) for key, below in value.items()}
    return [_camel_keys(below) for below in value] if isinstance(value, list) else value


class TeamEntrySerializer(TimelineEntrySerializer):
    """A timeline entry in camelCase."""

    metadata: Any = PythonValueField(("metadata", ShortChanges("changes")), told_in_camel_case, serializers.DictField())


class TeamNewEntrySerializer(NewEntrySerializer):
    """What is written onto a timeline, in camelCase."""


class TeamTimelineViewSet(TimelineViewSet):
    """`/contacts/:id/timeline`."""

    surface = TEAM
    serializer_class = TeamEntrySerializer
    input_serializer_class = TeamNewEntrySerializer


urlpatterns = [
    *resource("companies", TeamCompanyViewSet),
    *resource("contacts", TeamContactViewSet),
    route("contacts/<uuid:pk>/timeline", TeamTimelineViewSet, get="list", post="create"),
]
