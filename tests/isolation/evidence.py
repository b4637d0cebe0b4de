"""What a leak or a foreign write would leave behind, and how it is found: in answers, in rows, in mails."""

import re
from collections.abc import Collection, Iterable
from functools import cache
from typing import Any

from django.core import mail
from django.db import connections, models
from django.http import HttpResponse

from tests.isolation.factories import free_text, tenant_models
from tests.isolation.tenants import Tenant

UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
# Headers that differ from one moment to the next and say nothing about the object.
VOLATILE_HEADERS = frozenset({"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Date"})


@cache
def tables() -> dict[str, str]:
    """Every table that belongs to organizations, with the column that says to which; asked of the database itself."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            """
            SELECT c.relname, CASE WHEN c.relname = 'accounts_organization' THEN 'id' ELSE 'organization_id' END
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
              AND (c.relname = 'accounts_organization' OR EXISTS (
                SELECT FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped))
            ORDER BY 1
            """
        )
        return dict(cursor.fetchall())


def _ask(tenant: Tenant, select: str, where: str = "", params: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
    """Run `select` over each table's rows of the organization; `{table}` and `{column}` are filled in."""
    statements = [
        f"SELECT '{table}', {select} FROM {table} t WHERE t.{column} = '{tenant.id}' {where}"
        for table, column in tables().items()
    ]
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT set_config('app.organization_id', %s, false)", [str(tenant.id)])
        cursor.execute(" UNION ALL ".join(statements), list(params) * len(statements) or None)
        return cursor.fetchall()


def fingerprint(tenant: Tenant) -> dict[str, str]:
    """One hash a table over every row of the organization: equal means that nothing was added, changed or removed."""
    return dict(
        _ask(tenant, "count(*) || ' ' || coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '')")
    )


def changes(before: dict[str, str], after: dict[str, str], *, but: Collection[str] = ()) -> list[str]:
    """The tables in which two fingerprints differ."""
    return sorted(table for table in before if before[table] != after[table] and table not in but)


def ids(tenant: Tenant) -> frozenset[str]:
    """The key of every row of the organization."""
    return frozenset(str(pk) for _, pk in _ask(tenant, "t.id::text"))


def entangled(tenant: Tenant, other: Tenant) -> list[str]:
    """The tables in which rows of `tenant` name an id of `other` or hold its text."""
    foreign = ids(other)
    found = []
    for table, row in _ask(tenant, "lower(t::text)"):
        raw = row.encode()
        if other.mark.lower().encode() in raw or any(name.decode() in foreign for name in UUID.findall(raw)):
            found.append(table)
    return sorted(set(found))


def leaked(response: HttpResponse, other: Tenant, foreign: Collection[str], sent: Iterable[str] = ()) -> list[str]:
    """What an answer tells of the other organization: its texts and its ids, but for what the request itself named."""
    known = {word.lower() for word in sent}
    parts = {"body": response.content, "headers": str(dict(response.headers)).encode()}
    found = []
    for part, raw in parts.items():
        lowered = raw.lower()
        for word in known:
            lowered = lowered.replace(word.encode(), b"")
        at = lowered.find(other.mark.lower().encode())
        if at >= 0:
            found.append(f"{part}: …{lowered[max(0, at - 60) : at + 80].decode(errors='replace')}…")
        found += [f"{part}: id {name.decode()}" for name in UUID.findall(lowered) if name.decode() in foreign]
    return found


def mailed(other: Tenant) -> list[str]:
    """Mails that hold texts of the other organization."""
    marked = other.mark.lower()
    return [message.subject for message in getattr(mail, "outbox", []) if marked in str(message.message()).lower()]


def appearance(response: HttpResponse, *named: str) -> tuple[int, bytes, dict[str, str]]:
    """An answer as a client sees it, the ids it asked with taken out."""
    body = response.content
    for word in named:
        body = body.replace(word.encode(), b"*")
    headers = {name: value for name, value in response.headers.items() if name not in VOLATILE_HEADERS}
    return response.status_code, body, headers


def canary_columns(model: type[models.Model]) -> list[str]:
    """The columns of a model that must hold a canary."""
    return [
        field.column
        for field in model._meta.concrete_fields
        if isinstance(field, models.CharField | models.TextField) and not field.is_relation and free_text(field)
    ]


def spread_canaries(tenant: Tenant) -> None:
    """Write a canary into every text column of every row of the organization, whoever made the row."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT set_config('app.organization_id', %s, false)", [str(tenant.id)])
        for model in tenant_models():
            table = model._meta.db_table
            settings = [_canary(model, name, tenant) for name in canary_columns(model)]
            if settings:
                spared = " AND NOT is_built_in" if table == "accounts_role" else ""
                cursor.execute(
                    f"UPDATE {table} SET {', '.join(settings)} WHERE organization_id = %s{spared}", [tenant.id]
                )


def _canary(model: type[models.Model], column: str, tenant: Tenant) -> str:
    field = next(field for field in model._meta.concrete_fields if field.column == column)
    words = f"{tenant.mark}-{model._meta.db_table}-{column}"
    if isinstance(field, models.EmailField):
        return f"{column} = '{words.lower().replace('_', '-')}-' || right(id::text, 6) || '@example.com'"
    return f"{column} = left('{words}', {(field.max_length or 200) - 7}) || '-' || right(id::text, 6)"


def unmarked(tenant: Tenant) -> list[str]:
    """Text columns of the organization without a canary in any row."""
    found = []
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT set_config('app.organization_id', %s, false)", [str(tenant.id)])
        for model in tenant_models():
            for column in canary_columns(model):
                cursor.execute(
                    f"SELECT EXISTS (SELECT FROM {model._meta.db_table} WHERE organization_id = %s "
                    f"AND lower({column}) LIKE %s)",
                    [tenant.id, f"{tenant.mark.lower()}%"],
                )
                if not cursor.fetchone()[0]:
                    found.append(f"{model._meta.db_table}.{column}")
    return found
