"""What companies and contacts are found and compared by: search words, dedupe hash, normalised columns."""

import hashlib
from uuid import UUID

from accounts.models import normalize_email
from contacts.models import Company, Contact
from crm.core import search, subscribers
from crm.core.actor import Actor
from crm.core.db import lock_in_batches

DERIVED = ("full_name", "name_normalized", "email_normalized", "dedupe_hash", "search")
NAMES = frozenset({"first_name", "last_name", "email"})
SOURCES = frozenset({"first_name", "last_name", "email", "phone", "company_id"})


def normal_name(name: str) -> str:
    """Return the form in which names are compared and sorted: words without case and accents, else the text itself."""
    return " ".join(search.words(name)) or " ".join(name.casefold().split())


def refresh(contact: Contact, company: Company | None) -> None:
    """Set every derived column of a contact from its names, address, phone and company."""
    contact.full_name = f"{contact.first_name} {contact.last_name}".strip()
    contact.name_normalized = normal_name(contact.full_name)[:201]
    contact.email_normalized = normalize_email(contact.email)
    contact.dedupe_hash = dedupe_hash(contact.full_name, contact.email, contact.phone)
    contact.search = search.vector(contact.organization_id, *_texts(contact, company))


def refresh_company(company: Company) -> None:
    """Set every derived column of a company."""
    company.name_normalized = normal_name(company.name)[:200]
    company.search = search.vector(company.organization_id, company.name, company.phone, company.website)


def dedupe_hash(full_name: str, email: str, phone: str) -> str:
    """Return the SHA-256 of the normalised e-mail address, else of name and the digits of the phone."""
    if email:
        identity = f"email:{normalize_email(email)}"
    else:
        digits = "".join(filter(str.isdigit, phone))
        identity = f"name:{normal_name(full_name)}|phone:{digits}"
    return hashlib.sha256(identity.encode()).hexdigest()


def rename_company(company: Company) -> None:
    """Let the company's contacts, deleted ones too, be found under its new name."""
    contacts = Contact.objects.of(company.organization_id).filter(company=company)
    for batch in lock_in_batches(contacts):  # others may give a contact another company meanwhile
        search.rewrite(Contact, company.organization_id, {pk: _texts(one, company) for pk, one in batch.items()})


def _texts(contact: Contact, company: Company | None) -> tuple[str, ...]:
    """Return what the words of a contact's search are made of."""
    return contact.full_name, contact.email, contact.phone, company.name if company else ""


def renamed(actor: Actor, **party: UUID) -> None:
    """Tell what is found by the name of a contact (`contact_id`) or company (`company_id`) that it is another now."""
    subscribers.call("rename_party", actor, **party)
