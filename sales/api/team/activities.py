"""Tasks on the Team surface."""

from crm.api.routes import resource, route
from crm.api.shapes import CamelShape
from crm.api.team import TEAM
from sales.api.resources.activities import Tasks
from sales.api.shapes.activities import Task


class TeamTask(Task, CamelShape):
    """A task in camelCase."""


class TeamTasks(Tasks):
    """`/tasks`."""

    surface = TEAM
    shape = TeamTask
    renames = {"owner_id": "assigneeId"}


urlpatterns = [
    route("tasks/reminders", TeamTasks, get="reminders"),
    *resource("tasks", TeamTasks),
    route("tasks/<uuid:pk>/complete", TeamTasks, post="complete"),
]
