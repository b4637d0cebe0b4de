"""What a person is reminded of: their own unfinished activities, sorted by the days of their own time zone."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from accounts.models import User
from crm.core import clock
from crm.core.actor import Actor
from crm.core.errors import Forbidden, Invalid

UPCOMING_DAYS = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Person:
    """Who is reminded, and by which clock they live."""

    id: UUID
    timezone: str


def person_for(actor: Actor, assignee_id: UUID | None) -> Person:
    """Return the person whose reminders are asked for, oneself where nobody is named.

    To look at another's takes the sight of everybody's and the right to change it.
    """
    if actor.user_id is not None and assignee_id in {None, actor.user_id}:
        return Person(actor.user_id, actor.timezone)
    if not (actor.sees_all and actor.can("activities:update")):
        raise Forbidden("Only those who manage everybody's tasks may see another's reminders.")
    zones = User.objects.of(actor).members().filter(pk=assignee_id).values_list("timezone", flat=True)
    if assignee_id is None or not zones:
        raise Invalid({"assignee_id": "There is no such user."})
    return Person(assignee_id, zones[0])


def spans(zone: str) -> dict[str, tuple[datetime, datetime]]:
    """Return from when to when (exclusive) something is due that is overdue, due today or upcoming.

    What is due later today is today's; upcoming are the seven days after it.
    """
    now = clock.now()
    today = clock.today(zone, at=now)
    tomorrow = clock.day_bounds(today, zone)[1]
    horizon = clock.day_bounds(today + UPCOMING_DAYS, zone)[1]
    return {"overdue": (clock.EARLIEST, now), "today": (now, tomorrow), "upcoming": (tomorrow, horizon)}
