"""Companies, contacts and timelines as resources: rows, filters, orders, services. Surfaces add shape and names."""

from functools import cached_property
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import HttpResponse

from contacts.api.serializers import NewEntrySerializer
from contacts.models import Company, Contact, LeadStatus, LifecycleStage, Status, Temperature
from contacts.services import companies, contacts, timeline
from crm.api.filtersets import FilterArguments, FilterSet, FreeTextFilter, SearchFilter, TagsFilter
from crm.api.viewsets import ResourceViewSet, Services
from crm.core.actor import Actor
from crm.core.errors import Invalid
from crm.core.models import Event, TimelineKind

TAGS_MATCHES = [("any", "any"), ("all", "all")]
ON_DUPLICATE = ("allow", "reject")
ORDERS = {"created_at": "created_at", "updated_at": "updated_at", "name": "name_normalized"}


class OwnedFilterSet(FilterSet):
    """Filters of companies and contacts alike."""

    search = SearchFilter()
    lifecycle_stage = django_filters.ChoiceFilter(choices=LifecycleStage.choices)
    owner_id = django_filters.UUIDFilter()
    tags = TagsFilter()
    tags_match = django_filters.ChoiceFilter(choices=TAGS_MATCHES, method="with_tags")

    def with_tags(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Leave the rows to `tags`, which asks how they match."""
        return rows


class CompanyFilterSet(OwnedFilterSet):
    """Filters of company lists."""

    tier = FreeTextFilter()
    industry = FreeTextFilter()
    country = FreeTextFilter()


class ContactFilterSet(OwnedFilterSet):
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


class TimelineFilterSet(FilterSet):
    """Filters of a timeline."""

    type = django_filters.ChoiceFilter(field_name="kind", choices=TimelineKind.choices)


class CompanyViewSet(ResourceViewSet):
    """Companies."""

    permission_resource = "companies"
    model = Company
    verbose_name = "Company"
    verbose_name_plural = "companies"
    filterset_class = CompanyFilterSet
    counter = "companies"
    ordering_fields = ORDERS
    services = Services(
        create=companies.create_company,
        update=companies.update_company,
        delete=companies.delete_company,
        restore=companies.restore_company,
    )


class ContactViewSet(ResourceViewSet):
    """Contacts."""

    permission_resource = "contacts"
    model = Contact
    verbose_name = "Contact"
    verbose_name_plural = "contacts"
    filterset_class = ContactFilterSet
    counter = "contacts"
    ordering_fields = {
        **ORDERS,
        "full_name": "name_normalized",
        "first_name": "first_name",
        "last_name": "last_name",
        "email": "email_normalized",
    }
    services = Services(
        create=contacts.create_contact,
        update=contacts.update_contact,
        delete=contacts.delete_contact,
        restore=contacts.restore_contact,
    )

    def get_filtered_queryset(self, actor: Actor, query: FilterArguments) -> QuerySet[Contact]:
        """Let `status=inactive` find the deleted too."""
        rows = Contact.objects.visible_to(actor)
        if query.data.get("status") != Status.INACTIVE:
            rows = rows.alive()
        return self.filter_queryset(actor, rows, query)

    def service_options(self) -> dict[str, Any]:
        """Return whether `?on_duplicate=reject` asks to refuse."""
        return {"reject_duplicates": self.rejects_duplicates()}

    def write_extra(self, row: Contact) -> dict[str, Any]:
        """Return `duplicate_of`, by the surface's key: the contacts of the same identity, where there are any."""
        found = contacts.duplicates_of(self.actor, row)
        return {self.surface.key("duplicate_of"): found} if found else {}

    def rejects_duplicates(self) -> bool:
        """Tell whether `?on_duplicate=reject` asks to refuse."""
        key = self.surface.key("on_duplicate")
        requested = self.request.GET.get(key, "allow") or "allow"
        if requested not in ON_DUPLICATE:
            raise Invalid({key: "Choose allow or reject."})
        return requested == "reject"


class TimelineViewSet(ResourceViewSet):
    """A contact's timeline."""

    permission_resource = "contacts"
    permissions = {"create": "contacts:update"}
    model = Event
    verbose_name = "Entry"
    verbose_name_plural = "timeline"
    filterset_class = TimelineFilterSet
    input_serializer_class = NewEntrySerializer
    ordering_fields = {"occurred_at": "occurred_at"}
    ordering = ("-occurred_at", "-id")
    is_compiled = False

    @cached_property
    def contact(self) -> Contact:
        """Return the contact whose timeline it is, or raise `NotFound`."""
        contact: Contact = self.get_object(self.kwargs["pk"], queryset=Contact.objects.visible_to(self.actor).alive())
        return contact

    def get_queryset(self, actor: Actor) -> QuerySet[Event]:
        """Return what the actor may see of it."""
        return timeline.timeline_of(actor, self.contact)

    def create(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Write a note, or a call, e-mail or meeting that took place."""
        response = self.respond_with(timeline.add_entry(self.actor, self.contact, **self.validate()), 201)
        self.subject = self.contact
        return response
