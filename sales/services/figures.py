"""The figures of sales, each defined once: docs/figures.md says in words what these statements say in SQL.

Everything is read from kept sums (`sales.models.Figure`), so that nothing here grows with the tables. Where a span of
time begins or ends inside a day of UTC, that part of a day is read by an index, in the same statement and so of the
same moment. Money is in minor units by currency.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from crm.core import clock, db
from crm.core.actor import Actor
from sales.models import ActivityType, DealStatus
from sales.services import reminders

PERCENT = 100
DAY_SECONDS = 86_400
HALF_A_MONTH = 15
STATUSES = tuple(DealStatus.values)
Money = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Total:
    """So many deals, and what they are worth."""

    count: int = 0
    value: Money = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DealFigures:
    """Living deals by how they stand; `weighted` is what the open ones are worth, each times its probability."""

    open: Total = Total()
    won: Total = Total()
    lost: Total = Total()
    weighted: Money = field(default_factory=dict)
    seconds_to_win: int = 0

    @property
    def count(self) -> int:
        """Return how many there are, of any status."""
        return self.open.count + self.won.count + self.lost.count

    @property
    def conversion_rate(self) -> float:
        """Return the percent won of the decided ones, with two decimals; 0 where none is decided."""
        decided = self.won.count + self.lost.count
        return round(PERCENT * self.won.count / decided, 2) if decided else 0.0

    @property
    def average_cycle(self) -> float | None:
        """Return the days from creation to winning, on average, with two decimals; None where none is won."""
        return average_days(self.seconds_to_win, self.won.count)


@dataclass(frozen=True, slots=True)
class Overview:
    """What a dashboard shows, all of one moment; `counted` are the kept counts that were asked for."""

    counted: Mapping[str, int]
    deals: DealFigures
    won_this_month: Total
    lost_this_month: Total
    due_today: int
    tasks_due_today: int
    overdue: int


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time from `start` to before `end`, as whole days of UTC and the parts of days around them."""

    start: datetime
    end: datetime

    def parameters(self) -> dict[str, Any]:
        """Return what the statements call `start`, `days_from`, `days_to`, `end`, and the months that come near."""
        first = _midnight_from(self.start)
        last = _midnight_before(self.end)
        if first > last:  # no midnight inside: all of it is the part before the first day
            first = last = self.end
        month, after = _nearest_month(first.date()), _nearest_month(last.date())
        if month >= after:  # no month is near enough: all of it is days
            month = after = first.date()
        return {
            "start": self.start,
            "days_from": first,
            "days_to": last,
            "end": self.end,
            **_signed("months", month, after),
            **_signed("head", first.date(), month),
            **_signed("tail", after, last.date()),
        }


def average_days(seconds: int, count: int) -> float | None:
    """Return an average in days, with two decimals; None where there is nothing to average.

    What is won as it is made was decided a moment before its row was there: that took no time, not less.
    """
    return round(max(seconds, 0) / count / DAY_SECONDS, 2) if count else None


def scope_params(actor: Actor) -> dict[str, Any]:
    """Return what the statements of this module and `OWN_ROWS` call `organization`, `user`, `sees_all`."""
    return {"organization": actor.organization_id, "user": actor.user_id, "sees_all": actor.sees_all}


