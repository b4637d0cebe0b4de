"""Pipelines on the Team surface, and the move of a deal by drag and drop."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse

from crm.api.routes import route
from crm.api.schema import describes
from crm.api.shapes import CamelShape
from crm.api.team import TEAM
from sales.api.resources.pipelines import Pipelines
from sales.api.shapes.deals import Drag
from sales.api.shapes.pipelines import PipelineFields
from sales.api.team.deals import POSITION, TeamDeals
from sales.models import Pipeline
from sales.services import moves


class TeamPipeline(PipelineFields, CamelShape):
    """A pipeline in camelCase."""


class TeamPipelines(Pipelines):
    """`/pipelines`."""

    surface = TEAM
    shape = TeamPipeline


class TeamDrag(Drag, CamelShape):
    """Which deal goes where, in camelCase."""


class TeamMoves(TeamDeals):
    """`/pipelines/:id/stages`: moves a deal."""

    @describes(body=TeamDrag, answer="shape", adds=POSITION)
    def move(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Move a deal to a stage of this pipeline, at a position (the end unless given)."""
        pipeline: Pipeline = self.get_row(pk, among=Pipeline.objects.visible_to(self.actor).alive())
        deal = moves.drag_deal(self.actor, pipeline, **self.read(TeamDrag))
        return self.shown(deal)


urlpatterns = [
    route("pipelines", TeamPipelines, get="list"),
    route("pipelines/<uuid:pk>/stages", TeamMoves, post="move"),
]
