"""Whom the later chapters do business with."""

from uuid import UUID

from contacts.models import Company, Contact, Status

COLUMNS = ("id", "organization_id", "first_name", "last_name", "full_name", "phone", "owner_id", "user_id")


def customers_of(organization_id: UUID) -> list[Contact]:
    """Return the active contacts, each with the company, in the order in which they were made."""
    rows = Contact.objects.of(organization_id).alive().filter(status=Status.ACTIVE).order_by("created_at", "id")
    contacts = list(rows.only(*COLUMNS, "company_id", "last_contacted_at", "created_at"))
    companies = {row.pk: row for row in Company.objects.of(organization_id).only("id", "organization_id", "name")}
    for contact in contacts:
        contact.company = companies.get(contact.company_id)
    return contacts
