"""Dashboards of the Platform surface."""

from dataclasses import asdict
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
        return self.answer(asdict(dashboards.summary_for(self.actor)))

    @describes(answer={"items": [FeedItem]}, query={"limit": int})
    def feed(self, request: Any) -> HttpResponse:
        """Answer what happened last, newest first."""
        return self.answer({"items": self.recent(FeedItem, self.limit_asked(DEFAULT_FEED))})


urlpatterns = [
    route("dashboard/summary", PlatformDashboard, get="summary"),
    route("dashboard/activity-feed", PlatformDashboard, get="feed"),
]
