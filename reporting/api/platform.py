"""Dashboards of the Platform surface."""

from typing import Any

from django.http import HttpResponse
from rest_framework import serializers

from crm.api.platform import PLATFORM
from crm.api.routes import route
from crm.api.schema import describes
from reporting.api.resources import Dashboard
from reporting.api.shapes import FeedItem
from reporting.services import dashboards
from reporting.services.dashboards import Summary
from sales.api.platform.deals import PlatformOpportunity
from sales.api.resources.board import BY_CURRENCY, QUERY, BoardView, StageKeys, in_others, in_own, stage_form
from sales.api.shapes.deals import PipelineRef

DEFAULT_FEED = 20
# By currency, and then by figure.
SUMMARY = {
    **Summary.__annotations__,
    "by_currency": serializers.DictField(child=serializers.DictField(child=serializers.FloatField())),
}


class PlatformDashboard(Dashboard):
    """`/dashboard/…`."""

    surface = PLATFORM

    @describes(answer=SUMMARY)
    def summary(self, request: Any) -> HttpResponse:
        """Answer the twelve figures; amounts in the organization's currency, others in `by_currency`."""
        return self.answer(dashboards.summary_for(self.actor))

    @describes(answer={"items": [FeedItem]}, query={"limit": int})
    def feed(self, request: Any) -> HttpResponse:
        """Answer what happened last, newest first."""
        return self.answer({"items": self.recent(FeedItem, self.limit_asked(DEFAULT_FEED))})


class PlatformCard(PlatformOpportunity):
    """An opportunity on the board: without what its place there tells, and without long texts."""

    pipeline = stage = None  # type: ignore[assignment]  # DRF's way to take a field back
    description = lost_reason = None  # type: ignore[assignment]  # the same


KEYS = StageKeys("count", "value", "by_currency", "opportunities")


class PlatformBoard(BoardView):
    """`/dashboard/pipeline`."""

    resource = "deals"
    permissions = {"board": "deals:view"}
    surface = PLATFORM
    shape = PlatformOpportunity
    card, keys = PlatformCard, KEYS

    @describes(
        answer={
            "pipeline": PipelineRef,
            "stages": [stage_form(KEYS, PlatformCard)],
            "total_count": int,
            "total_value": float,
            "by_currency": BY_CURRENCY,
        },
        query={**QUERY, "q": str, "page": int, "limit": int},
        errors=(404,),
    )
    def board(self, request: Any) -> HttpResponse:
        """Answer a pipeline's stages with true counts and sums, and a page of the opportunities of each.

        The default pipeline's unless another is named. Sums are in the organization's currency, others beside them.
        """
        board, stages = self.asked()
        total = board.total
        return self.answer(
            {
                "pipeline": {"id": board.id, "name": board.name},
                "stages": stages,
                "total_count": total.count,
                "total_value": in_own(self.actor, total.value),
                "by_currency": in_others(self.actor, total.value),
            }
        )


urlpatterns = [
    route("dashboard/pipeline", PlatformBoard, get="board"),
    route("dashboard/summary", PlatformDashboard, get="summary"),
    route("dashboard/activity-feed", PlatformDashboard, get="feed"),
]
