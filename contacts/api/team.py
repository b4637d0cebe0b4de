"""Companies, contacts and timelines on the Team surface."""

from contacts.api.resources import Companies, Contacts, Timeline
from contacts.api.shapes import CompanyFields, CompanyName, ContactFields, NewEntry, TimelineEntry
from crm.api.routes import resource, route
from crm.api.shapes import CamelShape
from crm.api.team import TEAM


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


class TeamEntry(TimelineEntry, CamelShape):
    """A timeline entry in camelCase."""


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
