"""Dashboards: who may see them, and how much of the recent activity they show."""

from collections.abc import Sequence
from typing import Any

from contacts.services import timeline
from crm.api.serializers import Serializer
from crm.api.viewsets import ApiViewSet
from crm.core.errors import Invalid
from crm.core.models import Event

LARGEST_FEED = 100


class DashboardViewSet(ApiViewSet):
    """What all dashboards have in common."""

    permission_resource = "reports"
    permissions = {"kpis": "reports:view", "summary": "reports:view", "feed": "reports:view"}

    def recent(self, shape: type[Serializer], limit: int) -> Sequence[Any]:
        """Return the newest events that the actor may see."""
        rows = timeline.recent_events(self.actor, limit)
        return self.query(shape, Event).all(rows, order=("-occurred_at", "-id"))

    def limit_asked(self, default: int) -> int:
        """Return how many entries `limit` asks for; more than the largest feed is clamped, a bad value is `Invalid`."""
        raw = self.request.GET.get("limit", "") or str(default)
        if not (raw.isascii() and raw.isdigit() and int(raw[:9]) > 0):
            raise Invalid({"limit": "Enter a whole number from 1."})
        return min(int(raw[:9]), LARGEST_FEED)
