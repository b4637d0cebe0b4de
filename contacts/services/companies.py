"""Writes to companies."""

from decimal import Decimal
from typing import Any, TypedDict, Unpack
from uuid import UUID

from accounts.models import User
from contacts.models import Company
from contacts.services import change_text, search_index
from contacts.services.references import default_owner, held_company, owner_for, visible_company
from crm.core import clock, events, money
from crm.core.actor import Actor
from crm.core.db import advisory_lock, lock_row, share_rows

INDEXED = frozenset({"name", "phone", "website"})


class CompanyFields(TypedDict, total=False):
    """What may be said of a company, by domain name."""

    phone: str
    lifecycle_stage: str
    tags: list[str]
    address: dict[str, str | None] | None
    owner_id: UUID | None
    website: str
    industry: str
    tier: str
    country: str
    employee_count: int | None
    annual_revenue: Decimal | None


class CompanyChanges(CompanyFields, total=False):
    """The same, with what a new one must have."""

    name: str


def create_company(actor: Actor, *, name: str, **fields: Unpack[CompanyFields]) -> Company:
    """Create a company; staff own what they create."""
    values: dict[str, Any] = dict(fields)
    company = Company(organization_id=actor.organization_id, created_by_id=actor.user_id, name=name)
    company.owner_id = default_owner(actor, values)
    events.assign(company, _stored(actor, values))
    search_index.refresh_company(company)
    company.save(force_insert=True)
    events.record(actor, "company.created", company, title=f"Company {company} created", company_id=company.pk)
    return company


def update_company(actor: Actor, company: Company, **fields: Unpack[CompanyChanges]) -> Company:
    """Change a company; under a new name it is found at once, and its contacts with it. Nothing changed: no event."""
    values: dict[str, Any] = dict(fields)
    company = lock_row(Company.objects.visible_to(actor).alive(), company.pk)
    owner_id = owner_for(actor, values, current=company.owner_id)
    changes = events.assign(company, {**_stored(actor, values), "owner_id": owner_id})
    if not changes:
        return company
    written = {*changes, "updated_at"}
    if INDEXED & changes.keys():
        search_index.refresh_company(company)
        written |= {"name_normalized", "search"}
    company.save(update_fields=written)
    if "name" in changes:
        search_index.rename_company(company)
        search_index.renamed(actor, company_id=company.pk)
    events.record(
        actor,
        "company.updated",
        company,
        title=f"Company {company} updated",
        company_id=company.pk,
        content=change_text.sentences(changes, owner_names(actor, changes) | _revenue(actor, changes)),
        changes=changes,
    )
    return company


def delete_company(actor: Actor, company: Company) -> None:
    """Delete softly; its contacts keep their reference."""
    company = lock_row(Company.objects.visible_to(actor).alive(), company.pk)
    company.deleted_at = clock.now()
    company.save(update_fields=["deleted_at", "updated_at"])
    events.record(actor, "company.deleted", company, title=f"Company {company} deleted", company_id=company.pk)


def restore_company(actor: Actor, company: Company) -> Company:
    """Bring a deleted company back; one that is not deleted stays as it is."""
    company = lock_row(Company.objects.visible_to(actor), company.pk)
    if company.deleted_at is not None:
        company.deleted_at = None
        company.save(update_fields=["deleted_at", "updated_at"])
        events.record(actor, "company.restored", company, title=f"Company {company} restored", company_id=company.pk)
    return company


def company_for(actor: Actor, fields: dict[str, Any], *, current: UUID | None) -> Company | None:
    """Take `company_id` and `company` (a name) out of the fields and return the company meant, else the current one.

    It is held: until the transaction ends nobody renames it, so that what is indexed stays true.
    """
    is_named, name = "company" in fields, fields.pop("company", None)
    company_id = fields.pop("company_id", current)
    if company_id != current:
        return visible_company(actor, company_id) if company_id else None
    if is_named and not name:
        return None
    company = held_company(actor, current)
    if is_named and (company is None or company.name_normalized != search_index.normal_name(name)[:200]):
        return company_named(actor, name)
    return company


def company_named(actor: Actor, name: str) -> Company:
    """Find the company of this name (case, accents and spaces aside) among those the actor may see, or make it."""
    normalized = search_index.normal_name(name)[:200]
    advisory_lock(actor.organization_id, "company", normalized)  # two at once would make it twice
    same = Company.objects.visible_to(actor).alive().filter(name_normalized=normalized)
    found: list[Company] = share_rows(same.order_by("created_at", "id")[:1])
    if found:
        return found[0]
    actor.require("companies:create")
    return create_company(actor, name=name)


def owner_names(actor: Actor, changes: change_text.Changes) -> dict[str, tuple[str, str]]:
    """Return the names of the owners that a change of owner speaks of."""
    if "owner_id" not in changes:
        return {}
    change = changes["owner_id"]
    people = {str(user.pk): str(user) for user in User.objects.of(actor).filter(pk__in=filter(None, change.values()))}
    return {"owner_id": (people.get(change["from"] or "", ""), people.get(change["to"] or "", ""))}


def _revenue(actor: Actor, changes: change_text.Changes) -> dict[str, tuple[str, str]]:
    if "annual_revenue" not in changes:
        return {}
    change = changes["annual_revenue"]
    before, after = (
        "" if minor is None else money.text(minor, actor.currency) for minor in (change["from"], change["to"])
    )
    return {"annual_revenue": (before, after)}


def _stored(actor: Actor, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields with money in minor units."""
    if fields.get("annual_revenue") is None:
        return fields
    return fields | {"annual_revenue": money.to_minor(fields["annual_revenue"], actor.currency, field="annual_revenue")}
