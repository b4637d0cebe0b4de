"""Dashboards of the Platform surface."""

from typing import Any

from django.http import HttpResponse
from rest_framework import serializers

from crm.api.platform import PLATFORM
from crm.api.routers import route
from crm.api.schema import extend_schema
from reporting.api.resources import DashboardViewSet
from reporting.api.shapes import FeedItemSerializer
from reporting.services import dashboards
from reporting.services.dashboards import Summary
from sales.api.platform.deals import PlatformOpportunitySerializer
from sales.api.serializers.deals import PipelineRefSerializer
from sales.api.viewsets.board import BY_CURRENCY, QUERY, BoardViewSet, StageKeys, in_others, in_own, stage_form

DEFAULT_FEED = 20
# By currency, and then by figure.
SUMMARY = {
    **Summary.__annotations__,
    "by_currency": serializers.DictField(child=serializers.DictField(child=serializers.FloatField())),
}


class PlatformDashboardViewSet(DashboardViewSet):
    """`/dashboard/…`."""

    surface = PLATFORM

    @extend_schema(response=SUMMARY)
    def summary(self, request: Any) -> HttpResponse:
        """Return the twelve figures; amounts in the organization's currency, others in `by_currency`."""
        return self.respond(dashboards.summary_for(self.actor))

    @extend_schema(response={"items": [FeedItemSerializer]}, parameters={"limit": int})
    def feed(self, request: Any) -> HttpResponse:
        """Return the latest events, newest first."""
        return self.respond({"items": self.recent(FeedItemSerializer, self.limit_asked(DEFAULT_FEED))})


class PlatformCardSerializer(PlatformOpportunitySerializer):
    """An opportunity on the board: without what its place there tells, and without long texts."""

    pipeline = stage = None  # type: ignore[assignment]  # DRF's way to take a field back
    description = lost_reason = None  # type: ignore[assignment]  # the same


KEYS = StageKeys("count", "value", "by_currency", "opportunities")


class PlatformBoardViewSet(BoardViewSet):
    """`/dashboard/pipeline`."""

    permission_resource = "deals"
    permissions = {"board": "deals:view"}
    surface = PLATFORM
    serializer_class = PlatformOpportunitySerializer
    card, keys = PlatformCardSerializer, KEYS

    @extend_schema(
        response={
            "pipeline": PipelineRefSerializer,
            "stages": [stage_form(KEYS, PlatformCardSerializer)],
            "total_count": int,
            "total_value": float,
            "by_currency": BY_CURRENCY,
        },
        parameters={**QUERY, "q": str, "page": int, "limit": int},
        error_statuses=(404,),
    )
    def board(self, request: Any) -> HttpResponse:
        """Return a pipeline's stages with their counts and sums, and a page of each one's opportunities.

        The default pipeline's unless another is named. Sums are in the organization's currency, others beside them.
        """
        board, stages = self.asked()
        total = board.total
        return self.respond(
            {
                "pipeline": {"id": board.id, "name": board.name},
                "stages": stages,
                "total_count": total.count,
                "total_value": in_own(self.actor, total.value),
                "by_currency": in_others(self.actor, total.value),
            }
        )


urlpatterns = [
    route("dashboard/pipeline", PlatformBoardViewSet, get="board"),
    route("dashboard/summary", PlatformDashboardViewSet, get="summary"),
    route("dashboard/activity-feed", PlatformDashboardViewSet, get="feed"),
]
