"""Tasks on the Team surface."""

from crm.api.routers import resource, route
from crm.api.team import TEAM
from sales.api.serializers.activities import TaskSerializer
from sales.api.viewsets.activities import TaskViewSet


class TeamTaskSerializer(TaskSerializer):
    """A task in camelCase."""


class TeamTaskViewSet(TaskViewSet):
    """`/tasks`."""

    surface = TEAM
    serializer_class = TeamTaskSerializer
    filter_names = {"owner_id": "assigneeId"}


urlpatterns = [
    route("tasks/reminders", TeamTaskViewSet, get="reminders"),
    *resource("tasks", TeamTaskViewSet),
    route("tasks/<uuid:pk>/complete", TeamTaskViewSet, post="complete"),
]
