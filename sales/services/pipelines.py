"""Writes to pipelines; stages have a module of their own."""

from types import MappingProxyType
from typing import TypedDict, Unpack
from uuid import UUID

from accounts.services.organizations import lock_organization
from crm.core import clock, events
from crm.core.actor import Actor
from crm.core.db import lock_row, lock_rows
from crm.core.errors import Conflict, Invalid
from sales.models import Deal, DealStatus, Pipeline, Stage, StageKind

FIRST_NAME = "Sales"
# The stages that a pipeline is seeded with: probability and what a deal there becomes.
SEED = MappingProxyType(
    {
        "Lead": (10, StageKind.OPEN),
        "Qualified": (25, StageKind.OPEN),
        "Proposal": (50, StageKind.OPEN),
        "Negotiation": (75, StageKind.OPEN),
        "Won": (100, StageKind.WON),
        "Lost": (0, StageKind.LOST),
    }
)


def set_up(actor: Actor) -> None:
    """Give a new organization its default pipeline."""
    create_pipeline(actor, name=FIRST_NAME, is_default=True, seed=True)


def create_pipeline(actor: Actor, *, name: str, is_default: bool = False, seed: bool = False) -> Pipeline:
    """Create a pipeline, with the six usual stages where it is seeded."""
    pipeline = Pipeline(organization_id=actor.organization_id, name=name, is_default=is_default)
    if is_default:
        _take_default(actor)
    pipeline.save(force_insert=True)
    if seed:
        Stage.objects.bulk_create(
            Stage(
                organization_id=actor.organization_id,
                pipeline=pipeline,
                name=stage,
                position=position,
                probability=probability,
                kind=kind,
            )
            for position, (stage, (probability, kind)) in enumerate(SEED.items())
        )
    stages = list(SEED) if seed else []
    events.record(
        actor,
        "pipeline.created",
        pipeline,
        title=f"Pipeline {pipeline} created",
        metadata={"stages": stages, "is_default": is_default},
    )
    return pipeline


class PipelineFields(TypedDict, total=False):
    """What may be said of a pipeline, by domain name."""

    name: str
    is_default: bool


def update_pipeline(actor: Actor, pipeline: Pipeline, **fields: Unpack[PipelineFields]) -> Pipeline:
    """Rename a pipeline, or make it the default in place of the one that was. Nothing changed: no event."""
    if fields.get("is_default"):
        _take_default(actor, keeping=pipeline.pk)
    pipeline = lock_row(Pipeline.objects.of(actor).alive(), pipeline.pk)
    if pipeline.is_default and not fields.get("is_default", True):
        raise Invalid({"is_default": "Make another pipeline the default instead."})
    changes = events.assign(pipeline, fields)
    if changes:
        pipeline.save(update_fields=[*changes, "updated_at"])
        events.record(actor, "pipeline.updated", pipeline, title=f"Pipeline {pipeline} updated", changes=changes)
    return pipeline


def delete_pipeline(actor: Actor, pipeline: Pipeline) -> None:
    """Delete softly; refused for the default one and while deals are open in it. Decided deals keep their place."""
    pipeline = lock_row(Pipeline.objects.of(actor).alive(), pipeline.pk)
    if pipeline.is_default:
        raise Conflict("The default pipeline cannot be deleted.", code="DEFAULT_PIPELINE")
    # Nobody puts a deal into a stage meanwhile.
    lock_rows(Stage.objects.of(actor), stages_of(actor, pipeline.pk))
    if Deal.objects.of(actor).alive().filter(pipeline=pipeline, status=DealStatus.OPEN).exists():
        raise Conflict("There are open opportunities in this pipeline.", code="PIPELINE_NOT_EMPTY")
    pipeline.deleted_at = clock.now()
    pipeline.save(update_fields=["deleted_at", "updated_at"])
    events.record(actor, "pipeline.deleted", pipeline, title=f"Pipeline {pipeline} deleted")


def restore_pipeline(actor: Actor, pipeline: Pipeline) -> Pipeline:
    """Bring a deleted pipeline back; one that is not deleted stays as it is."""
    pipeline = lock_row(Pipeline.objects.of(actor), pipeline.pk)
    if pipeline.deleted_at is not None:
        pipeline.deleted_at = None
        pipeline.save(update_fields=["deleted_at", "updated_at"])
        events.record(actor, "pipeline.restored", pipeline, title=f"Pipeline {pipeline} restored")
    return pipeline


def stages_of(actor: Actor, pipeline_id: UUID) -> list[UUID]:
    """Return the ids of a pipeline's stages, in their order."""
    rows = Stage.objects.of(actor).filter(pipeline_id=pipeline_id).order_by("position")
    return list(rows.values_list("pk", flat=True))


def _take_default(actor: Actor, *, keeping: UUID | None = None) -> None:
    """Let no other pipeline be the default; of two who choose one, the later has its way."""
    lock_organization(actor)
    former = Pipeline.objects.of(actor).alive().filter(is_default=True).first()
    if former is None or former.pk == keeping:
        return
    former = lock_row(Pipeline.objects.of(actor), former.pk)
    former.is_default = False
    former.save(update_fields=["is_default", "updated_at"])
    events.record(
        actor,
        "pipeline.updated",
        former,
        title=f"Pipeline {former} is no longer the default",
        changes={"is_default": {"from": True, "to": False}},
    )