# What of a table with owners the actor sees.
OWN_ROWS = "(%(sees_all)s OR owner_id = %(user)s)"
_WHOLE = f"""
    SELECT status, currency, %({{part}}_sign)s * n AS n, %({{part}}_sign)s * amount AS amount FROM sales_figure
    WHERE organization_id = %(organization)s AND kind = '{{kind}}' AND {OWN_ROWS}
      AND day >= %({{part}}_from)s AND day < %({{part}}_to)s
    UNION ALL
"""  # noqa: S608 - constants
# Whole months, and at each end the days that are missing to them or too many in them.
_DECIDED = f"""
    {_WHOLE.format(kind="closed by month", part="months")}
    {_WHOLE.format(kind="closed", part="head")}
    {_WHOLE.format(kind="closed", part="tail")}
    SELECT status, currency, 1, amount FROM sales_deal
    WHERE organization_id = %(organization)s AND deleted_at IS NULL AND {OWN_ROWS}
      AND (closed_at >= %(start)s AND closed_at < %(days_from)s OR closed_at >= %(days_to)s AND closed_at < %(end)s)
"""  # noqa: S608 - constants
_STANDING = f"""
    SELECT {{group}} AS about, status, currency, sum(figure.n)::bigint AS n, sum(amount) AS amount,
           sum(weighted + unweighted * stage.probability) AS weighted, sum(seconds)::bigint AS seconds
    FROM sales_figure figure
    JOIN sales_stage stage ON stage.organization_id = figure.organization_id AND stage.id = figure.stage_id
    WHERE figure.organization_id = %(organization)s AND figure.kind = 'deals' AND {OWN_ROWS}
    GROUP BY 1, 2, 3
"""  # noqa: S608 - constants
# What one may see of activities: what is assigned to one, and what one made for others.
_DUE_KINDS = "kind IN ('due{grain}', CASE WHEN %(sees_all)s THEN '' ELSE 'due for others{grain}' END)"
_UNFINISHED = """
    FROM sales_activity
    WHERE organization_id = %(organization)s AND deleted_at IS NULL AND status IN ('pending', 'in_progress')
      AND (%(sees_all)s OR owner_id = %(user)s OR created_by_id = %(user)s)
"""
_OVERDUE = f"""
    SELECT coalesce(sum(n), 0)::bigint FROM (
        SELECT n FROM sales_figure
        WHERE organization_id = %(organization)s AND {_DUE_KINDS.format(grain=" by month")} AND {OWN_ROWS}
          AND day < %(due_month)s
        UNION ALL
        SELECT %(due_sign)s * n FROM sales_figure
        WHERE organization_id = %(organization)s AND {_DUE_KINDS.format(grain="")} AND {OWN_ROWS}
          AND day >= %(due_from)s AND day < %(due_to)s
        UNION ALL
        (SELECT count(*) {_UNFINISHED} AND due_at >= %(midnight)s AND due_at < %(now)s)
    ) AS late
"""  # noqa: S608 - constants
_OVERVIEW = f"""
    SELECT kind AS about, '' AS status, '' AS currency, sum(n)::bigint AS n, 0 AS amount, 0 AS weighted, 0 AS seconds
    FROM core_rowcounter
    WHERE organization_id = %(organization)s AND kind = ANY(%(counted)s) AND {OWN_ROWS} GROUP BY kind
    UNION ALL
    ({_STANDING.format(group="'all'")})
    UNION ALL
    SELECT 'this month', status, currency, sum(n)::bigint, sum(amount), 0, 0 FROM ({_DECIDED}) AS decided
    GROUP BY status, currency
    UNION ALL
    SELECT 'due today', type, '', count(*), 0, 0, 0 {_UNFINISHED}
      AND due_at >= %(now)s AND due_at < %(tomorrow)s GROUP BY type
    UNION ALL
    SELECT 'overdue', '', '', ({_OVERDUE}), 0, 0, 0
"""  # noqa: S608 - constants


def overview(actor: Actor, counted: Iterable[str] = ()) -> Overview:
    """Return the figures of what the actor sees, by one statement.

    A month is one of the organization's calendar, today what is left of the actor's; `counted` names kinds of kept
    counts.
    """
    now, tomorrow = reminders.spans(actor.timezone)["today"]
    zone = actor.organization_timezone
    requested = {
        **scope_params(actor),
        **_month(clock.today(zone), zone),
        "counted": list(counted),
        "tomorrow": tomorrow,
        "now": now,
        "midnight": _midnight_before(now),
        "due_month": (due_month := _nearest_month(now.date())),
        **_signed("due", due_month, now.date()),
    }
    rows: dict[str, list[Any]] = {}
    for about, *rest in db.fetch(_OVERVIEW, requested):
        rows.setdefault(about, []).append(rest)
    decided = deal_figures(rows.pop("this month", []))
    due = {kind: count for kind, _, count, *_ in rows.pop("due today", [])}
    [[_, _, overdue, *_]] = rows.pop("overdue")
    return Overview(
        deals=deal_figures(rows.pop("all", [])),
        won_this_month=decided.won,
        lost_this_month=decided.lost,
        due_today=sum(due.values()),
        tasks_due_today=due.get(ActivityType.TASK, 0),
        overdue=overdue,
        counted={kind: found[0][2] for kind, found in rows.items()},
    )


