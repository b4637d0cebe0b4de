"""Owner and company as a body names them: they must be there, in the organization, and within what the actor sees."""

from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS

from accounts.models import User
from contacts.models import Company
from crm.core.actor import Actor
from crm.core.db import CompiledQuery, share_rows
from crm.core.errors import Forbidden, Invalid


def owner_for(actor: Actor, fields: dict[str, Any], *, current: UUID | None) -> UUID | None:
    """Take `owner_id` out of the fields; giving a thing to another person takes the sight of all."""
    if "owner_id" not in fields:
        return current
    owner_id: UUID | None = fields.pop("owner_id")
    if owner_id == current:
        return owner_id
    if not actor.sees_all and owner_id != actor.user_id:
        raise Forbidden("Only those who see everybody's records may give one to another owner.")
    if owner_id is not None and not User.objects.of(actor).members().filter(pk=owner_id, is_active=True).exists():
        raise Invalid({"owner_id": "There is no such user."})
    return owner_id


def default_owner(actor: Actor, fields: dict[str, Any]) -> UUID | None:
    """Take `owner_id` out of the fields of something new: those who see only their own records own what they make."""
    if fields.get("owner_id") is None and not actor.sees_all:
        fields.pop("owner_id", None)
    return owner_for(actor, fields, current=actor.user_id)


def visible_company(actor: Actor, company_id: UUID) -> Company:
    """Return the company with this id, or raise `Invalid` where the actor sees none."""
    found = _VISIBLE_COMPANY.rows(actor, pk=company_id)
    if not found:
        raise Invalid({"company_id": "There is no such company."})
    # What else there is to a company is read where it is asked for.
    known = {"id": company_id, "organization_id": actor.organization_id, "name": found[0][0]}
    return Company.from_db(DEFAULT_DB_ALIAS, list(known), list(known.values()))


_VISIBLE_COMPANY = CompiledQuery(
    lambda actor, pk: Company.objects.visible_to(actor).alive().filter(pk=pk).values_list("name"), for_share=True
)


def held_company(actor: Actor, company_id: UUID | None) -> Company | None:
    """Return the company that a contact has already, whoever owns it; nobody renames it until the transaction ends."""
    held = share_rows(Company.objects.of(actor).filter(pk=company_id)) if company_id else []
    return held[0] if held else None
