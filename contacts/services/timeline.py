"""What people write onto a contact's timeline: notes, and calls, e-mails and meetings that took place elsewhere."""

from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from django.db.models import Q

from contacts.models import Contact
from crm.core import clock, events
from crm.core.actor import Actor
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
