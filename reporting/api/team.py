"""The dashboard of the Team surface."""

from typing import Any

from django.http import HttpResponse

from crm.api.routers import route
from crm.api.schema import extend_schema
from crm.api.team import TEAM
from reporting.api.resources import DashboardViewSet
from reporting.api.shapes import RecentActivitySerializer
from reporting.services import dashboards

RECENT = 10


class TeamActivitySerializer(RecentActivitySerializer):
    """An event in camelCase."""


class TeamDashboardViewSet(DashboardViewSet):
    """`/dashboard/kpis`."""

    surface = TEAM

    @extend_schema(
        response={
            "totalContacts": int,
            "totalDeals": int,
            "tasksDueToday": int,
            "recentActivities": [TeamActivitySerializer],
        }
    )
    def kpis(self, request: Any) -> HttpResponse:
        """Return the dashboard's figures and the latest events."""
        details = dashboards.overview_for(self.actor)
        return self.respond(
            {
                "totalContacts": details.counted.get("contacts", 0),
                "totalDeals": details.deals.count,
                "tasksDueToday": details.tasks_due_today,
                "recentActivities": self.recent(TeamActivitySerializer, RECENT),
            }
        )


urlpatterns = [route("dashboard/kpis", TeamDashboardViewSet, get="kpis")]
