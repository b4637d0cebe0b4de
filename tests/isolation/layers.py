"""Each wall, switched off for the length of a block, so that the others must hold alone.

Wall 1 is the code's own narrowing (`TenantQuerySet.of`), wall 2 row-level security, wall 3 the composite foreign keys.
The database is this worker's own; what is taken down is put up again however the block ends.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.db import connections

from crm.api import queries
from crm.core.db import TenantQuerySet
from crm.core.db.compiled import clear_cache
from tests.isolation import evidence


def _forget_questions() -> None:
    """What was compiled with a wall up, or down, must not be asked with it the other way."""
    queries.query_of.cache_clear()
    clear_cache()


@contextmanager
def first_off() -> Iterator[None]:
    """Queries begin with every organization's rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TenantQuerySet, "of", lambda self, actor: self.all())
        _forget_questions()
        try:
            yield
        finally:
            _forget_questions()


@contextmanager
def second_off() -> Iterator[None]:
    """The database shows every row to everybody."""
    names = list(evidence.tables())
    _run(*(f"ALTER TABLE {name} DISABLE ROW LEVEL SECURITY" for name in names))
    try:
        yield
    finally:
        _run(*(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY" for name in names))


@contextmanager
def third_off() -> Iterator[None]:
    """References may lead anywhere."""
    keys = composite_keys()
    assert keys, "There are no composite foreign keys to take down."
    _run(*(f"ALTER TABLE {table} DROP CONSTRAINT {name}" for table, name, _ in keys))
    try:
        yield
    finally:
        # NOT VALID: a row that slipped in must not keep the wall down; the tests look for such rows themselves.
        _run(*(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition} NOT VALID" for table, name, definition in keys))


@contextmanager
def off(*walls: int) -> Iterator[None]:
    """The numbered walls, all at once."""
    with ExitStack() as stack:
        for wall in walls:
            stack.enter_context((first_off, second_off, third_off)[wall - 1]())
        yield


def composite_keys() -> list[tuple[str, str, str]]:
    """Table, name and definition of every foreign key that holds a reference inside its organization."""
    return _all(
        """
        SELECT conrelid::regclass::text, conname::text, replace(pg_get_constraintdef(oid), ' NOT VALID', '')
        FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND cardinality(conkey) = 2
        ORDER BY 1, 2
        """
    )


def _run(*statements: str) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute("SET lock_timeout = '10s'")
        for statement in statements:
            cursor.execute(statement)


def _all(statement: str) -> list[Any]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()
