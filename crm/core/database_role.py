"""The role that the application connects as must be one that row-level security holds."""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

from crm.core.provision import OPERATOR

# Of the role that signed in: SET ROLE NONE leads back to it. Rights that a membership passes on count like its own.
_QUESTION = f"""
SELECT session_user, rolsuper, rolbypassrls,
       EXISTS (SELECT FROM pg_class WHERE relrowsecurity AND pg_has_role(session_user, relowner, 'USAGE')),
       EXISTS (SELECT FROM pg_roles o WHERE o.rolname = '{OPERATOR}' AND pg_has_role(session_user, o.oid, 'USAGE'))
FROM pg_roles WHERE rolname = session_user
"""  # noqa: S608 - a constant of this module
_WEAKNESSES = (
    "is a superuser",
    "has BYPASSRLS",
    "owns the tables, itself or as a member of their owner",
    f"has the rights of {OPERATOR} without asking for them (GRANT … WITH INHERIT)",
)
_ADVICE = (
    "Connect as crm_app, which `python -m crm.core.provision` makes; "
    "the owner's connection belongs into DATABASE_OWNER_URL."
)
_state: dict[str, bool] = {}


def weakness(connection: psycopg.Connection[Any]) -> str:
    """Return why row-level security does not hold the role of a connection, and what to do; empty where it does."""
    row = connection.execute(_QUESTION).fetchone()
    if row is None:
        return ""
    role, *facts = row
    found = [text for text, is_so in zip(_WEAKNESSES, facts, strict=True) if is_so]
    if not found:
        return ""
    return f"DATABASE_URL: the role {role} {found[0]}, so nothing would keep organizations apart. {_ADVICE}"


def refuse_unsafe(connection: psycopg.Connection[Any]) -> None:
    """In production, ask once in the life of a process; raise `ImproperlyConfigured` where policies do not hold."""
    if "checked" in _state or not settings.IS_PRODUCTION:
        return
    if found := weakness(connection):
        raise ImproperlyConfigured(found)
    _state["checked"] = True


def refuse_start() -> None:
    """Connect once, so that a process in production does not start with an unsafe role.

    Where the database is away the start goes on: the first connection that comes about is asked.
    """
    if not settings.IS_PRODUCTION:
        return
    try:
        connections[DEFAULT_DB_ALIAS].ensure_connection()
    except DatabaseError:
        return
    finally:
        connections[DEFAULT_DB_ALIAS].close()


@checks.register(checks.Tags.database)
def check_role(databases: Sequence[str] | None = None, **_: Any) -> list[checks.CheckMessage]:
    """Report the role under `manage.py check --database default`."""
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    try:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            found = weakness(cursor.connection)
    except ImproperlyConfigured as error:
        found = str(error)
    level = checks.Error if settings.IS_PRODUCTION else checks.Warning
    return [level(found, id="crm.E001")] if found else []
