"""The pipeline view of the Team surface: `GET /deals`."""

from typing import Any

from django.http import HttpResponse

from crm.api.routers import route
from crm.api.schema import extend_schema
from sales.api.serializers.deals import PipelineRefSerializer
from sales.api.team.deals import TeamDealSerializer, TeamDealViewSet
from sales.api.viewsets.board import QUERY, BoardViewSet, StageKeys, stage_form


class TeamCardSerializer(TeamDealSerializer):
    """A deal on the board: without what its place there tells, and without long texts."""

    pipeline = stage = None  # type: ignore[assignment]  # DRF's way to take a field back
    description = lost_reason = None  # type: ignore[assignment]  # the same


KEYS = StageKeys("dealCount", "totalValue", "valuesByCurrency", "deals")


class TeamBoardViewSet(BoardViewSet, TeamDealViewSet):
    """`/deals`: the list is the board."""

    permissions = {**TeamDealViewSet.permissions, "board": "deals:view"}
    card, keys = TeamCardSerializer, KEYS

    @extend_schema(
        response={"pipeline": PipelineRefSerializer, "stages": [stage_form(KEYS, TeamCardSerializer)]},
        parameters={**QUERY, "search": str, "page": int, "page_size": int},
        error_statuses=(404,),
    )
    def board(self, request: Any) -> HttpResponse:
        """Return a pipeline's stages with their counts and sums, and a page of each one's deals.

        The default pipeline's unless another is named. Sums are in the organization's currency, others beside them.
        """
        board, stages = self.asked()
        return self.respond({"pipeline": {"id": board.id, "name": board.name}, "stages": stages})


urlpatterns = [route("deals", TeamBoardViewSet, get="board", post="create")]
