"""Contacts that stand for shoppers: made at registration, joined with an earlier one once the address is proven."""

from typing import Any
from uuid import UUID

from django.db import connection

from accounts.models import User
from accounts.services.membership import organization_of
from contacts.models import Contact, Status
from contacts.services import contacts, search_index
from crm.core import clock, events, subscribers
from crm.core.actor import Actor, system_actor
from crm.core.db import CompiledQuery, lock_rows

SOURCE = "shop"
# What the surviving contact takes from the other where its own is empty.
FILLED = (
    "first_name",
    "last_name",
    "phone",
    "job_title",
    "company_id",
    "address",
    "temperature",
    "source",
    "notes",
    "avatar",
    "rating",
    "owner_id",
    "last_contacted_at",
)


def add_shopper(user: User) -> None:
    """Make the contact that stands for a new shopper; nobody of the team owns it yet."""
    contacts.create_contact(
        system_actor(organization_of(user)),
        user_id=user.pk,
        first_name=user.first_name,
        last_name=user.last_name,
        email=user.email,
        phone=user.phone,
        source=SOURCE,
    )


def contact_for_user(actor: Actor) -> Contact:
    """Return the contact that stands for the actor, of whom nobody makes another until the transaction ends.

    Members of the team shop too: theirs is made with their first order, or found by an address they have proven. One
    that was deleted comes back: a second one would split what they have ordered.
    """
    found = _STANDING.rows(actor) or _STANDING.rows(actor)  # one that was merged meanwhile is found as the other
    if not found:
        user = User.objects.of(actor).get(pk=actor.user_id)
        if not _brought_back(user):
            add_shopper(user)
        if user.email_verified_at is not None:
            merge_verified(user)
        found = _STANDING.rows(actor)
    pk, company_id = found[0]
    return Contact(
        id=UUID(pk),
        organization_id=actor.organization_id,
        user_id=actor.user_id,
        company_id=company_id and UUID(company_id),
    )


_STANDING = CompiledQuery(
    lambda actor: Contact.objects.of(actor).alive().filter(user_id=actor.user_id).values_list("pk", "company_id"),
    for_share=True,
)


def _brought_back(user: User) -> bool:
    """Restore the contact that stood for the user when it was deleted, and tell whether there was one."""
    actor = system_actor(organization_of(user))
    deleted = Contact.objects.of(actor).filter(user_id=user.pk, deleted_at__isnull=False)
    latest = deleted.order_by("-deleted_at", "-id").first()
    if latest is not None:
        contacts.restore_contact(actor, latest)
    return latest is not None


def merge_verified(user: User) -> None:
    """Make one of the shopper's contact and the earliest other active contact of their address.

    The earlier of the two stays, with its id; timeline and references of the other move to it.
    """
    actor = system_actor(organization_of(user))
    own = Contact.objects.of(actor).alive().filter(user=user).first()
    if own is None:
        return
    same = Contact.objects.of(actor).alive().filter(email_normalized=user.email_normalized).exclude(pk=own.pk)
    # A contact that stands for another living shopper is that person's own.
    twin = same.exclude(user__is_active=True).order_by("created_at", "id").first()
    if twin is None:
        return
    locked = lock_rows(Contact.objects.of(actor).alive(), [own.pk, twin.pk])
    if len(locked) == len((own, twin)):
        kept, gone = sorted(locked.values(), key=lambda contact: (contact.created_at, contact.pk))
        _merge(actor, kept, gone, user)


def _merge(actor: Actor, kept: Contact, gone: Contact, user: User) -> None:
    gone.user, gone.status, gone.deleted_at = None, Status.INACTIVE, clock.now()
    gone.save(update_fields=["user", "status", "deleted_at", "updated_at"])
    changes = events.assign(kept, _combined(kept, gone) | {"user_id": user.pk})
    search_index.refresh(kept, kept.company)
    kept.save()
    subscribers.call("merge_contacts", actor, gone.pk, kept.pk)
    # Last: whoever changed a deal or an order meanwhile was waited for, and what they did is told by now.
    with connection.cursor() as cursor:
        cursor.execute("SELECT contacts_move_events(%s, %s)", [gone.pk, kept.pk])
    events.record(
        actor,
        "contact.merged",
        kept,
        title=f"Contact {kept} and the shopper {user.email} became one",
        contact_id=kept.pk,
        company_id=kept.company_id,
        changes=changes,
        metadata={"merged_id": str(gone.pk)},
    )


def _combined(kept: Contact, gone: Contact) -> dict[str, Any]:
    filled = {name: getattr(gone, name) for name in FILLED if not getattr(kept, name) and getattr(gone, name)}
    return filled | {
        "tags": list(dict.fromkeys([*kept.tags, *gone.tags])),
        "custom_fields": {**gone.custom_fields, **kept.custom_fields},
        "do_not_contact": kept.do_not_contact or gone.do_not_contact,
    }
