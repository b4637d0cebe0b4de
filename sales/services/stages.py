"""Writes to stages. All of them hold the pipeline's lock, so that positions stay 0 to n-1."""

from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.db.models import Case, Value, When

from crm.core import events
from crm.core.actor import Actor
from crm.core.db import lock_row
from crm.core.errors import Conflict, Invalid
from sales.models import Deal, Pipeline, Stage, StageKind
from sales.services import deal_moves
from sales.services.pipelines import stages_of

MOST_STAGES = 50
CERTAIN = {StageKind.WON: 100, StageKind.LOST: 0}


class StageFields(TypedDict, total=False):
    """What may be said of a stage, by domain name."""

    probability: int
    kind: str


class StageChanges(StageFields, total=False):
    """The same, with what a new one must have."""

    name: str


def add_stage(
    actor: Actor, pipeline: Pipeline, *, name: str, position: int | None = None, **fields: Unpack[StageFields]
) -> Stage:
    """Add a stage at a position (the last unless given); those from there on make room."""
    values: dict[str, Any] = dict(fields)
    pipeline = lock_row(Pipeline.objects.of(actor).alive(), pipeline.pk)
    order = stages_of(actor, pipeline.pk)
    if len(order) >= MOST_STAGES:
        raise Conflict(f"A pipeline has at most {MOST_STAGES} stages.", code="TOO_MANY_STAGES")
    stage = Stage(organization_id=actor.organization_id, pipeline=pipeline, name=name, position=len(order))
    events.assign(stage, _settled(stage, values))
    stage.save(force_insert=True)
    stage.position = _put(actor, order, stage.pk, position)
    events.record(
        actor,
        "stage.created",
        stage,
        title=f"Stage {stage} added to pipeline {pipeline}",
        metadata={"pipeline_id": str(pipeline.pk), "position": stage.position},
    )
    return stage


def update_stage(actor: Actor, stage: Stage, *, position: int | None = None, **fields: Unpack[StageChanges]) -> Stage:
    """Change a stage; another `position` shifts those between. Nothing changed: no event.

    What a deal becomes in it (`kind`) changes only while no deal is in it: its deals would be won, lost or opened
    again by nobody's decision.
    """
    values: dict[str, Any] = dict(fields)
    pipeline, stage = _lock(actor, stage)
    changes = events.assign(stage, _settled(stage, values))
    if "kind" in changes and _has_deals(actor, stage):
        raise _not_empty("Move its opportunities elsewhere before the stage changes its type.")
    if changes:
        stage.save(update_fields=[*changes, "updated_at"])
    if position is not None:
        before, stage.position = stage.position, _put(actor, stages_of(actor, pipeline.pk), stage.pk, position)
        if stage.position != before:
            changes["position"] = {"from": before, "to": stage.position}
    if changes:
        events.record(
            actor,
            "stage.updated",
            stage,
            title=f"Stage {stage} of pipeline {pipeline} updated",
            changes=changes,
            metadata={"pipeline_id": str(pipeline.pk)},
        )
    return stage


def delete_stage(actor: Actor, stage: Stage) -> None:
    """Remove a stage without deals. Deleted deals, which may be restored, move to the nearest stage of its kind."""
    pipeline, stage = _lock(actor, stage)
    if _has_deals(actor, stage):
        raise _not_empty("There are opportunities in this stage.")
    if Deal.objects.of(actor).filter(stage=stage).exists():
        neighbour = _neighbour(actor, stage)
        if neighbour is None:
            message = "Deleted opportunities are kept in the pipeline's last stage: add another first."
            raise Conflict(message, code="LAST_STAGE")
        deal_moves.carry_deleted(actor, stage, neighbour)
    Stage.objects.of(actor).filter(pk=stage.pk).delete()
    _number(actor, stages_of(actor, pipeline.pk))
    events.record(
        actor,
        "stage.deleted",
        stage,
        title=f"Stage {stage} removed from pipeline {pipeline}",
        metadata={"pipeline_id": str(pipeline.pk), "position": stage.position},
    )


def _lock(actor: Actor, stage: Stage) -> tuple[Pipeline, Stage]:
    pipeline = lock_row(Pipeline.objects.of(actor).alive(), stage.pipeline_id)
    return pipeline, lock_row(Stage.objects.of(actor), stage.pk)


def _settled(stage: Stage, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields with the probability that the kind leaves no choice about."""
    certain = CERTAIN.get(fields.get("kind", stage.kind))
    if certain is None:
        return fields
    if fields.get("probability", certain) != certain:
        raise Invalid({"probability": f"The probability of such a stage is {certain}."})
    return fields | {"probability": certain}


def _has_deals(actor: Actor, stage: Stage) -> bool:
    return Deal.objects.of(actor).alive().filter(stage=stage).exists()


def _not_empty(message: str) -> Conflict:
    return Conflict(message, code="STAGE_NOT_EMPTY")


def _neighbour(actor: Actor, stage: Stage) -> Stage | None:
    """Return the nearest other stage of the pipeline: of the same kind if there is one, before rather than after."""
    others = Stage.objects.of(actor).filter(pipeline_id=stage.pipeline_id).exclude(pk=stage.pk)
    return min(
        others,
        key=lambda other: (
            other.kind != stage.kind,
            abs(other.position - stage.position),
            other.position > stage.position,
        ),
        default=None,
    )


def _put(actor: Actor, order: list[UUID], pk: UUID, position: int | None) -> int:
    """Put a stage at a position (beyond the end: last) and return where it is now."""
    others = [other for other in order if other != pk]
    at = len(others) if position is None else min(position, len(others))
    _number(actor, [*others[:at], pk, *others[at:]])
    return at


def _number(actor: Actor, order: list[UUID]) -> None:
    """Let the positions follow the order; the unique constraint looks at the end of the transaction."""
    place = Case(*(When(pk=pk, then=Value(position)) for position, pk in enumerate(order)))
    Stage.objects.of(actor).filter(pk__in=order).update(position=place)
