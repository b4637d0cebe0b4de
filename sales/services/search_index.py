"""What deals are found by: the words of the title and of the names of contact and company.

A renamed contact or company refreshes its deals in the same transaction (`settings.SUBSCRIBERS`).
"""

from uuid import UUID

from contacts.models import Company, Contact
from crm.core import search
from crm.core.actor import Actor
from crm.core.db import lock_in_batches
from sales.models import Deal


def refresh(deal: Deal, contact: Contact | None, company: Company | None) -> None:
    """Set the search column."""
    deal.search = search.vector(deal.organization_id, *_texts(deal, contact, company))


def reindex(actor: Actor, **party: UUID) -> None:
    """Let the deals of a contact (`contact_id`) or a company (`company_id`) be found under its name as it now is."""
    for deals in lock_in_batches(Deal.objects.of(actor).filter(**party)):
        contacts, companies = _names(actor, deals)
        found_by = {
            pk: _texts(deal, contacts.get(deal.contact_id), companies.get(deal.company_id))
            for pk, deal in deals.items()
        }
        search.rewrite(Deal, actor.organization_id, found_by)


def _texts(deal: Deal, contact: Contact | None, company: Company | None) -> tuple[str, ...]:
    """Return what the words of a deal's search are made of."""
    return deal.title, str(contact or ""), company.name if company else ""


def _names(actor: Actor, deals: dict[UUID, Deal]) -> tuple[dict[UUID | None, Contact], dict[UUID | None, Company]]:
    contacts = Contact.objects.of(actor).filter(pk__in={deal.contact_id for deal in deals.values()} - {None})
    companies = Company.objects.of(actor).filter(pk__in={deal.company_id for deal in deals.values()} - {None})
    return {contact.pk: contact for contact in contacts}, {company.pk: company for company in companies}
