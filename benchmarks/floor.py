"""The floor: the least that gives the same answers. No framework, no isolation: one statement a request, JSON out.

A WSGI application in the product's web server, over one connection a thread. It checks the token's signature and
expiry, and nothing else; it runs as a superuser, whom row-level security does not hold. It exists to be compared with.
"""

import base64
import hashlib
import hmac
import os
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import orjson
import psycopg
from psycopg.adapt import Loader
from psycopg.types.string import TextLoader

from benchmarks import floor_sales, floor_shop
from crm.core import search
from crm.server.application import serving

SECRET = os.environ["FLOOR_SECRET"].encode()
URL = os.environ["FLOOR_DATABASE_URL"]
SIZE = 25
JSON_OPTIONS = orjson.OPT_UTC_Z

# What a contact shows, in the order of its keys; owner and company follow.
COLUMNS = {
    "id": "c.id",
    "firstName": "nullif(c.first_name, '')",
    "lastName": "nullif(c.last_name, '')",
    "fullName": "c.full_name",
    "email": "nullif(c.email, '')",
    "phone": "nullif(c.phone, '')",
    "jobTitle": "nullif(c.job_title, '')",
    "companyId": "c.company_id",
    "lifecycleStage": "c.lifecycle_stage",
    "leadStatus": "c.lead_status",
    "temperature": "nullif(c.temperature, '')",
    "source": "nullif(c.source, '')",
    "status": "c.status",
    "tags": "c.tags",
    "address": "c.address",
    "notes": "nullif(c.notes, '')",
    "customFields": "c.custom_fields",
    "doNotContact": "c.do_not_contact",
    "rating": "c.rating::float8",
    "avatar": "nullif(c.avatar, '')",
    "ownerId": "c.owner_id",
    "dedupeHash": "c.dedupe_hash",
    "lastContactedAt": "c.last_contacted_at",
    "createdAt": "c.created_at",
    "updatedAt": "c.updated_at",
}
KEYS = tuple(COLUMNS)
WIDTH = len(KEYS)
OWNER_ID, COMPANY_ID = KEYS.index("ownerId"), KEYS.index("companyId")
SHOWN = ", ".join(COLUMNS.values()) + ", u.full_name, f.name"
JOINED = "LEFT JOIN accounts_user u ON u.id = c.owner_id LEFT JOIN contacts_company f ON f.id = c.company_id"

KNOWN = "(SELECT sum(n)::int8 FROM core_rowcounter WHERE organization_id = $1 AND kind = 'contacts')"
COUNTED = "(SELECT count(*) FROM contacts_contact WHERE organization_id = $1 AND deleted_at IS NULL)"
PAGE = f"""
WITH page AS (
    SELECT id, created_at FROM contacts_contact
    WHERE organization_id = $1 AND deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT {SIZE} OFFSET $2
)
SELECT {SHOWN}, {{total}} FROM page JOIN contacts_contact c ON c.id = page.id {JOINED}
ORDER BY page.created_at DESC, page.id DESC
"""
LIST, LIST_COUNTED = PAGE.format(total=KNOWN), PAGE.format(total=COUNTED)
SEARCH = f"""
WITH page AS (
    SELECT id, created_at, count(*) OVER () AS total FROM contacts_contact
    WHERE search @@ $2::tsquery AND organization_id = $1 AND deleted_at IS NULL
    ORDER BY created_at DESC, id DESC LIMIT {SIZE}
)
SELECT {SHOWN}, page.total FROM page JOIN contacts_contact c ON c.id = page.id {JOINED}
ORDER BY page.created_at DESC, page.id DESC
"""
ONE = f"""
SELECT {SHOWN} FROM contacts_contact c {JOINED} WHERE c.id = $2 AND c.organization_id = $1 AND c.deleted_at IS NULL
"""
CREATE = f"""
WITH c AS (
    INSERT INTO contacts_contact (id, organization_id, owner_id, created_by_id, company_id, first_name, last_name,
        full_name, name_normalized, email, email_normalized, phone, job_title, source, notes, tags, custom_fields,
        dedupe_hash, search, created_at, updated_at, lifecycle_stage, lead_status, temperature, status, do_not_contact,
        avatar)
    VALUES ($2, $1, $3, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, array_to_tsvector($18),
        now(), now(), 'lead', 'new', '', 'active', false, '')
    RETURNING *
), e AS (
    INSERT INTO core_event (id, organization_id, name, kind, actor_id, subject_type, subject_id, subject_label,
        contact_id, company_id, title, content, changes, metadata, occurred_at, recorded_at)
    VALUES ($19, $1, 'contact.created', 'update', $3, 'contact', $2, $20, $2, $4, $21, '', '{{}}', '{{}}', now(), now())
)
SELECT {SHOWN}, ARRAY(
    SELECT id FROM contacts_contact d WHERE d.organization_id = $1 AND d.dedupe_hash = $17 AND d.deleted_at IS NULL
    ORDER BY created_at, id LIMIT 20
) FROM c {JOINED}
"""
# The company's name is among the words of a contact; the floor knows it by id, as nothing here renames one.
COMPANY_NAMES = "SELECT name FROM contacts_company WHERE id = $1"

Start = Callable[[str, list[tuple[str, str]]], Any]


class _JsonLoader(Loader):
    def load(self, data: Any) -> orjson.Fragment:
        return orjson.Fragment(bytes(data))


