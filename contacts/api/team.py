"""Companies, contacts and timelines on the Team surface."""

from typing import Any

import orjson
from rest_framework import serializers

from contacts.api.resources import Companies, Contacts, Timeline
from contacts.api.shapes import CompanyFields, CompanyName, ContactFields, NewEntry, TimelineEntry
from crm.api.routes import resource, route
from crm.api.shapes import CamelShape, Derived
from crm.api.surfaces import camel
from crm.api.team import TEAM
from crm.core.db.expressions import ShortChanges


class TeamCompany(CompanyFields, CamelShape):
    """A company in camelCase."""


class TeamCompanies(Companies):
    """`/companies`."""

    surface = TEAM
    shape = TeamCompany


class TeamContact(ContactFields, CamelShape):
    """A contact in camelCase, its company named."""

    company = CompanyName()


class TeamContacts(Contacts):
    """`/contacts`."""

    surface = TEAM
    shape = TeamContact


def told_in_camel_case(metadata: Any, changes: Any) -> dict[str, Any]:
    """Return what an event keeps, with what changed in it; its keys are ours, the values of changes perhaps not."""
    told, changed = (orjson.loads(orjson.dumps(value)) for value in (metadata, changes))
    found: dict[str, Any] = _camel_keys(told)
    return found | {"changes": {camel(name): change for name, change in changed.items()}} if changed else found


def _camel_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {camel(key): _camel_keys(below) for key, below in value.items()}
    return [_camel_keys(below) for below in value] if isinstance(value, list) else value


class TeamEntry(TimelineEntry, CamelShape):
    """A timeline entry in camelCase."""

    metadata: Any = Derived(("metadata", ShortChanges("changes")), told_in_camel_case, serializers.DictField())


class TeamNewEntry(NewEntry, CamelShape):
    """What is written onto a timeline, in camelCase."""


class TeamTimeline(Timeline):
    """`/contacts/:id/timeline`."""

    surface = TEAM
    shape = TeamEntry
    body_shape = TeamNewEntry


urlpatterns = [
    *resource("companies", TeamCompanies),
    *resource("contacts", TeamContacts),
    route("contacts/<uuid:pk>/timeline", TeamTimeline, get="list", post="create"),
]
