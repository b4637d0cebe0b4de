"""Time: stored and compared in UTC; calendar questions are asked in a named zone."""

import re
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

from django.utils.dateparse import parse_datetime

ZONES = frozenset(available_timezones())
_zone = cache(ZoneInfo)  # which itself keeps but the last few
EARLIEST = datetime(1, 1, 1, tzinfo=UTC)
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
LATEST = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)


def now() -> datetime:
    """Return the present moment, in UTC."""
    return datetime.now(UTC)


def parse_iso(text: str) -> date | datetime:
    """Return the date or the time that an ISO 8601 text names, in UTC; one without a zone is meant so.

    Raises ValueError for anything else, and for a time that is none in UTC.
    """
    if DATE.fullmatch(text):
        return date.fromisoformat(text)
    moment = parse_datetime(text)
    if moment is None:
        raise ValueError("neither a date nor a time")
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError("a time beyond the calendar") from error


def today(zone: str, *, at: datetime | None = None) -> date:
    """Return the calendar day that it is in `zone` (an IANA name), or was at a moment."""
    return (at or now()).astimezone(_zone(zone)).date()


def moment(day: date, hour: time, zone: str) -> datetime:
    """Return when the clocks of `zone` show `hour` on `day` (the first time, where they show it twice), in UTC."""
    return datetime.combine(day, hour, tzinfo=_zone(zone)).astimezone(UTC)


def day_bounds(day: date, zone: str) -> tuple[datetime, datetime]:
    """Return the first instant of `day` in `zone` and of the day after, in UTC; a day of 23 or 25 hours stays whole.

    Where they lie before or after all time that Python knows, its first or last moment stands for them.
    """
    return _midnight(day, 0, zone), _midnight(day, 1, zone)


def month_bounds(day: date, zone: str) -> tuple[datetime, datetime]:
    """Return the first instant of the month of `day` in `zone` and of the month after, in UTC."""
    first = day.replace(day=1)
    return _midnight(first, 0, zone), _midnight(first, monthrange(day.year, day.month)[1], zone)


@lru_cache(maxsize=4096)  # asked again and again for this day, the next and the month's ends
def _midnight(day: date, days_later: int, zone: str) -> datetime:
    try:
        return moment(day + timedelta(days_later), time.min, zone)
    except OverflowError:
        return EARLIEST if day.year == date.min.year else LATEST