class Database(threading.local):
    """The connection of each thread."""

    cursor: psycopg.RawCursor[Any] | None = None

    def fetch(self, statement: str, params: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """Run a statement, prepared and planned once, and return its rows."""
        cursor = self.cursor
        if cursor is None:
            connection = psycopg.connect(URL, autocommit=True, options="-c plan_cache_mode=force_generic_plan")
            cursor = self.cursor = psycopg.RawCursor(connection)
            cursor.adapters.register_loader("uuid", TextLoader)
            for name in ("json", "jsonb"):
                cursor.adapters.register_loader(name, _JsonLoader)
        cursor.execute(statement, params, prepare=bool(params))
        return cursor.fetchall() if cursor.description else []


database = Database()
companies: dict[str | None, str] = {None: ""}


def claims(header: str) -> Any:
    """Return what the token says; a bad or expired one is an error."""
    signed, _, signature = header[7:].rpartition(".")
    wanted = base64.urlsafe_b64encode(hmac.digest(SECRET, signed.encode(), "sha256")).rstrip(b"=")
    if not hmac.compare_digest(wanted, signature.encode()):
        raise PermissionError
    payload = signed.partition(".")[2]
    said = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    if said["exp"] <= time.time():
        raise PermissionError
    return said


def shown(row: tuple[Any, ...]) -> dict[str, Any]:
    """Return a row as the answer shows it."""
    made = dict(zip(KEYS, row, strict=False))
    owner, company = row[OWNER_ID], row[COMPANY_ID]
    made["owner"] = {"id": owner, "fullName": row[WIDTH]} if owner else None
    made["company"] = {"id": company, "name": row[WIDTH + 1]} if company else None
    return made


def page(rows: list[tuple[Any, ...]], number: int) -> Any:
    """Return a page as the answer shows it."""
    total = rows[0][-1] if rows else 0
    pagination = {"page": number, "pageSize": SIZE, "total": total, "totalPages": -(-total // SIZE)}
    return {"contacts": [shown(row) for row in rows], "meta": {"pagination": pagination}}


def listed(organization: str, query: str) -> Any:
    """Answer a list or a search."""
    if not query:
        return page(database.fetch(LIST, (organization, 0)), 1)
    asked = dict(parse_qsl(query))
    if "search" in asked:
        mark = organization.replace("-", "")[-8:]
        words = " & ".join(f"'{mark}{word}':*" for word in asked["search"].lower().split())
        return page(database.fetch(SEARCH, (organization, words)), 1)
    number = int(asked.get("page", "1"))
    statement = LIST_COUNTED if "count" in asked else LIST
    return page(database.fetch(statement, (organization, (number - 1) * SIZE)), number)


def uuid7() -> UUID:
    """Return a new id."""
    return UUID(
        int=time.time_ns() // 1_000_000 << 80 | 0x7 << 76 | 0b10 << 62 | int.from_bytes(os.urandom(8), "big") >> 2
    )


def created(said: Any, body: bytes) -> Any:
    """Insert a contact and its event, and return the contact."""
    given = orjson.loads(body)
    organization, user = said["org"], said["sub"]
    company = given["companyId"]
    if company not in companies:
        companies[company] = database.fetch(COMPANY_NAMES, (company,))[0][0]
    first, last, email, phone = given["firstName"], given["lastName"], given["email"], given["phone"]
    name = f"{first} {last}"
    normalized = email.lower()
    # How a text falls into words is a fact of the data, not of the server that writes it.
    found = search.lexemes(organization, name, email, phone, companies[company])
    key = uuid7()
    digest = hashlib.sha256(b"email:" + normalized.encode()).hexdigest()
    row = database.fetch(
        CREATE,
        (
            *(
                organization,
                key,
                user,
                company,
                first,
                last,
                name,
                " ".join(search.words(name)),
                email,
                normalized,
                phone,
            ),
            *(given["jobTitle"], given["source"], given["notes"], given["tags"]),
            orjson.dumps(given["customFields"]).decode(),
            *(digest, found, uuid7(), name, f"Contact {name} created"),
        ),
    )[0]
    made = shown(row)
    if row[-1]:
        made["duplicateOf"] = row[-1]
    return made


def application(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    """Answer a request."""
    path: str = environ["PATH_INFO"]
    status = "200 OK"
    if "/catalog/" in path:
        return answered(status, floor_shop.shown(database.fetch, path), start_response)
    said = claims(environ["HTTP_AUTHORIZATION"])
    if path.endswith("/cart/items"):
        return answered(status, floor_shop.added(database.fetch, said, body_of(environ), uuid7), start_response)
    if path.endswith("/orders"):
        order = floor_shop.ordered(database.fetch, said, body_of(environ), uuid7)
        return answered("201 Created", order, start_response)
    if environ["REQUEST_METHOD"] == "POST":
        data, status = created(said, body_of(environ)), "201 Created"
    elif path == "/api/contacts":
        data = listed(said["org"], environ["QUERY_STRING"])
    elif path in floor_sales.ANSWERS:
        data = floor_sales.ANSWERS[path](database.fetch, said["org"], dict(parse_qsl(environ["QUERY_STRING"])))
    else:
        data = shown(database.fetch(ONE, (said["org"], path[14:]))[0])
    answer = data if path.startswith("/api/v1/") else {"success": True, "data": data}
    return answered(status, answer, start_response)


def body_of(environ: dict[str, Any]) -> bytes:
    """Return the request's body."""
    body: bytes = environ["wsgi.input"].read()
    return body


def answered(status: str, answer: Any, start_response: Start) -> Iterable[bytes]:
    """Write an answer."""
    body = orjson.dumps(answer, option=JSON_OPTIONS)
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


served = serving(application)
