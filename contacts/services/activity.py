"""Events as people read them: timelines and recent activity, each showing what the reader may see."""

from typing import Any

from django.apps import apps
from django.db.models import Q, QuerySet

from contacts.models import Contact
from crm.core.actor import Actor
from crm.core.db import TenantModel
from crm.core.models import Event, TimelineKind

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
UNTOLD_APPS = ("accounts", "core")
UNTOLD_SUBJECTS = ("pipeline", "stage", "shippingmethod", "taxrate", "promotion", "cart")
UNTOLD_EVENTS = ("deal.reordered",)


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
    untold = [model._meta.model_name for app in UNTOLD_APPS for model in apps.get_app_config(app).get_models()]  # noqa: SLF001 - Django's documented model metadata
    told = events_for(actor).filter(~Q(subject_type__in=[*untold, *UNTOLD_SUBJECTS]), ~Q(name__in=UNTOLD_EVENTS))
    newest = told.order_by("-occurred_at", "-id").values("pk")[:limit]
    return Event.objects.of(actor).filter(pk__in=newest)


def _own_subjects(actor: Actor) -> QuerySet[Any, Any]:
    """Return the ids of everything that is the actor's own, in whichever app it lives."""
    owned = [model for model in apps.get_models() if issubclass(model, TenantModel) and model.owned_by]
    first, *others = (model.objects.visible_to(actor).order_by().values("pk") for model in owned)
    return first.union(*others, all=True)
