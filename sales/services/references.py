"""Contact and company as a body of sales names them: there, in the organization, and within what the actor sees."""

from uuid import UUID

from django.db import DEFAULT_DB_ALIAS

from contacts.models import Company, Contact
from crm.core.actor import Actor
from crm.core.db import CompiledQuery, share_rows
from crm.core.errors import Invalid


def visible_contact(actor: Actor, contact_id: UUID) -> Contact:
    """Return the contact with this id, held under its name, or raise `Invalid` where the actor sees none."""
    found = _VISIBLE_CONTACT.rows(actor, pk=contact_id)
    if not found:
        raise Invalid({"contact_id": "There is no such contact."})
    full_name, email, company_id = found[0]
    # What else there is to a contact is read where it is asked for.
    known = {
        "id": contact_id,
        "organization_id": actor.organization_id,
        "full_name": full_name,
        "email": email,
        "company_id": company_id and UUID(company_id),
    }
    return Contact.from_db(DEFAULT_DB_ALIAS, list(known), list(known.values()))


def company_of(actor: Actor, contact_id: UUID | None) -> Company | None:
    """Return the company that a contact has now, whoever owns it, held under its name: to be asked for before it."""
    if contact_id is None:
        return None
    whose = Contact.objects.of(actor).filter(pk=contact_id).values("company_id")
    return next(iter(share_rows(Company.objects.of(actor).filter(pk__in=whose))), None)


_VISIBLE_CONTACT = CompiledQuery(
    lambda actor, pk: (
        Contact.objects.visible_to(actor).alive().filter(pk=pk).values_list("full_name", "email", "company_id")
    ),
    for_share=True,
)
