"""Companies, contacts and timelines as resources: rows, filters, orders, services. Surfaces add shape and names."""

from functools import cached_property
from typing import Any
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from django.http import HttpResponse

from contacts.api.shapes import NewEntry
from contacts.models import Company, Contact, LeadStatus, LifecycleStage, Status, Temperature
from contacts.services import activity, companies, contacts, timeline
from crm.api.filters import FilterArguments, Filters, FreeTextFilter, SearchFilter, TagsFilter
from crm.api.resources import Resource
from crm.core.actor import Actor
from crm.core.errors import Invalid
from crm.core.models import Event, TimelineKind

TAGS_MATCHES = [("any", "any"), ("all", "all")]
ON_DUPLICATE = ("allow", "reject")
ORDERS = {"created_at": "created_at", "updated_at": "updated_at", "name": "name_normalized"}


class OwnedFilters(Filters):
    """Filters of companies and contacts alike."""

    search = SearchFilter()
    lifecycle_stage = django_filters.ChoiceFilter(choices=LifecycleStage.choices)
    owner_id = django_filters.UUIDFilter()
    tags = TagsFilter()
    tags_match = django_filters.ChoiceFilter(choices=TAGS_MATCHES, method="with_tags")

    def with_tags(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Leave the rows to `tags`, which asks how they match."""
        return rows


class CompanyFilters(OwnedFilters):
    """Filters of company lists."""

    tier = FreeTextFilter()
    industry = FreeTextFilter()
    country = FreeTextFilter()


class ContactFilters(OwnedFilters):
    """Filters of contact lists."""

    status = django_filters.ChoiceFilter(choices=Status.choices, method="with_status")
    lead_status = django_filters.ChoiceFilter(choices=LeadStatus.choices)
    temperature = django_filters.ChoiceFilter(choices=Temperature.choices)
    company_id = django_filters.UUIDFilter()
    source = FreeTextFilter()
    do_not_contact = django_filters.BooleanFilter()

    def with_status(self, rows: QuerySet[Contact], name: str, value: str) -> QuerySet[Contact]:
        """Keep one status; the inactive include the deleted, which are found nowhere else."""
        return rows.filter(status=value)


class TimelineFilters(Filters):
    """Filters of a timeline."""

    type = django_filters.ChoiceFilter(field_name="kind", choices=TimelineKind.choices)


class Companies(Resource):
    """Companies."""

    resource = "companies"
    model = Company
    noun = "Company"
    plural = "companies"
    filters = CompanyFilters
    tally = "companies"
    orders = ORDERS
    creates = companies.create_company
    updates = companies.update_company
    deletes = companies.delete_company
    restores = companies.restore_company


class Contacts(Resource):
    """Contacts."""

    resource = "contacts"
    model = Contact
    noun = "Contact"
    plural = "contacts"
    filters = ContactFilters
    tally = "contacts"
    orders = {
        **ORDERS,
        "full_name": "name_normalized",
        "first_name": "first_name",
        "last_name": "last_name",
        "email": "email_normalized",
    }
    creates = contacts.create_contact
    updates = contacts.update_contact
    deletes = contacts.delete_contact
    restores = contacts.restore_contact

    def filtered(self, actor: Actor, query: FilterArguments) -> QuerySet[Contact]:
        """Let `status=inactive` find the deleted too."""
        rows = Contact.objects.visible_to(actor)
        if query.data.get("status") != Status.INACTIVE:
            rows = rows.alive()
        return self.narrowed(actor, rows, query)

    def create(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Create one; the answer names contacts of the same identity."""
        contact = contacts.create_contact(self.actor, reject_duplicates=self.rejects_duplicates(), **self.read())
        return self.shown(contact, 201, **self.duplicates(contact))

    def partial_update(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Change any part of one; the answer names contacts of the same identity."""
        contact = contacts.update_contact(
            self.actor, self.get_row(pk), reject_duplicates=self.rejects_duplicates(), **self.read(partial=True)
        )
        return self.shown(contact, **self.duplicates(contact))

    update = partial_update

    def restore(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Bring a deleted one back; the answer names contacts of the same identity."""
        row = self.get_row(pk, among=Contact.objects.visible_to(self.actor))
        contact = contacts.restore_contact(self.actor, row)
        return self.shown(contact, **self.duplicates(contact))

    def rejects_duplicates(self) -> bool:
        """Tell whether `?on_duplicate=reject` asks to refuse."""
        key = self.surface.key("on_duplicate")
        asked = self.request.GET.get(key, "allow") or "allow"
        if asked not in ON_DUPLICATE:
            raise Invalid(**{key: "Choose allow or reject."})
        return asked == "reject"

    def duplicates(self, contact: Contact) -> dict[str, Any]:
        """Return `duplicate_of`, by the surface's key, where there are any."""
        found = contacts.duplicates_of(self.actor, contact)
        return {self.surface.key("duplicate_of"): found} if found else {}


class Timeline(Resource):
    """A contact's timeline."""

    resource = "contacts"
    permissions = {"create": "contacts:update"}
    model = Event
    noun = "Entry"
    plural = "timeline"
    filters = TimelineFilters
    body_shape = NewEntry
    orders = {"occurred_at": "occurred_at"}
    default_order = ("-occurred_at", "-id")
    is_compiled = False

    @cached_property
    def contact(self) -> Contact:
        """Return the contact whose timeline it is, or raise `NotFound`."""
        contact: Contact = self.get_row(self.kwargs["pk"], among=Contact.objects.visible_to(self.actor).alive())
        return contact

    def rows(self, actor: Actor) -> QuerySet[Event]:
        """Return what the actor may see of it."""
        return activity.timeline_of(actor, self.contact)

    def create(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Write a note, or a call, e-mail or meeting that took place."""
        response = self.shown(timeline.add_entry(self.actor, self.contact, **self.read()), 201)
        self.subject = self.contact
        return response
