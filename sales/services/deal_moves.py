"""Moves of deals between and within stages. Status, closing time and history follow from the stage.

Locks: the target stage, then the deal.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from crm.core import clock, events
from crm.core.actor import Actor
from crm.core.db import lock_row, lock_rows
from crm.core.errors import Invalid
from crm.core.models import Event, TimelineKind
from sales.models import Deal, DealStatus, Pipeline, Stage, StageKind
from sales.services import deal_ranks
from sales.services.deal_ranks import Slot

HISTORY = ("deal.created", "deal.moved")
DAY = 86400
NO_STAGE = "There is no such stage."
NOT_LOST = "Only what is lost has such a reason."


@dataclass(frozen=True, slots=True)
class StageVisit:
    """A deal's time in a stage, from when it came until it moves on."""

    stage: Stage
    began_at: datetime
    ended_at: datetime

    @property
    def seconds(self) -> int:
        """Return how long it was."""
        return max(0, int((self.ended_at - self.began_at).total_seconds()))


def move_deal(
    actor: Actor, deal: Deal, *, stage_id: UUID, position: int | None = None, note: str = "", lost_reason: str = ""
) -> Deal:
    """Put a deal into a stage, of its own pipeline or another, at a position (the end unless given).

    In the stage where it is, only its position changes, and without one nothing does.
    """
    place = claim(actor, deal, Stage.objects.of(actor).filter(pk=stage_id), position=position)
    deal = lock_living(actor, deal.pk)
    enter(actor, deal, place, note=note, lost_reason=lost_reason)
    return deal


def drag_deal(actor: Actor, pipeline: Pipeline, *, deal_id: UUID, stage_id: UUID, position: int | None = None) -> Deal:
    """Put a deal of a pipeline at a position (the end unless given) in one of the pipeline's stages."""
    deal = Deal.objects.visible_to(actor).alive().filter(pk=deal_id, pipeline=pipeline).first()
    stages = Stage.objects.of(actor).filter(pk=stage_id, pipeline=pipeline)
    if deal is None:
        faults = {"deal_id": "There is no such deal in this pipeline."}
        raise Invalid(faults if stages.exists() else faults | {"stage_id": NO_STAGE})
    place = claim(actor, deal, stages, position=deal_ranks.LAST if position is None else position)
    deal = lock_living(actor, deal.pk)
    enter(actor, deal, place)
    return deal


def claim(actor: Actor, deal: Deal, stages: QuerySet[Stage], *, position: int | None = None) -> Slot:
    """Claim a place for a deal in the one of the stages, or raise `Invalid`; the deal is locked after it."""
    place = deal_ranks.claim(actor, stages, position=position, deal_id=deal.pk)
    if place is None:
        raise Invalid({"stage_id": NO_STAGE})
    return place


def lock_living(actor: Actor, pk: UUID) -> Deal:
    """Lock and return a deal.

    By itself: a row that waits for its lock is looked at again, and joined to the stage that it has left it is gone.
    """
    rows: QuerySet[Deal] = Deal.objects.visible_to(actor).alive()
    return lock_row(rows, pk)


def enter(actor: Actor, deal: Deal, place: Slot, *, note: str = "", lost_reason: str = "") -> None:
    """Move a locked deal to its claimed place."""
    if deal.stage_id == place.stage.pk:
        _reorder(actor, deal, place)
        return
    if lost_reason and place.stage.kind != StageKind.LOST:
        raise Invalid({"lost_reason": NOT_LOST})
    stay = StageVisit(deal.stage, deal.stage_entered_at, clock.now())
    former_pipeline = deal.pipeline if deal.pipeline_id != place.stage.pipeline_id else None
    before = {"stage_id": deal.stage_id, "pipeline_id": deal.pipeline_id, "status": deal.status}
    apply_stage(deal, place, stay.ended_at, lost_reason=lost_reason)
    deal.stage_entered_at = stay.ended_at
    deal.save(
        update_fields=[
            "pipeline",
            "stage",
            "rank",
            "status",
            "closed_at",
            "lost_reason",
            "stage_entered_at",
            "updated_at",
        ]
    )
    details: dict[str, Any] = {"note": note, "lost_reason": lost_reason}
    if former_pipeline is not None:
        details["from_pipeline"] = named(former_pipeline.pk, former_pipeline.name)
        details["to_pipeline"] = named(deal.pipeline_id, place.pipeline_name)
    changes = {
        field: {"from": events.plain(value), "to": events.plain(getattr(deal, field))}
        for field, value in before.items()
        if getattr(deal, field) != value
    }
    _record(actor, deal, stay, changes=changes, details=details)


