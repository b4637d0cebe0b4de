"""Row locks and advisory locks. Order: rows of one table by primary key, tables from the parent to the child.

Primary keys never change, so row locks are FOR NO KEY UPDATE, which lets others insert rows that refer to the row.
"""

import logging
from collections.abc import Iterable, Iterator
from typing import TypeVar
from uuid import UUID

from django.db import OperationalError
from django.db.models import Model, QuerySet
from psycopg import errors as pg

from crm.core.db.statements import fetch
from crm.core.errors import NotFound

Row = TypeVar("Row", bound=Model)

ATTEMPTS = 3
BATCH = 200  # rows that are read, and then written by one statement
logger = logging.getLogger(__name__)


def lock_row(rows: QuerySet[Row], pk: UUID) -> Row:
    """Lock and return the row, or raise `NotFound`; the caller has narrowed the rows to what the actor may see."""
    row = rows.select_for_update(of=("self",), no_key=True).filter(pk=pk).first()
    if row is None:
        raise NotFound
    return row


def share_rows(rows: QuerySet[Row]) -> list[Row]:
    """Return the rows under FOR SHARE: nobody changes them until this transaction ends; others may share them, too."""
    text, params = rows.query.sql_with_params()
    return list(rows.model._base_manager.raw(f"{text} FOR SHARE", params))  # noqa: SLF001 - no filter but the caller's


def lock_rows(rows: QuerySet[Row], pks: Iterable[UUID]) -> dict[UUID, Row]:
    """Lock the rows in the order of their keys, so that two transactions cannot deadlock; return them by key."""
    locked = rows.select_for_update(of=("self",), no_key=True).filter(pk__in=set(pks)).order_by("pk")
    return {row.pk: row for row in locked}


def lock_in_batches(rows: QuerySet[Row]) -> Iterator[dict[UUID, Row]]:
    """Lock all of the rows in the order of their keys, and yield them by key, `BATCH` at a time.

    Rows that no longer match once their lock is taken are left out.
    """
    pks = list(rows.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(pks), BATCH):
        yield lock_rows(rows, pks[start : start + BATCH])


def advisory_lock(organization_id: UUID, subject: str, *names: str) -> None:
    """Take the organization's advisory lock on a subject and names, until the transaction ends.

    For what has no row to lock yet, such as a name about to be taken. All callers give the names in the same order.
    """
    keys = [_lock_name(organization_id, subject, name) for name in names or ("",)]
    fetch("SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(%s::text[]) AS name", [keys])


def try_advisory_lock(organization_id: UUID, subject: str, name: str) -> bool:
    """Take the same lock without waiting; return False where another transaction has it."""
    key = _lock_name(organization_id, subject, name)
    ((taken,),) = fetch("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [key])
    return bool(taken)


def _lock_name(organization_id: UUID, subject: str, name: str) -> str:
    return f"{organization_id} {subject} {name}"


class Attempt:
    """One of the attempts at a transaction; as a context manager it keeps a deadlock's victim from raising."""

    def __init__(self, *, is_last: bool) -> None:
        self.is_last, self.is_victim = is_last, False

    def __enter__(self) -> None:
        self.is_victim = False

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        cause = error.__cause__ if isinstance(error, OperationalError) else None
        self.is_victim = isinstance(cause, pg.DeadlockDetected | pg.SerializationFailure) and not self.is_last
        if self.is_victim:
            logger.warning("Transaction repeated after a deadlock: %s", error)
        return self.is_victim


def deadlock_attempts() -> Iterator[Attempt]:
    """Yield attempts at a whole transaction, the next one where the last was a deadlock's victim; at most three.

        for attempt in deadlock_attempts():
            with attempt, tenant(organization_id):
                …

    The lock order leaves no deadlock that we know of; this is for those that we do not.
    """
    for number in range(1, ATTEMPTS + 1):
        attempt = Attempt(is_last=number == ATTEMPTS)
        yield attempt
        if not attempt.is_victim:
            return
