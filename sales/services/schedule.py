"""When an activity is due, and for whom: a date alone is a day of the person's it is assigned to."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from accounts.models import Organization, User
from crm.core import clock
from crm.core.actor import Actor, system_actor
from crm.core.db import lock_rows, share_rows, tenant
from crm.core.errors import Invalid
from crm.core.models import Event
from sales.models import Activity

LAST_SECOND = timedelta(seconds=1)


def assignee_for(actor: Actor, fields: dict[str, Any], *, current: UUID | None) -> UUID | None:
    """Take `owner_id` out of the fields: nobody, or an active member. Everybody may assign to others."""
    owner_id: UUID | None = fields.pop("owner_id", current)
    if owner_id in {None, current, actor.user_id}:
        return owner_id
    if not User.objects.of(actor).members().filter(pk=owner_id, is_active=True).exists():
        raise Invalid({"owner_id": "There is no such user."})
    return owner_id


def stored(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields with `due` as the columns that keep it; of a date `due_at` is still to be settled."""
    columns = {name: value for name, value in fields.items() if name != "due"}
    if "due" in fields:
        due = fields["due"]
        is_day = isinstance(due, date) and not isinstance(due, datetime)
        columns |= {"due_on": due} if is_day else {"due_on": None, "due_at": due}
    return columns


def set_due_at(actor: Actor, activity: Activity) -> None:
    """Set when an activity with a due date is due, by the clock of whom it is assigned to."""
    if activity.due_on is not None:
        activity.due_at = end_of(activity.due_on, _zone(actor, activity.owner_id))


def display_values(activity: Activity) -> str:
    """Return when it is due in words: the date, or the time in UTC."""
    if activity.due_on is not None or activity.due_at is None:
        return str(activity.due_on or "")
    return f"{activity.due_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def end_of(day: date, zone: str) -> datetime:
    """Return the last second of a day in a zone."""
    return clock.day_bounds(day, zone)[1] - LAST_SECOND


def follow_clock(_message_id: UUID, payload: Mapping[str, str], *, organization_id: UUID) -> None:
    """Hear that a user or the organization was changed (an outbox handler): their time zone may be another one."""
    with tenant(organization_id):
        event = Event.objects.of(organization_id).get(pk=payload["event_id"])
        if "timezone" not in event.changes:
            return
        zone = Organization.objects.filter(pk=organization_id).values_list("timezone", flat=True).get()
        is_person = event.subject_type == "user"
        follow_zone(system_actor(organization_id, timezone=zone), event.subject_id if is_person else None)


def follow_zone(actor: Actor, owner_id: UUID | None) -> None:
    """Settle anew what is due on a day of a person who lives by another clock now; None: of the organization.

    Their days are the same as before, so nobody is told.
    """
    due = Activity.objects.of(actor).alive().unfinished().filter(owner_id=owner_id, due_on__isnull=False)
    zone = _zone(actor, owner_id)
    activities = list(lock_rows(due, due.values_list("pk", flat=True)).values())
    for activity in activities:
        activity.due_at = end_of(activity.due_on, zone)
    Activity.objects.bulk_update(activities, ["due_at"], batch_size=500)


def _zone(actor: Actor, owner_id: UUID | None) -> str:
    """Return the person's zone, which stays theirs until this transaction ends; nobody's is the organization's."""
    if owner_id is None:
        return actor.organization_timezone
    people: list[User] = share_rows(User.objects.of(actor).filter(pk=owner_id).only("timezone"))
    return people[0].timezone
