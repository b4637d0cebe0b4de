"""What is stored: a reading of every table that any write changes, past all policies."""

import os
from functools import cache

import psycopg
from django.db import connections

from tests.support.servers import ADMIN_URL

# Tables that may change though the request was refused, each with the reason; only where nobody is signed in.
KEPT_ON_PURPOSE = {
    "core_ratecounter": "attempts at secrets are counted, above all the failed ones",
    "core_event": "a failed sign-in is audited",
}


@cache
def _connection() -> psycopg.Connection[tuple[str, int, int]]:
    name = connections["default"].settings_dict["NAME"]
    return psycopg.connect(os.environ[ADMIN_URL], dbname=name, autocommit=True)


@cache
def _statement() -> str:
    found = _connection().execute(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY 1"
    )
    # A row's xmin is the transaction that wrote it: a change shows even where the count stays.
    parts = [f"SELECT '{table}', count(*), max(xmin::text::bigint) FROM {table}" for (table, *_) in found]  # noqa: S608 - the database's own names
    return " UNION ALL ".join(parts)


def reading() -> dict[str, tuple[int, int]]:
    """Rows and newest write by table."""
    return {table: (rows, newest) for table, rows, newest in _connection().execute(_statement())}


def changed(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]], *, signed_in: bool) -> list[str]:
    """The tables in which two readings differ, but for those that may."""
    spared = () if signed_in else KEPT_ON_PURPOSE
    return sorted(table for table in after if before.get(table) != after[table] and table not in spared)
