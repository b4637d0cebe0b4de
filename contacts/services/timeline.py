"""What people write onto a contact's timeline: notes, and calls, e-mails and meetings that took place elsewhere."""

from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import Q, QuerySet

from contacts.models import Contact
from crm.core import clock, events
from crm.core.actor import Actor
from crm.core.db import TenantModel
from crm.core.errors import Invalid
from crm.core.models import Event, TimelineKind

# kind: event name, title
ENTRIES = MappingProxyType(
    {
        TimelineKind.NOTE: ("note.added", "Note added"),
        TimelineKind.CALL: ("call.logged", "Call logged"),
        TimelineKind.EMAIL: ("email.logged", "E-mail logged"),
        TimelineKind.MEETING: ("meeting.logged", "Meeting logged"),
    }
)
IN_TOUCH = frozenset({TimelineKind.CALL, TimelineKind.EMAIL, TimelineKind.MEETING})


def add_entry(
    actor: Actor, contact: Contact, *, kind: str, content: str = "", occurred_at: datetime | None = None
) -> Event:
    """Write an entry onto the timeline; a call, e-mail or meeting that took place counts as contact with the person."""
    name, title = ENTRIES[TimelineKind(kind)]
    if kind == TimelineKind.NOTE and not content:
        raise Invalid({"content": "A note needs a text."})
    occurred_at = occurred_at or clock.now()
    if kind in IN_TOUCH:
        note_contact(actor, contact.pk, occurred_at)
    return events.record(
        actor,
        name,
        contact,
        title=title,
        kind=kind,
        contact_id=contact.pk,
        company_id=contact.company_id,
        content=content,
        occurred_at=occurred_at,
    )


def note_contact(actor: Actor, contact_id: UUID, at: datetime) -> None:
    """Keep when somebody was last in touch with the contact; what is yet to come does not count."""
    if at <= clock.now():
        earlier = Q(last_contacted_at__isnull=True) | Q(last_contacted_at__lt=at)
        Contact.objects.of(actor).filter(earlier, pk=contact_id).update(last_contacted_at=at)


# What one must be allowed to view for an event of a kind, or of a subject, to be shown.
KINDS = {
    TimelineKind.DEAL: "deals",
    TimelineKind.TASK: "activities",
    TimelineKind.INVOICE: "invoices",
    TimelineKind.MESSAGE: "conversations",
    TimelineKind.SMS: "conversations",
    TimelineKind.CAMPAIGN: "campaigns",
    TimelineKind.ORDER: "orders",
}
SUBJECTS = {
    "contact": "contacts",
    "company": "companies",
    "pipeline": "pipelines",
    "stage": "pipelines",
    "deal": "deals",
    "activity": "activities",
    "order": "orders",
}
# Sign-ins, roles, settings, tidying up and what shoppers consider are for the audit, not for the feed.
HIDDEN_APPS = ("accounts", "core")
HIDDEN_SUBJECTS = ("pipeline", "stage", "shippingmethod", "taxrate", "promotion", "cart")
HIDDEN_EVENTS = ("deal.reordered",)


def events_for(actor: Actor) -> QuerySet[Event]:
    """Return the events whose subject the actor may see."""
    rows = Event.objects.of(actor)
    hidden_kinds = [kind for kind, resource in KINDS.items() if not actor.can(f"{resource}:view")]
    hidden_subjects = [subject for subject, resource in SUBJECTS.items() if not actor.can(f"{resource}:view")]
    if hidden_kinds:
        rows = rows.exclude(kind__in=hidden_kinds)
    if hidden_subjects:
        rows = rows.exclude(subject_type__in=hidden_subjects)
    if not actor.sees_all:
        rows = rows.filter(subject_id__in=_own_subjects(actor))
    return rows


def timeline_of(actor: Actor, contact: Contact) -> QuerySet[Event]:
    """Return what the actor may see of a contact's timeline."""
    return events_for(actor).filter(contact_id=contact.pk)


def recent_events(actor: Actor, limit: int) -> QuerySet[Event]:
    """Return the newest events on contacts, companies and what hangs on them."""
    hidden = [model._meta.model_name for app in HIDDEN_APPS for model in apps.get_app_config(app).get_models()]  # noqa: SLF001 - Django's documented model metadata
    details = events_for(actor).filter(~Q(subject_type__in=[*hidden, *HIDDEN_SUBJECTS]), ~Q(name__in=HIDDEN_EVENTS))
    newest = details.order_by("-occurred_at", "-id").values("pk")[:limit]
    return Event.objects.of(actor).filter(pk__in=newest)


def _own_subjects(actor: Actor) -> QuerySet[Any, Any]:
    """Return the ids of everything that is the actor's own, in whichever app it lives."""
    owned = [model for model in apps.get_models() if issubclass(model, TenantModel) and model.owned_by]
    first, *others = (model.objects.visible_to(actor).order_by().values("pk") for model in owned)
    return first.union(*others, all=True)
