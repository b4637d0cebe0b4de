"""Exact totals without counting: triggers write signed rows (`crm.core.rls.Tallied`), sums answer, beat folds."""

from datetime import UTC, datetime, time, timedelta

from django.db import connection
from django.db.models import Sum
from django.db.models.functions import Coalesce

from crm.core.actor import Actor
from crm.core.models import Tally
from crm.core.replay import Replayed
from crm.core.tenancy import operator


def total(actor: Actor, kind: str) -> int:
    """Return how many living rows of `kind` the actor may see."""
    rows = Tally.objects.filter(organization_id=actor.organization_id, kind=kind)
    if not actor.sees_all:
        rows = rows.filter(owner_id=actor.user_id)
    return int(rows.aggregate(n=Coalesce(Sum("n"), 0))["n"])


def month_reaching(actor: Actor, kind: str, offset: int) -> tuple[datetime, int] | None:
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


_MONTHS = Replayed(
    lambda actor, kind: (
        Tally.objects.filter(organization_id=actor.organization_id, kind=kind)
        .values_list("month")
        .annotate(rows=Sum("n"))
        .order_by("-month")
    )
)


def fold() -> None:
    """Replace the rows of each key that has several by their sum; readers see the old rows or the new, never both."""
    with operator("sweep"), connection.cursor() as cursor:
        cursor.execute(
            """
            WITH busy AS (
                SELECT organization_id, kind, owner_id, month FROM core_tally
                GROUP BY organization_id, kind, owner_id, month HAVING count(*) > 1
            ), gone AS (
                DELETE FROM core_tally USING busy
                WHERE core_tally.organization_id = busy.organization_id AND core_tally.kind = busy.kind
                  AND core_tally.owner_id IS NOT DISTINCT FROM busy.owner_id
                  AND core_tally.month IS NOT DISTINCT FROM busy.month
                RETURNING core_tally.organization_id, core_tally.kind, core_tally.owner_id, core_tally.month,
                          core_tally.n
            )
            INSERT INTO core_tally (organization_id, kind, owner_id, month, n)
            SELECT organization_id, kind, owner_id, month, sum(n) FROM gone
            GROUP BY organization_id, kind, owner_id, month HAVING sum(n) <> 0
            """
        )
