"""Activities on the Platform surface."""

from functools import partial

from crm.api.platform import PLATFORM
from crm.api.routes import resource, route
from sales.api.resources.activities import Activities
from sales.api.shapes.activities import PlatformActivity
from sales.services import activities


class PlatformActivities(Activities):
    """`/activities`; each is about something."""

    surface = PLATFORM
    shape = PlatformActivity
    renames = {"company_id": "account_id", "deal_id": "opportunity_id"}
    creates = partial(activities.create_activity, needs_link=True)
    updates = partial(activities.update_activity, needs_link=True)


urlpatterns = [
    *resource("activities", PlatformActivities),
    route("activities/<uuid:pk>/complete", PlatformActivities, post="complete"),
]
