"""The daily e-mail: at 8:00 of everybody's own clock, once a day, to whoever has something due.

Beat asks every few minutes who is still to be mailed. The row of the person's day is inserted with the outbox message,
so that two beats mail once. A poll that was missed is made up for until the day ends; but whatever came up after 8:00
(`Activity.scheduled_at`) waits for the next reminder, so that nobody without anything due at 8:00 is mailed later.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from accounts.models import User
from crm.core import clock, mail_limits, outbox
from crm.core.db import operator, tenant
from crm.core.ids import uuid7
from crm.core.mail_limits import TooManyMails
from sales.models import DailyReminder

log = logging.getLogger(__name__)

SEND_AT = time(8)
TOPIC = "mail.daily_reminder"
KEPT = timedelta(days=7)


class DueReminder(NamedTuple):
    """A person's day whose reminder is still to be sent."""

    organization_id: UUID
    user_id: UUID
    day: date


# From the roles down, past the many who only shop; each person costs two looks into an index.
_WAITING = """
    SELECT DISTINCT u.organization_id, u.id, m.day
    FROM accounts_role r
    JOIN accounts_organization o ON o.id = r.organization_id AND o.is_active
    JOIN accounts_userrole h ON h.organization_id = r.organization_id AND h.role_id = r.id
    JOIN accounts_user u ON u.id = h.user_id AND u.is_active
    JOIN unnest(%s::text[], %s::date[], %s::timestamptz[], %s::timestamptz[]) AS m (zone, day, eight, ends)
      ON m.zone = u.timezone
    CROSS JOIN LATERAL (
        SELECT FROM sales_activity a
        WHERE a.organization_id = u.organization_id AND a.owner_id = u.id AND a.deleted_at IS NULL
          AND a.status IN ('pending', 'in_progress') AND a.due_at < m.ends AND a.scheduled_at < m.eight
        LIMIT 1
    ) due
    WHERE NOT (r.is_built_in AND r.name = 'customer')
      AND NOT EXISTS (
        SELECT FROM sales_dailyreminder d
        WHERE d.organization_id = u.organization_id AND d.user_id = u.id AND d.day = m.day
      )
    ORDER BY u.organization_id, u.id
"""
_TAKEN = """
    INSERT INTO sales_dailyreminder (id, organization_id, user_id, day, created_at)
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::date[], %s::timestamptz[])
    ON CONFLICT (organization_id, user_id, day) DO NOTHING
    RETURNING organization_id, user_id, day
"""


def waiting() -> list[DueReminder]:
    """Return the people of all organizations whose 8:00 has come, with something due, and who were not mailed today."""
    zones = list(_begun(clock.now()))
    with operator("reminders"), connection.cursor() as cursor:
        cursor.execute(_WAITING, [list(column) for column in zip(*zones, strict=True)])
        return [DueReminder(*row) for row in cursor.fetchall()]


def send() -> int:
    """Put the mails of everybody who is waiting into the outbox, one organization a transaction; return how many."""
    sent = 0
    for organization_id, reminders in groupby(waiting(), key=lambda reminder: reminder.organization_id):
        try:
            sent += _send(organization_id, list(reminders))
        except Exception:  # the others are not to wait for it; the next poll tries again
            log.exception("Reminders of organization %s failed", organization_id)
    return sent


def forget_old() -> None:
    """Remove the marks of days that nobody can live through any more."""
    with operator("sweep"):
        DailyReminder.objects.filter(day__lt=clock.today("UTC") - KEPT).delete()


def _begun(now: datetime) -> Iterator[tuple[str, date, datetime, datetime]]:
    """Return each zone in which it is 8:00 or later, its day, when it was 8:00 there, and when the day ends."""
    for zone in clock.ZONES:
        day = clock.today(zone, at=now)
        eight = clock.moment(day, SEND_AT, zone)
        if eight <= now:
            yield zone, day, eight, clock.day_bounds(day, zone)[1]


def _send(organization_id: UUID, reminders: Sequence[DueReminder]) -> int:
    with tenant(organization_id):
        mailed = [reminder for reminder, address in _addressed(organization_id, _take(reminders)) if _may_get(address)]
        for reminder in mailed:
            outbox.enqueue(organization_id, TOPIC, {"user_id": str(reminder.user_id), "day": reminder.day.isoformat()})
    return len(mailed)


def _addressed(organization_id: UUID, reminders: Sequence[DueReminder]) -> list[tuple[DueReminder, str]]:
    """Return reminders with their people's addresses; in one order, so that no two transactions wait for each other."""
    people = User.objects.of(organization_id).filter(pk__in=[reminder.user_id for reminder in reminders])
    addresses = dict(people.values_list("pk", "email"))
    found = [(reminder, addresses[reminder.user_id]) for reminder in reminders]
    return sorted(found, key=lambda each: mail_limits.recipient_key(each[1]))


def _may_get(address: str) -> bool:
    """Count a mail to an address and tell whether it is within the limit: an address may be held by many."""
    try:
        mail_limits.count_of_recipient(address)
    except TooManyMails:
        return False
    return True


def _take(reminders: Iterable[DueReminder]) -> list[DueReminder]:
    """Return the reminders that nobody took before; whoever asks at the same time waits and gets the others."""
    marks = [(uuid7(), *reminder, clock.now()) for reminder in reminders]
    with connection.cursor() as cursor:
        cursor.execute(_TAKEN, [list(column) for column in zip(*marks, strict=True)])
        return [DueReminder(*row) for row in cursor.fetchall()]
