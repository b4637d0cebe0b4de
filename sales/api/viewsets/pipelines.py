"""Pipelines and stages as resources."""

from functools import cached_property
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import HttpResponse

from crm.api.filtersets import FilterSet
from crm.api.schema import extend_schema
from crm.api.viewsets import ResourceViewSet, Services
from crm.core.actor import Actor
from crm.core.errors import Invalid
from sales.models import Pipeline, Stage
from sales.services import pipelines, stages


class PipelineFilterSet(FilterSet):
    """Filters of pipeline lists."""

    search = django_filters.CharFilter("name", lookup_expr="icontains")


class PipelineViewSet(ResourceViewSet):
    """Pipelines with their stages."""

    permission_resource = "pipelines"
    model = Pipeline
    verbose_name = "Pipeline"
    verbose_name_plural = "pipelines"
    filterset_class = PipelineFilterSet
    ordering_fields = {"created_at": "created_at", "updated_at": "updated_at", "name": "name"}
    services = Services(
        create=pipelines.create_pipeline,
        update=pipelines.update_pipeline,
        delete=pipelines.delete_pipeline,
        restore=pipelines.restore_pipeline,
    )

    @extend_schema(parameters={"seed": bool})
    def create(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Create one; `?seed=true` makes the six usual stages."""
        return self.respond_with(pipelines.create_pipeline(self.actor, seed=self.is_seeded(), **self.validate()), 201)

    def is_seeded(self) -> bool:
        """Tell whether `?seed=true` asks for stages."""
        requested = self.request.GET.get("seed", "") or "false"
        if requested not in {"true", "false"}:
            raise Invalid({"seed": "Choose true or false."})
        return requested == "true"


class StageViewSet(ResourceViewSet):
    """The stages of a pipeline."""

    permission_resource = "pipelines"
    permissions = {"create": "pipelines:update", "destroy": "pipelines:update"}
    model = Stage
    verbose_name = "Stage"
    verbose_name_plural = "stages"
    ordering_fields = {"position": "position"}
    ordering = ("position", "id")
    is_compiled = False
    services = Services(update=stages.update_stage, delete=stages.delete_stage)

    @cached_property
    def pipeline(self) -> Pipeline:
        """Return the pipeline whose stages they are, or raise `NotFound`."""
        pipeline: Pipeline = self.get_object(
            self.kwargs["pipeline_pk"],
            queryset=Pipeline.objects.visible_to(self.actor).alive(),
            verbose_name=PipelineViewSet.verbose_name,
        )
        return pipeline

    def get_queryset(self, actor: Actor) -> QuerySet[Stage]:
        """Return the pipeline's stages."""
        return Stage.objects.of(actor).filter(pipeline=self.pipeline)

    def create(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Add one to the pipeline."""
        return self.respond_with(stages.add_stage(self.actor, self.pipeline, **self.validate()), 201)
