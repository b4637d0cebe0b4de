"""Dashboards of the Platform surface."""

from typing import Any

from django.http import HttpResponse

from crm.api.platform import PLATFORM
from crm.api.routes import route
from crm.api.schema import describes
from reporting.api.resources import Dashboard
from reporting.api.shapes import FeedItem
from reporting.services.dashboards import Figures

DEFAULT_FEED = 20


class PlatformDashboard(Dashboard):
    """`/dashboard/…`."""

    surface = PLATFORM

    @describes(answer=dict(Figures.__annotations__))
    def summary(self, request: Any) -> HttpResponse:
        """Answer the twelve figures."""
        return self.answer(self.figures())

    @describes(answer={"items": [FeedItem]}, query={"limit": int})
    def feed(self, request: Any) -> HttpResponse:
        """Answer what happened last, newest first."""
        return self.answer({"items": self.recent(FeedItem, self.limit_asked(DEFAULT_FEED))})


urlpatterns = [
    route("dashboard/summary", PlatformDashboard, get="summary"),
    route("dashboard/activity-feed", PlatformDashboard, get="feed"),
]
