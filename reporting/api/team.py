"""The dashboard of the Team surface."""

from typing import Any

from django.http import HttpResponse

from crm.api.routes import route
from crm.api.schema import describes
from crm.api.shapes import CamelShape
from crm.api.team import TEAM
from reporting.api.resources import Dashboard
from reporting.api.shapes import RecentActivity
from reporting.services import dashboards

RECENT = 10


class TeamActivity(RecentActivity, CamelShape):
    """An event in camelCase."""


class TeamDashboard(Dashboard):
    """`/dashboard/kpis`."""

    surface = TEAM

    @describes(
        answer={"totalContacts": int, "totalDeals": int, "tasksDueToday": int, "recentActivities": [TeamActivity]}
    )
    def kpis(self, request: Any) -> HttpResponse:
        """Answer the figures of the dashboard's cards, and what happened last."""
        told = dashboards.overview_for(self.actor)
        return self.answer(
            {
                "totalContacts": told.counted.get("contacts", 0),
                "totalDeals": told.deals.count,
                "tasksDueToday": told.tasks_due_today,
                "recentActivities": self.recent(TeamActivity, RECENT),
            }
        )


urlpatterns = [route("dashboard/kpis", TeamDashboard, get="kpis")]
