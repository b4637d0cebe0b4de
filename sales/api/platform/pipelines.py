"""Pipelines and stages on the Platform surface."""

from rest_framework import serializers

from crm.api.platform import PLATFORM
from crm.api.routers import COLLECTION, resource, route
from sales.api.serializers.pipelines import PipelineFieldsSerializer, StageFieldsSerializer
from sales.api.viewsets.pipelines import PipelineViewSet, StageViewSet


class PlatformPipelineViewSet(PipelineViewSet):
    """`/pipelines`."""

    surface = PLATFORM
    serializer_class = PipelineFieldsSerializer


class PlatformStageSerializer(StageFieldsSerializer):
    """A stage by itself."""

    pipeline_id = serializers.UUIDField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)


class PlatformStageViewSet(StageViewSet):
    """`/pipelines/{id}/stages`."""

    surface = PLATFORM
    serializer_class = PlatformStageSerializer


urlpatterns = [
    *resource("pipelines", PlatformPipelineViewSet),
    route("pipelines/<uuid:pipeline_pk>/stages", PlatformStageViewSet, **COLLECTION),
    route(
        "pipelines/<uuid:pipeline_pk>/stages/<uuid:pk>", PlatformStageViewSet, patch="partial_update", delete="destroy"
    ),
]
