"""Pipelines and stages on the Platform surface."""

from rest_framework import serializers

from crm.api.platform import PLATFORM
from crm.api.routes import COLLECTION, resource, route
from sales.api.resources.pipelines import Pipelines, Stages
from sales.api.shapes.pipelines import PipelineFields, StageFields


class PlatformPipelines(Pipelines):
    """`/pipelines`."""

    surface = PLATFORM
    shape = PipelineFields


class PlatformStage(StageFields):
    """A stage by itself."""

    pipeline_id = serializers.UUIDField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)


class PlatformStages(Stages):
    """`/pipelines/{id}/stages`."""

    surface = PLATFORM
    shape = PlatformStage


urlpatterns = [
    *resource("pipelines", PlatformPipelines),
    route("pipelines/<uuid:pipeline_pk>/stages", PlatformStages, **COLLECTION),
    route("pipelines/<uuid:pipeline_pk>/stages/<uuid:pk>", PlatformStages, patch="partial_update", delete="destroy"),
]
