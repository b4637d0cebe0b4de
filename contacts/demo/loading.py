"""Writes invented companies and contacts in bulk; derived columns and events are as the services would make them."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from accounts.models import User, normalize_email
from contacts.demo.copying import Row, ahead, batches, id_at, insert
from contacts.demo.invention import InventedCompany, InventedContact, Invention
from contacts.demo.telling import Chronicle, Subject
from contacts.models import Company, Contact
from contacts.services import change_text, search_index
from contacts.services.timeline import ENTRIES, IN_TOUCH
from crm.core import search
from crm.core.db import tenant
from crm.core.models import Event, TimelineKind

BATCH = 2000  # contacts of one transaction, well within the statements' deadline also on a slow machine


class Loader:
    """Loads an invention into an organization, whose work `owners` share."""

    def __init__(self, organization_id: UUID, owners: Sequence[User], invention: Invention) -> None:
        self.organization_id, self.invention = organization_id, invention
        self.organization, self.owners = organization_id.hex, [owner.pk.hex for owner in owners]
        self.chronicle = Chronicle(self.organization)
        # Names come again and again, what is made of them is made once.
        self.words_of = cache(lambda text: tuple(search.lexemes(organization_id, text)))
        self.company_ids = [id_at(company.created_at) for company in invention.companies]

    def load(self, *, telling: int, progress: Callable[[int], None]) -> None:
        """Write everything, a batch a transaction; `progress` hears how many contacts are there."""
        for places in batches(range(len(self.company_ids)), BATCH):
            with tenant(self.organization_id):
                insert(Company, [self._company(at) for at in places])
                insert(Event, [self._company_created(at) for at in places])
        loaded = 0
        for contacts, events in ahead(self._batches(telling)):
            with tenant(self.organization_id):
                insert(Contact, contacts)
                insert(Event, events)
            loaded += len(contacts)
            progress(loaded)

    def _batches(self, telling: int) -> Iterator[tuple[list[Row], list[Row]]]:
        for batch in batches(self.invention.contacts(telling=telling), BATCH):
            made = [(contact, id_at(contact.created_at)) for contact in batch]
            yield [self._contact(*one) for one in made], [event for one in made for event in self._events(*one)]

    def _company(self, at: int) -> Row:
        company: InventedCompany = self.invention.companies[at]
        created_at, owner_id = company.created_at.isoformat(), self._owner(company.owner)
        website = f"https://{company.domain}"
        return {
            "id": self.company_ids[at],
            "organization_id": self.organization,
            "owner_id": owner_id,
            "created_by_id": owner_id,
            "name": company.name,
            "name_normalized": search_index.normal_name(company.name)[:200],
            "website": website,
            "phone": company.phone,
            "address": company.address,
            "country": company.culture.country,
            "industry": company.industry,
            "tier": company.tier,
            "lifecycle_stage": company.lifecycle_stage,
            "employee_count": str(company.employee_count),
            "annual_revenue": str(company.annual_revenue),
            "tags": ",".join(company.tags),
            "search": self._lexemes(unique=(company.name, company.phone, website)),
            "created_at": created_at,
            "updated_at": created_at,
        }

    def _contact(self, contact: InventedContact, pk: str) -> Row:
        name = full_name(contact)
        company_name = self.invention.companies[contact.company].name if contact.company is not None else ""
        touched = [entry.at for entry in contact.entries if entry.kind in IN_TOUCH]
        changed = [contact.created_at, *(entry.at for entry in contact.entries if entry.changes)]
        owner_id = self._owner(contact.owner)
        return {
            "id": pk,
            "organization_id": self.organization,
            "owner_id": owner_id,
            "created_by_id": owner_id,
            "first_name": contact.first_name,
            "last_name": contact.last_name,
            "full_name": name,
            "name_normalized": normal_name(name)[:201],
            "email": contact.email,
            "email_normalized": normalize_email(contact.email),
            "phone": contact.phone,
            "job_title": contact.job_title,
            "company_id": self._company_id(contact),
            "address": contact.address,
            "lifecycle_stage": contact.lifecycle_stage,
            "lead_status": contact.lead_status,
            "temperature": contact.temperature,
            "source": contact.source,
            "status": contact.status,
            "tags": ",".join(contact.tags),
            "notes": contact.notes,
            "rating": contact.rating,
            "do_not_contact": str(contact.do_not_contact),
            "custom_fields": "{}",
            "avatar": "",
            "dedupe_hash": search_index.dedupe_hash(name, contact.email, contact.phone),
            "search": self._lexemes(
                contact.first_name, contact.last_name, company_name, unique=(contact.email, contact.phone)
            ),
            "last_contacted_at": max(touched).isoformat() if touched else None,
            "created_at": contact.created_at.isoformat(),
            "updated_at": max(changed).isoformat(),
            "deleted_at": contact.deleted_at.isoformat() if contact.deleted_at else None,
        }

    def _company_created(self, at: int) -> Row:
        company, pk = self.invention.companies[at], self.company_ids[at]
        return self.chronicle.event(
            "company.created",
            Subject("company", pk, company.name),
            company.created_at,
            title=f"Company {company.name} created",
            company_id=pk,
            actor_id=self._owner(company.owner),
        )

    def _events(self, contact: InventedContact, pk: str) -> Iterator[Row]:
        label, actor_id = full_name(contact), self._owner(contact.owner)
        company_id = self._company_id(contact)

        def event(name: str, at: datetime, title: str, **details: Any) -> Row:
            about: dict[str, Any] = {"contact_id": pk, "company_id": company_id, "actor_id": actor_id}
            return self.chronicle.event(name, Subject("contact", pk, label), at, title=title, **about, **details)

        yield event("contact.created", contact.created_at, f"Contact {label} created")
        for entry in contact.entries:
            name, title = ENTRIES.get(TimelineKind(entry.kind), ("contact.updated", f"Contact {label} updated"))
            content = entry.content or change_text.sentences(entry.changes, {})
            yield event(name, entry.at, title, kind=entry.kind, content=content, changes=entry.changes)
        if contact.deleted_at:
            yield event("contact.deleted", contact.deleted_at, f"Contact {label} deleted")

    def _company_id(self, contact: InventedContact) -> str | None:
        return None if contact.company is None else self.company_ids[contact.company]

    def _owner(self, position: int) -> str:
        return self.owners[position % len(self.owners)]

    def _lexemes(self, *names: str, unique: Sequence[str]) -> str:
        repeated = (word for name in names for word in self.words_of(name))
        return " ".join({*repeated, *search.lexemes(self.organization_id, *unique)})


def full_name(contact: InventedContact) -> str:
    """Return first and last name in one."""
    return f"{contact.first_name} {contact.last_name}".strip()


normal_name = cache(search_index.normal_name)
