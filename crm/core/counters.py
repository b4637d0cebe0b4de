"""Exact totals without counting: triggers (`crm.core.db.operations`) write signed rows, sums answer, beat folds."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from django.apps import apps
from django.db import connection
from django.db.models import Sum
from django.db.models.functions import Coalesce

from crm.core.actor import Actor
from crm.core.db import CompiledQuery, operator, try_advisory_lock
from crm.core.models import RowCounter, SummaryRow

EVERYBODY = UUID(int=0)


def total(actor: Actor, kind: str) -> int:
    """Return how many living rows of `kind` the actor may see."""
    rows = RowCounter.objects.filter(organization_id=actor.organization_id, kind__in=counter_kinds(actor, kind))
    if not actor.sees_all:
        rows = rows.filter(owner_id=actor.user_id)
    return int(rows.aggregate(n=Coalesce(Sum("n"), 0))["n"])


def counter_kinds(actor: Actor, kind: str) -> list[str]:
    """Return the kinds whose sum is what the actor sees of `kind`.

    Where rows belong to their owner and to their maker too, `<kind> for others` counts by maker what another owns.
    """
    return [kind] if actor.sees_all else [kind, f"{kind} for others"]


def deep_page_start(actor: Actor, kind: str, offset: int) -> tuple[datetime, int] | None:
    """Return where a list of the newest first may begin to reach its row number `offset`, and how many rows it skips.

    That is the end of the month in which this row was created, and the number of rows created after it: a deep page
    then walks part of a month instead of all that came before. None where the list is not that long.
    """
    passed = 0
    for month, counted in _MONTHS.rows(actor, kind=f"{kind} by month"):
        rows = int(counted)
        if passed + rows > offset:
            following = (month.replace(day=1) + timedelta(days=32)).replace(day=1)
            return datetime.combine(following, time.min, tzinfo=UTC), passed
        passed += rows
    return None


_MONTHS = CompiledQuery(
    lambda actor, kind: (
        RowCounter.objects.filter(organization_id=actor.organization_id, kind=kind)
        .values_list("month")
        .annotate(rows=Sum("n"))
        .order_by("-month")
    )
)


def compact() -> None:
    """Replace the rows of each key that has several by their sum; readers see the old rows or the new, never both.

    Only what got new rows since the last time is looked at, so that organizations at rest cost nothing.
    """
    for model in apps.get_models():
        if issubclass(model, SummaryRow):
            with operator("sweep"), connection.cursor() as cursor:
                # Of two at once, each would leave a sum of its own.
                if try_advisory_lock(EVERYBODY, "fold", model.__name__):
                    cursor.execute(_folding(model))


def _folding(model: type[SummaryRow]) -> str:
    table = model._meta.db_table  # noqa: SLF001 - Django's documented model metadata
    columns = [field.attname for field in model._meta.concrete_fields]  # noqa: SLF001 - the same
    key = ", ".join(name for name in columns if name not in {"id", "is_compacted", *model.sums})
    totals = ", ".join(f"sum({name})" for name in model.sums)
    return f"""
        WITH touched AS (
            SELECT DISTINCT organization_id, kind FROM {table} WHERE NOT is_compacted
        ), uncompacted AS (
            SELECT unnest(array_agg(id)) AS id FROM {table} JOIN touched USING (organization_id, kind)
            GROUP BY {key} HAVING NOT bool_and(is_compacted)
        ), gone AS (
            DELETE FROM {table} USING uncompacted WHERE {table}.id = uncompacted.id RETURNING {table}.*
        )
        INSERT INTO {table} ({key}, {", ".join(model.sums)}, is_compacted)
        SELECT {key}, {totals}, true FROM gone GROUP BY {key}
        HAVING ({totals}) <> ({", ".join("0" for _ in model.sums)})
        """  # noqa: S608 - tables and columns of our own models
