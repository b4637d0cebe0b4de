"""Writes invented companies and contacts in bulk, with every derived column and event as the services would make them.

Rows travel by COPY into a temporary table, as text, and from there through row-level security into the real one.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection

from accounts.models import User, normalize_email
from contacts.demo.invention import Entry, InventedCompany, InventedContact, Invention
from contacts.services import indexing, wording
from contacts.services.timeline import ENTRIES, IN_TOUCH
from crm.core import search
from crm.core.models import TimelineKind
from crm.core.tenancy import tenant

UPDATE = TimelineKind.UPDATE.value
BATCH = 2000  # contacts of one transaction, well within the statements' deadline also on a slow machine
Row = Mapping[str, str | None]
Batch = TypeVar("Batch")

UUIDS = ("id", "organization_id", "owner_id", "created_by_id", "company_id", "actor_id", "subject_id", "contact_id")
TIMES = ("created_at", "updated_at", "deleted_at", "last_contacted_at", "occurred_at", "recorded_at")
SQL = (
    dict.fromkeys(UUIDS, "{}::uuid")
    | dict.fromkeys(TIMES, "{}::timestamptz")
    | dict.fromkeys(("address", "custom_fields", "changes", "metadata"), "{}::jsonb")
    | dict.fromkeys(("employee_count", "annual_revenue"), "{}::bigint")
    | {
        "tags": "string_to_array({}, ',')",
        "search": "array_to_tsvector(string_to_array({}, ' '))",
        "rating": "{}::numeric",
        "do_not_contact": "{}::boolean",
    }
)


class Loader:
    """Loads an invention into an organization, whose work `owners` share."""

    def __init__(self, organization_id: UUID, owners: Sequence[User], invention: Invention) -> None:
        self.organization_id, self.invention = organization_id, invention
        self.organization, self.owners = organization_id.hex, [owner.pk.hex for owner in owners]
        # Names come again and again, what is made of them is made once.
        self.words_of = cache(lambda text: tuple(search.lexemes(organization_id, text)))
        self.company_ids = [id_at(company.created_at) for company in invention.companies]

    def load(self, *, telling: int, progress: Callable[[int], None]) -> None:
        """Write everything, a batch a transaction; `progress` hears how many contacts are there."""
        for first in range(0, len(self.company_ids), BATCH):
            places = range(first, min(first + BATCH, len(self.company_ids)))
            with tenant(self.organization_id):
                insert("contacts_company", [self._company(at) for at in places])
                insert("core_event", [self._company_created(at) for at in places])
        loaded = 0
        for contacts, events in ahead(self._batches(telling)):
            with tenant(self.organization_id):
                insert("contacts_contact", contacts)
                insert("core_event", events)
            loaded += len(contacts)
            progress(loaded)

    def _batches(self, telling: int) -> Iterator[tuple[list[Row], list[Row]]]:
        contacts = self.invention.contacts(telling=telling)
        while batch := list(islice(contacts, BATCH)):
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
            "name_normalized": indexing.normal_name(company.name)[:200],
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
            "dedupe_hash": indexing.dedupe_hash(name, contact.email, contact.phone),
            "search": self._lexemes(
                contact.first_name, contact.last_name, company_name, unique=(contact.email, contact.phone)
            ),
            "last_contacted_at": max(touched).isoformat() if touched else None,
            "created_at": contact.created_at.isoformat(),
            "updated_at": max(changed).isoformat(),
            "deleted_at": self.invention.today.isoformat() if contact.is_deleted else None,
        }

    def _company_created(self, at: int) -> Row:
        company, pk = self.invention.companies[at], self.company_ids[at]
        about = {"subject_type": "company", "subject_id": pk, "subject_label": company.name, "company_id": pk}
        return self._event(
            "company.created", f"Company {company.name} created", company.created_at, owner=company.owner, about=about
        )

    def _events(self, contact: InventedContact, pk: str) -> Iterator[Row]:
        label = full_name(contact)
        about = {
            "subject_type": "contact",
            "subject_id": pk,
            "subject_label": label,
            "contact_id": pk,
            "company_id": self._company_id(contact),
        }
        told: dict[str, Any] = {"owner": contact.owner, "about": about}
        yield self._event("contact.created", f"Contact {label} created", contact.created_at, **told)
        for entry in contact.entries:
            name, title = ENTRIES.get(TimelineKind(entry.kind), ("contact.updated", f"Contact {label} updated"))
            yield self._event(name, title, entry.at, **told, entry=entry)
        if contact.is_deleted:
            title = f"Contact {label} deleted"
            yield self._event("contact.deleted", title, self.invention.today, **told)

    def _event(
        self, name: str, title: str, at: datetime, *, owner: int, about: Row, entry: Entry | None = None
    ) -> dict[str, str | None]:
        changes = entry.changes if entry else {}
        content = entry.content if entry else ""
        return {
            "id": id_at(at),
            "organization_id": self.organization,
            "name": name,
            "kind": entry.kind if entry else UPDATE,
            "actor_id": self._owner(owner),
            **about,
            "title": title,
            "content": content or (wording.sentences(changes, {}) if changes else ""),
            "changes": json.dumps(changes) if changes else "{}",
            "metadata": "{}",
            "occurred_at": at.isoformat(),
            "recorded_at": at.isoformat(),
        }

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


normal_name = cache(indexing.normal_name)


def id_at(moment: datetime) -> str:
    """Return an id, in hexadecimal, as `crm.core.ids.uuid7` would have made it at that moment."""
    value = int(moment.timestamp() * 1000) << 80
    value |= int.from_bytes(os.urandom(10), "big")
    value &= ~(0xF << 76 | 0b11 << 62)
    return f"{value | 0x7 << 76 | 0b10 << 62:032x}"


def ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Yield the batches; while one is written, the next is made."""
    with ThreadPoolExecutor(1) as maker:
        coming = maker.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = maker.submit(next, batches, None)
            yield batch


def insert(table: str, rows: Iterable[Row]) -> None:
    """Insert rows, all of the same columns, given as text."""
    rows = list(rows)
    if not rows:
        return
    columns = list(rows[0])
    with connection.cursor() as cursor:
        typed = ", ".join(f"{column} text" for column in columns)
        cursor.execute(f"CREATE TEMPORARY TABLE loading ({typed}) ON COMMIT DROP")
        copied: Any = cursor.cursor  # psycopg's own, which can COPY
        with copied.copy(f"COPY loading ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row([row[column] for column in columns])
        values = ", ".join(SQL.get(column, "{}").format(column) for column in columns)
        cursor.execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM loading")  # noqa: S608 - names of our own
        cursor.execute("DROP TABLE loading")
