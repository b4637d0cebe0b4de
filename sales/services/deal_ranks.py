"""Where in a stage a deal stands: sparse ranks, chosen while the stage's lock is held.

The position that clients see is how many deals that they see come before; it has no gaps by construction.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from crm.core import db
from crm.core.actor import Actor
from crm.core.db import lock_rows
from sales.models import Deal, Stage

GAP = 2**30  # between neighbours at first: thirty deals fit one after another between the same two
LAST = 2**31 - 1  # a position that no stage reaches

_NEIGHBOURS = """
WITH others AS NOT MATERIALIZED (
    SELECT rank, owner_id FROM sales_deal
    WHERE organization_id = %s AND stage_id = %s AND deleted_at IS NULL AND id <> %s
), following AS (
    SELECT rank FROM others WHERE %s OR owner_id = %s ORDER BY rank LIMIT %s OFFSET %s
)
SELECT (SELECT max(rank) FROM others WHERE rank < COALESCE((SELECT rank FROM following), 9223372036854775807)),
       (SELECT rank FROM following),
       (SELECT name FROM sales_pipeline WHERE organization_id = %s AND id = %s AND deleted_at IS NULL)
"""
_POSITION = """
SELECT count(*) FROM sales_deal AS this
JOIN sales_deal AS other ON other.organization_id = this.organization_id AND other.stage_id = this.stage_id
                        AND other.deleted_at IS NULL AND other.rank < this.rank
WHERE this.organization_id = %s AND this.id = %s AND (%s OR other.owner_id = %s)
"""
_SPREAD = """
UPDATE sales_deal SET rank = spread.rank
FROM (SELECT id, %s + row_number() OVER (ORDER BY rank) * %s AS rank FROM sales_deal
      WHERE organization_id = %s AND stage_id = %s AND deleted_at IS NULL) AS spread
WHERE organization_id = %s AND sales_deal.id = spread.id
"""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a locked stage: a free rank, and the ranks that it lies between (None: at an end).

    `position` is what was asked for; None is the end.
    """

    stage: Stage
    pipeline_name: str
    rank: int
    position: int | None
    before: int | None
    after: int | None

    def holds(self, rank: int) -> bool:
        """Tell whether a deal of this rank stands there already."""
        return (self.before is None or self.before < rank) and (self.after is None or rank < self.after)


def claim(
    actor: Actor, stages: QuerySet[Stage], *, position: int | None = None, deal_id: UUID | None = None
) -> Slot | None:
    """Lock the first of the stages and return the place at a position in it, for the deal of this id or a new one.

    Positions count the deals that the actor sees. The lock comes before that of any deal. None where there is no such
    stage, or its pipeline is deleted.
    """
    stage = _lock_first(stages)
    if stage is None:
        return None
    place = _free(actor, stage, position, deal_id)
    if place is not None and place.after is not None and place.rank == place.before:
        _spread(actor, stage, deal_id)
        place = _free(actor, stage, position, deal_id)
    return place


def position_of(actor: Actor, deal_id: UUID) -> int:
    """Return how many of the deals that the actor sees come before this one in its stage."""
    return int(db.fetch(_POSITION, (actor.organization_id, deal_id, actor.sees_all, actor.user_id))[0][0])


def _lock_first(stages: QuerySet[Stage]) -> Stage | None:
    return stages.select_for_update(of=("self",), no_key=True).first()


def _free(actor: Actor, stage: Stage, position: int | None, deal_id: UUID | None) -> Slot | None:
    """Return the place, whose rank is that of a neighbour where there is no room; None where the pipeline is gone."""
    is_last = position is None or position >= LAST
    found = db.fetch(
        _NEIGHBOURS,
        (
            actor.organization_id,
            stage.pk,
            deal_id or UUID(int=0),
            actor.sees_all,
            actor.user_id,
            0 if is_last else 1,
            0 if is_last else position,
            actor.organization_id,
            stage.pipeline_id,
        ),
    )
    before, after, pipeline_name = found[0]
    if pipeline_name is None:
        return None
    if before is None:
        rank = 0 if after is None else after - GAP
    else:
        rank = before + GAP if after is None else (before + after) // 2
    return Slot(stage, pipeline_name, rank, position, before, after)


def _spread(actor: Actor, stage: Stage, deal_id: UUID | None) -> None:
    """Give the stage's deals new ranks far apart, on the other side of zero so that none meets an old one.

    The deal that is to move is locked with them, in the order of keys.
    """
    living = Deal.objects.of(actor).alive().filter(stage=stage)
    locked = lock_rows(Deal.objects.of(actor), [*living.values_list("pk", flat=True), *filter(None, [deal_id])])
    ranks = [deal.rank for deal in locked.values() if deal.stage_id == stage.pk and deal.deleted_at is None]
    if not ranks:  # all of them left while their locks were waited for
        return
    start = min(ranks) - (len(ranks) + 1) * GAP if max(ranks) > 0 else max(ranks)
    mine = actor.organization_id
    with connection.cursor() as cursor:
        cursor.execute(_SPREAD, [start, GAP, mine, stage.pk, mine])