def by_pipeline(actor: Actor) -> dict[str, DealFigures]:
    """Return the figures of the deals that the actor sees by the pipeline's id, as text; none where it has no deal."""
    rows: dict[str, list[Any]] = {}
    for pipeline, *rest in db.fetch(_BY_PIPELINE, scope_params(actor)):
        rows.setdefault(pipeline, []).append(rest)
    return {pipeline: deal_figures(found) for pipeline, found in rows.items()}


_BY_PIPELINE = _STANDING.format(group="stage.pipeline_id")


def decided_between(actor: Actor, start: datetime, end: datetime) -> DealFigures:
    """Return the deals that the actor sees and that were won or lost from `start` to before `end`."""
    rows = db.fetch(_DECIDED_BETWEEN, {**scope_params(actor), **Span(start, end).parameters()})
    return deal_figures([(*row, 0, 0) for row in rows])


_DECIDED_BETWEEN = (
    f"SELECT status, currency, sum(n)::bigint, sum(amount) FROM ({_DECIDED}) AS decided GROUP BY status, currency"  # noqa: S608 - constants
)


def time_in_stages(actor: Actor, first: date, last: date) -> dict[str, float]:
    """Return, by the stage's id as text, how many days the deals that left it had spent there, on average.

    Counted are moves on the days of UTC from `first` to `last`; whose the deal was then decides who sees them.
    """
    rows = db.fetch(_TIME_IN_STAGES, {**scope_params(actor), "first": first, "last": last})
    return {stage: average_days(seconds, moves) or 0.0 for stage, moves, seconds in rows}


_TIME_IN_STAGES = f"""
SELECT stage_id, sum(n)::bigint, sum(seconds)::bigint FROM sales_figure
WHERE organization_id = %(organization)s AND kind = 'left' AND day BETWEEN %(first)s AND %(last)s AND {OWN_ROWS}
GROUP BY stage_id
"""  # noqa: S608 - constants


def deal_figures(rows: Iterable[Any]) -> DealFigures:
    """Return what rows of (status, currency, count, value, weighted value in percents, seconds to win) add up to."""
    totals = {status: (0, dict[str, int]()) for status in STATUSES}
    weighted: dict[str, int] = {}
    seconds = 0
    for status, currency, count, amount, percents, to_win in rows:
        if not count:  # signed rows that cancel out and are not folded yet
            continue
        before, values = totals[status]
        values[currency] = values.get(currency, 0) + int(amount)
        totals[status] = before + count, values
        seconds += to_win
        if status == DealStatus.OPEN:
            weighted[currency] = weighted.get(currency, 0) + int(percents)
    found = {status: Total(count, values) for status, (count, values) in totals.items()}
    # Half a minor unit is rounded up, once, at the end.
    return DealFigures(
        **found,
        weighted={currency: (percents + PERCENT // 2) // PERCENT for currency, percents in weighted.items()},
        seconds_to_win=seconds,
    )


@lru_cache(maxsize=1024)  # a month of each zone stays the same all day
def _month(day: date, zone: str) -> dict[str, Any]:
    """Return the parameters of the month of `day` in `zone`."""
    return Span(*clock.month_bounds(day, zone)).parameters()


def _nearest_month(day: date) -> date:
    """Return the first of a month that fewest days lie between."""
    first = day.replace(day=1)
    return first if day.day <= HALF_A_MONTH else (first + timedelta(days=32)).replace(day=1)


def _signed(name: str, start: date, end: date) -> dict[str, date | int]:
    """Return the days from `start` to before `end`, to be added, or where they lie the other way, to be taken away."""
    return {f"{name}_from": min(start, end), f"{name}_to": max(start, end), f"{name}_sign": 1 if start <= end else -1}


def _midnight_before(moment: datetime) -> datetime:
    return datetime.combine(moment.astimezone(UTC).date(), time.min, tzinfo=UTC)


def _midnight_from(moment: datetime) -> datetime:
    midnight = _midnight_before(moment)
    return midnight if midnight == moment else midnight + timedelta(days=1)
