"""Writes to contacts: on every surface a contact, a customer and a shopper's record are the same row."""

from decimal import Decimal
from typing import Any, TypedDict, Unpack
from uuid import UUID

from contacts.models import Company, Contact, Status
from contacts.services import change_text, companies, search_index
from contacts.services.references import default_owner, held_company, owner_for
from crm.core import clock, db, events
from crm.core.actor import Actor
from crm.core.db import CompiledQuery, advisory_lock, lock_row
from crm.core.errors import Conflict, Invalid

MOST_DUPLICATES = 20


class ContactFields(TypedDict, total=False):
    """What may be said of a contact, by domain name."""

    user_id: UUID
    phone: str
    lifecycle_stage: str
    tags: list[str]
    address: dict[str, str | None] | None
    owner_id: UUID | None
    first_name: str
    last_name: str
    email: str
    job_title: str
    lead_status: str
    temperature: str
    source: str
    status: str
    notes: str
    custom_fields: dict[str, Any]
    do_not_contact: bool
    rating: Decimal | None
    company_id: UUID | None
    company: str | None


def create_contact(actor: Actor, *, reject_duplicates: bool = False, **fields: Unpack[ContactFields]) -> Contact:
    """Create a contact that has a name or an e-mail address; staff own what they create.

    `company` names one that is found or made. `reject_duplicates` turns a contact of the same dedupe hash that the
    actor may see into a `Conflict`; without it `duplicates_of` tells.
    """
    values: dict[str, Any] = dict(fields)
    contact = Contact(organization_id=actor.organization_id, created_by_id=actor.user_id)
    contact.owner_id = default_owner(actor, values)
    contact.company = companies.company_for(actor, values, current=None)
    events.assign(contact, values)
    _require_identity(contact)
    search_index.refresh(contact, contact.company)
    if reject_duplicates:
        _reject_duplicates(actor, contact)
    db.insert(contact)
    events.record(
        actor,
        "contact.created",
        contact,
        title=f"Contact {contact} created",
        contact_id=contact.pk,
        company_id=contact.company_id,
    )
    return contact


def update_contact(
    actor: Actor, contact: Contact, *, reject_duplicates: bool = False, **fields: Unpack[ContactFields]
) -> Contact:
    """Change a contact; nothing changed, nothing recorded."""
    values: dict[str, Any] = dict(fields)
    moves = not {"company", "company_id"}.isdisjoint(values)
    # The company first: whoever renames it locks it before its contacts.
    company = companies.company_for(actor, values, current=contact.company_id)
    contact = lock_row(Contact.objects.visible_to(actor).alive(), contact.pk)
    if not moves and contact.company_id != (company.pk if company else None):
        company = held_company(actor, contact.company_id)
    owner_id = owner_for(actor, values, current=contact.owner_id)
    display_values = _company_names(actor, contact, company)
    changes = events.assign(contact, {**values, "owner_id": owner_id, "company_id": company.pk if company else None})
    if not changes:
        return contact
    _require_identity(contact)
    written = {*changes, "updated_at"}
    if search_index.SOURCES & changes.keys():
        search_index.refresh(contact, company)
        written |= set(search_index.DERIVED)
    if reject_duplicates:
        _reject_duplicates(actor, contact)
    contact.save(update_fields=written)
    if search_index.NAMES & changes.keys():
        search_index.renamed(actor, contact_id=contact.pk)
    events.record(
        actor,
        "contact.updated",
        contact,
        title=f"Contact {contact} updated",
        contact_id=contact.pk,
        company_id=contact.company_id,
        content=change_text.sentences(changes, display_values | companies.owner_names(actor, changes)),
        changes=changes,
    )
    return contact


def delete_contact(actor: Actor, contact: Contact) -> None:
    """Delete softly: the contact leaves every list but that of the inactive."""
    contact = lock_row(Contact.objects.visible_to(actor).alive(), contact.pk)
    contact.deleted_at, contact.status = clock.now(), Status.INACTIVE
    contact.save(update_fields=["deleted_at", "status", "updated_at"])
    events.record(
        actor,
        "contact.deleted",
        contact,
        title=f"Contact {contact} deleted",
        contact_id=contact.pk,
        company_id=contact.company_id,
    )


def restore_contact(actor: Actor, contact: Contact) -> Contact:
    """Bring a deleted contact back; one that is not deleted stays as it is.

    A shopper for whom another contact stands by now keeps that one.
    """
    contact = lock_row(Contact.objects.visible_to(actor), contact.pk)
    if contact.deleted_at is None:
        return contact
    contact.deleted_at, contact.status = None, Status.ACTIVE
    if contact.user_id and Contact.objects.of(actor).alive().filter(user_id=contact.user_id).exists():
        contact.user_id = None
    contact.save(update_fields=["deleted_at", "status", "user_id", "updated_at"])
    events.record(
        actor,
        "contact.restored",
        contact,
        title=f"Contact {contact} restored",
        contact_id=contact.pk,
        company_id=contact.company_id,
    )
    return contact


def duplicates_of(actor: Actor, contact: Contact) -> list[UUID]:
    """Return the ids of the other living contacts of the same dedupe hash that the actor may see, oldest first."""
    return [UUID(pk) for (pk,) in _SAME_IDENTITY.rows(actor, dedupe_hash=contact.dedupe_hash, pk=contact.pk)]


_SAME_IDENTITY = CompiledQuery(
    lambda actor, dedupe_hash, pk: (
        Contact.objects.visible_to(actor)
        .alive()
        .filter(dedupe_hash=dedupe_hash)
        .exclude(pk=pk)
        .order_by("created_at", "id")
        .values_list("pk", flat=True)[:MOST_DUPLICATES]
    )
)


def _name(company: Company | None) -> str:
    return company.name if company else ""


def _company_names(actor: Actor, contact: Contact, company: Company | None) -> dict[str, tuple[str, str]]:
    if contact.company_id == (company.pk if company else None):
        return {}
    had = contact.company_id
    before = Company.objects.of(actor).filter(pk=had).first() if had else None
    return {"company_id": (_name(before), _name(company))}


def _require_identity(contact: Contact) -> None:
    if not (contact.first_name or contact.last_name or contact.email):
        raise Invalid({"first_name": "A name or an e-mail address is needed."})


def _reject_duplicates(actor: Actor, contact: Contact) -> None:
    advisory_lock(actor.organization_id, "identity", contact.dedupe_hash)  # of two at once, the second sees the first
    if found := [str(pk) for pk in duplicates_of(actor, contact)]:
        raise Conflict("A contact with this identity exists.", code="DUPLICATE_CONTACT", extra={"duplicate_of": found})
