"""The pipeline view of the Team surface: `GET /deals`."""

from typing import Any

from django.http import HttpResponse

from crm.api.routes import route
from crm.api.schema import describes
from sales.api.resources.board import QUERY, BoardView, StageKeys, stage_form
from sales.api.shapes.deals import PipelineRef
from sales.api.team.deals import TeamDeal, TeamDeals


class TeamCard(TeamDeal):
    """A deal on the board: without what its place there tells, and without long texts."""

    pipeline = stage = None  # type: ignore[assignment]  # DRF's way to take a field back
    description = lost_reason = None  # type: ignore[assignment]  # the same


KEYS = StageKeys("dealCount", "totalValue", "valuesByCurrency", "deals")


class TeamBoard(BoardView, TeamDeals):
    """`/deals`: the list is the board."""

    permissions = {**TeamDeals.permissions, "board": "deals:view"}
    card, keys = TeamCard, KEYS

    @describes(
        answer={"pipeline": PipelineRef, "stages": [stage_form(KEYS, TeamCard)]},
        query={**QUERY, "search": str, "page": int, "page_size": int},
        errors=(404,),
    )
    def board(self, request: Any) -> HttpResponse:
        """Answer a pipeline's stages with true counts and sums, and a page of the deals of each.

        The default pipeline's unless another is named. Sums are in the organization's currency, others beside them.
        """
        board, stages = self.asked()
        return self.answer({"pipeline": {"id": board.id, "name": board.name}, "stages": stages})


urlpatterns = [route("deals", TeamBoard, get="board", post="create")]
