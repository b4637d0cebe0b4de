"""Pipelines on the Team surface, and the move of a deal by drag and drop."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse

from crm.api.routes import route
from crm.api.schema import describes
from crm.api.shapes import CamelShape, Derived
from crm.api.surfaces import Page
from crm.api.team import TEAM
from sales.api.resources.board import in_others, in_own
from sales.api.resources.pipelines import Pipelines
from sales.api.shapes.deals import Drag
from sales.api.shapes.pipelines import PipelineFields, PipelineStats
from sales.api.team.deals import TeamDeals
from sales.models import Pipeline
from sales.services import figures, moves
from sales.services.figures import DealFigures, Money


class TeamPipeline(PipelineFields, CamelShape):
    """A pipeline in camelCase, with the figures of its deals."""

    stats = Derived(("id",), str, PipelineStats())


class TeamPipelines(Pipelines):
    """`/pipelines`."""

    surface = TEAM
    shape = TeamPipeline

    def answer_page(self, page: Page) -> HttpResponse:
        """Answer a page, each pipeline with the figures of the deals that the actor sees; none where they see none."""
        known = figures.by_pipeline(self.actor) if self.actor.can("deals:view") else {}
        for row in page.rows:
            row["stats"] = self.stats_of(known.get(row["stats"], DealFigures()))
        return super().answer_page(page)

    def stats_of(self, told: DealFigures) -> dict[str, Any]:
        """Return figures as they are shown."""
        totals = {"open": told.open, "won": told.won, "lost": told.lost}
        return {
            **{status: {"count": total.count, **self.money(total.value)} for status, total in totals.items()},
            "weighted": self.money(told.weighted),
            "conversionRate": told.conversion_rate,
            "averageCycle": told.average_cycle,
        }

    def money(self, value: Money) -> dict[str, Any]:
        """Return amounts as they are shown."""
        return {"value": in_own(self.actor, value), "valuesByCurrency": in_others(self.actor, value)}


class TeamDrag(Drag, CamelShape):
    """Which deal goes where, in camelCase."""


class TeamMoves(TeamDeals):
    """`/pipelines/:id/stages`: moves a deal."""

    @describes(body=TeamDrag, answer="shape", adds=TeamDeals.adds)
    def move(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Move a deal to a stage of this pipeline, at a position (the end unless given)."""
        pipeline: Pipeline = self.get_row(
            pk, among=Pipeline.objects.visible_to(self.actor).alive(), noun=TeamPipelines.noun
        )
        deal = moves.drag_deal(self.actor, pipeline, **self.read(TeamDrag))
        return self.shown(deal)


urlpatterns = [
    route("pipelines", TeamPipelines, get="list"),
    route("pipelines/<uuid:pk>/stages", TeamMoves, post="move"),
]
