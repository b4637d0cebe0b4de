"""Pipelines and stages as resources."""

from functools import cached_property
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import HttpResponse

from crm.api.filters import Filters
from crm.api.resources import Resource
from crm.api.schema import describes
from crm.core.actor import Actor
from crm.core.errors import Invalid
from sales.models import Pipeline, Stage
from sales.services import pipelines, stages


class PipelineFilters(Filters):
    """Filters of pipeline lists."""

    search = django_filters.CharFilter("name", lookup_expr="icontains")


class Pipelines(Resource):
    """Pipelines with their stages."""

    resource = "pipelines"
    model = Pipeline
    noun = "Pipeline"
    plural = "pipelines"
    filters = PipelineFilters
    orders = {"created_at": "created_at", "updated_at": "updated_at", "name": "name"}
    creates = pipelines.create_pipeline
    updates = pipelines.update_pipeline
    deletes = pipelines.delete_pipeline
    restores = pipelines.restore_pipeline

    @describes(query={"seed": bool})
    def create(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Create one; `?seed=true` makes the six usual stages."""
        return self.shown(pipelines.create_pipeline(self.actor, seed=self.is_seeded(), **self.read()), 201)

    def is_seeded(self) -> bool:
        """Tell whether `?seed=true` asks for stages."""
        asked = self.request.GET.get("seed", "") or "false"
        if asked not in {"true", "false"}:
            raise Invalid(seed="Choose true or false.")
        return asked == "true"


class Stages(Resource):
    """The stages of a pipeline."""

    resource = "pipelines"
    permissions = {"create": "pipelines:update", "destroy": "pipelines:update"}
    model = Stage
    noun = "Stage"
    plural = "stages"
    orders = {"position": "position"}
    default_order = ("position", "id")
    is_compiled = False
    updates = stages.update_stage
    deletes = stages.delete_stage

    @cached_property
    def pipeline(self) -> Pipeline:
        """Return the pipeline whose stages they are, or raise `NotFound`."""
        pipeline: Pipeline = self.get_row(
            self.kwargs["pipeline_pk"], among=Pipeline.objects.visible_to(self.actor).alive(), noun=Pipelines.noun
        )
        return pipeline

    def rows(self, actor: Actor) -> QuerySet[Stage]:
        """Return the pipeline's stages."""
        return Stage.objects.of(actor).filter(pipeline=self.pipeline)

    def create(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Add one to the pipeline."""
        return self.shown(stages.add_stage(self.actor, self.pipeline, **self.read()), 201)
