"""Pipelines on the Team surface, and the move of a deal by drag and drop."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse

from crm.api.fields import PythonValueField
from crm.api.routers import route
from crm.api.schema import extend_schema
from crm.api.surfaces import Page
from crm.api.team import TEAM
from sales.api.serializers.deals import DragSerializer
from sales.api.serializers.pipelines import PipelineFieldsSerializer, PipelineStatsSerializer
from sales.api.team.deals import TeamDealViewSet
from sales.api.viewsets.board import in_others, in_own
from sales.api.viewsets.pipelines import PipelineViewSet
from sales.models import Pipeline
from sales.services import deal_moves, figures
from sales.services.figures import DealFigures, Money


class TeamPipelineSerializer(PipelineFieldsSerializer):
    """A pipeline in camelCase, with the figures of its deals."""

    stats = PythonValueField(("id",), str, PipelineStatsSerializer())


class TeamPipelineViewSet(PipelineViewSet):
    """`/pipelines`."""

    surface = TEAM
    serializer_class = TeamPipelineSerializer

    def respond_with_page(self, page: Page) -> HttpResponse:
        """Answer a page, each pipeline with the figures of the deals that the actor sees; none where they see none."""
        known = figures.by_pipeline(self.actor) if self.actor.can("deals:view") else {}
        for row in page.rows:
            row["stats"] = self.stats_of(known.get(row["stats"], DealFigures()))
        return super().respond_with_page(page)

    def stats_of(self, details: DealFigures) -> dict[str, Any]:
        """Return figures as they are shown."""
        totals = {"open": details.open, "won": details.won, "lost": details.lost}
        return {
            **{status: {"count": total.count, **self.money(total.value)} for status, total in totals.items()},
            "weighted": self.money(details.weighted),
            "conversionRate": details.conversion_rate,
            "averageCycle": details.average_cycle,
        }

    def money(self, value: Money) -> dict[str, Any]:
        """Return amounts as they are shown."""
        return {"value": in_own(self.actor, value), "valuesByCurrency": in_others(self.actor, value)}


class TeamDragSerializer(DragSerializer):
    """Which deal goes where, in camelCase."""


class TeamStageMoveViewSet(TeamDealViewSet):
    """`/pipelines/:id/stages`: moves a deal."""

    @extend_schema(request=TeamDragSerializer, response="serializer_class", extra=TeamDealViewSet.extra_schema)
    def move(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Move a deal to a stage of this pipeline, at a position (the end unless given)."""
        pipeline: Pipeline = self.get_object(
            pk, queryset=Pipeline.objects.visible_to(self.actor).alive(), verbose_name=TeamPipelineViewSet.verbose_name
        )
        deal = deal_moves.drag_deal(self.actor, pipeline, **self.validate(TeamDragSerializer))
        return self.respond_with(deal)


urlpatterns = [
    route("pipelines", TeamPipelineViewSet, get="list"),
    route("pipelines/<uuid:pk>/stages", TeamStageMoveViewSet, post="move"),
]
