"""Activities on the Platform surface."""

from dataclasses import replace
from functools import partial

from crm.api.platform import PLATFORM
from crm.api.routers import resource, route
from sales.api.serializers.activities import PlatformActivitySerializer
from sales.api.viewsets.activities import ActivityViewSet
from sales.services import activities


class PlatformActivityViewSet(ActivityViewSet):
    """`/activities`; each is about something."""

    surface = PLATFORM
    serializer_class = PlatformActivitySerializer
    filter_names = {"company_id": "account_id", "deal_id": "opportunity_id"}
    services = replace(
        ActivityViewSet.services,
        create=partial(activities.create_activity, requires_subject=True),
        update=partial(activities.update_activity, requires_subject=True),
    )


urlpatterns = [
    *resource("activities", PlatformActivityViewSet),
    route("activities/<uuid:pk>/complete", PlatformActivityViewSet, post="complete"),
]
