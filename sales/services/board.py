"""The board: all stages of a pipeline, each with what it holds. The deals to show are read by the API."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Count, QuerySet, Sum

from crm.core import db
from crm.core.actor import Actor
from crm.core.errors import NotFound
from sales.services.figures import OWN_ROWS, Total, scope_params


@dataclass(frozen=True, slots=True)
class Column:
    """A stage and the deals in it, all together."""

    id: str
    name: str
    position: int
    probability: int
    kind: str
    total: Total


@dataclass(frozen=True, slots=True)
class Board:
    """A pipeline and its stages in their order."""

    id: str
    name: str
    columns: list[Column]

    @property
    def total(self) -> Total:
        """Return what all stages hold together."""
        value: Counter[str] = Counter()
        for column in self.columns:
            value.update(column.total.value)
        return Total(sum(column.total.count for column in self.columns), dict(value))


def board_of(
    actor: Actor,
    pipeline_id: UUID | None = None,
    *,
    owner_id: UUID | None = None,
    status: str | None = None,
    among: QuerySet[Any] | None = None,
) -> Board:
    """Return a pipeline's board (the default pipeline's unless named), or raise `NotFound`.

    Sums are of the deals that the actor sees, of one owner or status where asked for: kept ones. `among` are deals
    narrowed by more than that, which are counted instead.
    """
    requested = {
        **scope_params(actor),
        "pipeline": pipeline_id,
        "owner": owner_id,
        "status": status,
        "kept": among is None,
    }
    rows = db.fetch(_BOARD, requested)
    if not rows:
        raise NotFound("Pipeline not found.")
    stages = {row[2]: row[3:7] for row in rows if row[2]}
    held = [(row[2], *row[7:]) for row in rows] if among is None else _counted(among, rows[0][0])
    totals = _totals(held)
    pipeline, name = rows[0][:2]
    return Board(
        pipeline,
        name,
        [
            Column(pk, stage, position, probability, kind, totals.get(pk, Total()))
            for pk, (stage, position, probability, kind) in stages.items()
        ],
    )


def _counted(deals: QuerySet[Any], pipeline_id: str) -> list[tuple[Any, ...]]:
    groups = deals.filter(pipeline_id=pipeline_id).order_by().values_list("stage_id", "currency")
    query = groups.annotate(n=Count("pk"), value=Sum("amount")).query
    # A search for nothing but signs finds nothing, which is no reason to raise.
    return db.fetch(*query.get_compiler(DEFAULT_DB_ALIAS, elide_empty=False).as_sql())


def _totals(held: Iterable[tuple[Any, ...]]) -> dict[str, Total]:
    """Return what rows of (stage, currency, count, value) say of each stage."""
    values: dict[str, dict[str, int]] = {}
    counts: Counter[str] = Counter()
    for stage, currency, count, amount in held:
        if count:
            counts[stage] += count
            values.setdefault(stage, {})[currency] = int(amount)
    return {stage: Total(counts[stage], found) for stage, found in values.items()}


_BOARD = f"""
SELECT pipeline.id, pipeline.name, stage.id, stage.name, stage.position, stage.probability, stage.kind,
       held.currency, held.n, held.amount
FROM sales_pipeline pipeline
LEFT JOIN sales_stage stage ON stage.organization_id = pipeline.organization_id AND stage.pipeline_id = pipeline.id
LEFT JOIN (
    SELECT stage_id, currency, sum(n)::bigint AS n, sum(amount) AS amount FROM sales_figure
    WHERE %(kept)s AND organization_id = %(organization)s AND kind = 'deals' AND {OWN_ROWS}
      AND (%(owner)s::uuid IS NULL OR owner_id = %(owner)s) AND (%(status)s::text IS NULL OR status = %(status)s)
    GROUP BY stage_id, currency
) AS held ON held.stage_id = stage.id
WHERE pipeline.organization_id = %(organization)s AND pipeline.deleted_at IS NULL
  AND CASE WHEN %(pipeline)s::uuid IS NULL THEN pipeline.is_default ELSE pipeline.id = %(pipeline)s END
ORDER BY stage.position, held.currency
"""  # noqa: S608 - constants
