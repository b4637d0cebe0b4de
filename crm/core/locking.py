"""The one door to locks. Order: rows of one table by primary key, tables from the parent to the child.

Keys never change, so the locks are those that let others refer to the row meanwhile.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar
from uuid import UUID

from django.db import OperationalError
from django.db.models import Model, QuerySet
from psycopg import errors as pg

from crm.core import sql
from crm.core.errors import NotFound

Row = TypeVar("Row", bound=Model)
Result = TypeVar("Result")

ATTEMPTS = 3
BATCH = 200  # rows that are read, and then written by one statement
logger = logging.getLogger(__name__)


def lock_one(rows: QuerySet[Row], pk: UUID) -> Row:
    """Lock and return the row, or raise `NotFound`; the caller has narrowed the rows to what the actor may see."""
    row = rows.select_for_update(of=("self",), no_key=True).filter(pk=pk).first()
    if row is None:
        raise NotFound
    return row


def hold(rows: QuerySet[Row]) -> list[Row]:
    """Return the rows, which nobody changes until this transaction ends; others may hold them too."""
    text, params = rows.query.sql_with_params()
    return list(rows.model._base_manager.raw(f"{text} FOR SHARE", params))  # noqa: SLF001 - no filter but the caller's


def lock_many(rows: QuerySet[Row], pks: Iterable[UUID]) -> dict[UUID, Row]:
    """Lock the rows in the order of their keys, so that two callers never wait for each other in a circle."""
    locked = rows.select_for_update(of=("self",), no_key=True).filter(pk__in=set(pks)).order_by("pk")
    return {row.pk: row for row in locked}


def lock_in_batches(rows: QuerySet[Row]) -> Iterator[dict[UUID, Row]]:
    """Lock all of the rows in the order of their keys, and return them by their keys, some at a time.

    What is no longer one of the rows once its lock is had is left out.
    """
    pks = list(rows.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(pks), BATCH):
        yield lock_many(rows, pks[start : start + BATCH])


def take_turns(organization_id: UUID, matter: str, *names: str) -> None:
    """Wait until nobody else of the organization is at this matter under these names; held until the transaction ends.

    For what no row stands for yet, such as a name about to be taken. Names in an order that all callers share.
    """
    keys = [_turn(organization_id, matter, name) for name in names or ("",)]
    sql.fetch("SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(%s::text[]) AS name", [keys])


def is_free_turn(organization_id: UUID, matter: str, name: str) -> bool:
    """Take the turn as `take_turns` does where nobody has it; tell whether it was taken. Never waits."""
    key = _turn(organization_id, matter, name)
    ((taken,),) = sql.fetch("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [key])
    return bool(taken)


def _turn(organization_id: UUID, matter: str, name: str) -> str:
    return f"{organization_id} {matter} {name}"


def retrying(work: Callable[[], Result]) -> Result:
    """Do a whole transaction, which `work` opens, again when it was a deadlock's victim; at most twice.

    The order of locks leaves none that we know of: this is for those that we do not.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return work()
        except OperationalError as error:
            if not isinstance(error.__cause__, pg.DeadlockDetected | pg.SerializationFailure):
                raise
            logger.warning("Done again, as a deadlock's victim: %s", error)
    return work()