def apply_stage(deal: Deal, place: Slot, moment: datetime, *, lost_reason: str = "") -> None:
    """Let a deal that enters a place be what the stage makes of it: status, closing time, reason of a loss."""
    status = DealStatus(place.stage.kind)
    if status == DealStatus.OPEN:
        deal.closed_at = None
    elif status != deal.status or deal.closed_at is None:
        deal.closed_at = moment
    deal.lost_reason = (lost_reason or deal.lost_reason) if status == DealStatus.LOST else ""
    deal.status = status
    deal.stage, deal.pipeline_id, deal.rank = place.stage, place.stage.pipeline_id, place.rank


def carry_deleted(actor: Actor, former: Stage, neighbour: Stage) -> None:
    """Move the deleted deals of a stage that goes to another; restored, they become what that one makes of them."""
    deleted = Deal.objects.of(actor).filter(stage=former, deleted_at__isnull=False)
    for deal in lock_rows(deleted, deleted.values_list("pk", flat=True)).values():
        stay = StageVisit(former, deal.stage_entered_at, clock.now())
        deal.stage, deal.stage_entered_at = neighbour, stay.ended_at
        deal.save(update_fields=["stage", "stage_entered_at", "updated_at"])
        _record(
            actor,
            deal,
            stay,
            changes={"stage_id": {"from": str(former.pk), "to": str(neighbour.pk)}},
            details={"note": f"The stage {former} was removed.", "lost_reason": ""},
        )


def history_of(actor: Actor, deal: Deal) -> QuerySet[Event]:
    """Return the events that tell where a deal has been; its creation is the first."""
    return Event.objects.of(actor).filter(subject_id=deal.pk, name__in=HISTORY)


def named(pk: UUID, name: str) -> dict[str, str]:
    """Return what an event keeps of a stage or pipeline, which may go or get another name."""
    return {"id": str(pk), "name": name}


def _reorder(actor: Actor, deal: Deal, place: Slot) -> None:
    """Change the position alone: an event, but neither a move nor a word on anybody's timeline or feed."""
    if place.position is None or place.holds(deal.rank):
        return
    deal.rank = place.rank
    deal.save(update_fields=["rank", "updated_at"])
    events.record(
        actor,
        "deal.reordered",
        deal,
        title=f"Deal {deal} put at another position in {place.stage}",
        kind=TimelineKind.DEAL,
        deal_id=deal.pk,
        metadata={"stage": named(place.stage.pk, place.stage.name), "position": deal_ranks.position_of(actor, deal.pk)},
    )


def _record(actor: Actor, deal: Deal, stay: StageVisit, *, changes: dict[str, Any], details: dict[str, Any]) -> None:
    values = event_data(deal, stay, changes=changes, details=details)
    events.record(actor, "deal.moved", deal, **values, occurred_at=stay.ended_at)


def event_data(deal: Deal, stay: StageVisit, *, changes: dict[str, Any], details: dict[str, Any]) -> dict[str, Any]:
    """Return what the event of a move tells, `deal` being where it came."""
    former, stage = stay.stage, deal.stage
    return {
        "title": _title(deal, former, stage),
        "kind": TimelineKind.DEAL,
        "contact_id": deal.contact_id,
        "company_id": deal.company_id,
        "deal_id": deal.pk,
        "content": "\n".join(filter(None, (details["note"], details["lost_reason"]))),
        "changes": changes,
        "metadata": {
            "from_stage": named(former.pk, former.name),
            "to_stage": named(stage.pk, stage.name),
            "seconds_in_stage": stay.seconds,
            "days_in_stage": round(stay.seconds / DAY, 2),
            "status": deal.status,
            **{key: value or None for key, value in details.items()},
        },
    }


def _title(deal: Deal, former: Stage, stage: Stage) -> str:
    if stage.kind != former.kind:
        verb = {StageKind.WON: "won", StageKind.LOST: "lost"}.get(StageKind(stage.kind), "opened again")
        return f"Deal {deal} {verb}: moved from {former} to {stage}"
    return f"Deal {deal} moved from {former} to {stage}"
