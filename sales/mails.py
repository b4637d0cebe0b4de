"""Mails of sales: what a person has to do, once a day.

An outbox handler; it sends nothing where nothing is left to do meanwhile, and may run twice (`crm.core.mail`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings

from accounts.models import User
from accounts.services.membership import organization_of
from accounts.services.organizations import is_proven
from crm.core import clock, mail
from crm.core.db import tenant
from crm.core.mail import quoted
from sales.models import Activity, ActivityType
from sales.services import reminders

MOST_LISTED = 50  # of each kind; the mail says how many more there are
HEADINGS = {"overdue": "Overdue", "today": "Due today"}


@dataclass(frozen=True, slots=True)
class Part:
    """What is overdue, or due today: a heading, the first lines with their links, and how many there are in all."""

    heading: str
    lines: list[tuple[str, str]]
    count: int

    @property
    def more(self) -> str:
        """Return what to say of those that are not listed."""
        return f"and {self.count - len(self.lines)} more" if self.count > len(self.lines) else ""


def send_daily_reminder(message_id: UUID, payload: Mapping[str, str], *, organization_id: UUID) -> None:
    """Mail what a person has to do today; on another day than it was meant for it is too late."""
    with tenant(organization_id):
        users = User.objects.of(organization_id).members().select_related("organization")
        user = users.filter(pk=payload["user_id"], is_active=True, organization__is_active=True).first()
        if user is None or clock.today(user.timezone) > date.fromisoformat(payload["day"]):
            return
        parts = agenda_of(user)
        host = quoted(user.organization) if is_proven(organization_id) else "Your tasks"
    if not parts:
        return
    mail.send(
        message_id,
        to=user.email,
        subject=f"{host}: {summary(parts)}",
        parts=[
            mail.Paragraph(f"Good morning {quoted(user)},"),
            *(mail.Links(part.heading, part.lines, part.more) for part in parts),
            mail.Link("All your tasks", f"{settings.FRONTEND_URL}/tasks"),
        ],
    )


def agenda_of(user: User) -> list[Part]:
    """Return what a user has to do today, inside their organization's transaction; nothing to do is no part."""
    own = Activity.objects.of(organization_of(user)).select_related("contact", "deal")
    spans = reminders.spans(user.timezone)
    parts = []
    for name, heading in HEADINGS.items():
        due = own.due_for(user.pk, *spans[name])
        lines = [_line(activity, user.timezone) for activity in due.order_by("due_at", "id")[:MOST_LISTED]]
        if lines:
            parts.append(Part(heading, lines, due.count() if len(lines) == MOST_LISTED else len(lines)))
    return parts


def summary(parts: Iterable[Part]) -> str:
    """Return `2 overdue, 1 due today`."""
    return ", ".join(f"{part.count} {part.heading.lower()}" for part in parts)


def _line(activity: Activity, zone: str) -> tuple[str, str]:
    is_task = activity.type == ActivityType.TASK
    kind = "" if is_task else f"{activity.label}: "
    about = next((thing for thing in (activity.contact, activity.deal) if thing), None)
    words = f"{kind}{quoted(activity)} ({_when(activity, zone)})" + (f", {quoted(about)}" if about else "")
    place = "tasks" if is_task else "activities"
    return words, f"{settings.FRONTEND_URL}/{place}/{activity.pk}"


def _when(activity: Activity, zone: str) -> str:
    if activity.due_on is not None or activity.due_at is None:
        return str(activity.due_on)
    try:
        here = activity.due_at.astimezone(ZoneInfo(zone))
    except OverflowError:  # the calendar's first hours, such as a client's empty time, are not in it everywhere
        return f"{activity.due_at.isoformat(' ', 'minutes')[:16]} UTC"
    return f"{here:%Y-%m-%d %H:%M}"
