"""Invents deals that move through pipelines, and activities: the same for the same seed, counted back from `today`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from contacts.demo.chapters import YEAR
from crm.core import clock, money
from crm.core.money import LARGEST_MINOR
from sales.demo import words
from sales.models import ActivityStatus, ActivityType, DealStatus, Priority

OPEN, WON, LOST = DealStatus.OPEN.value, DealStatus.WON.value, DealStatus.LOST.value
PENDING, IN_PROGRESS = ActivityStatus.PENDING.value, ActivityStatus.IN_PROGRESS.value
COMPLETED, CANCELLED = ActivityStatus.COMPLETED.value, ActivityStatus.CANCELLED.value
PRIORITIES = [priority.value for priority in Priority]
PRIORITY_WEIGHTS = (20, 75, 95, 100)  # cumulative percent
TASK = ActivityType.TASK.value
TYPES = [type_.value for type_ in ActivityType]
TYPE_WEIGHTS = (35, 60, 75, 92, 100)
THIS_MONTH_EACH = 18  # of so many deals one is decided in the current month
ON_THE_DESK = {"overdue": 2, "today": 3, "upcoming": 4}  # what everybody who works has to do
DAY = timedelta(days=1)
A_WHILE = timedelta(days=20)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Track:
    """A pipeline as positions of its stages: those that deals pass, and where they end, if anywhere."""

    kinds: Sequence[str]
    things: Sequence[str]

    @property
    def passed(self) -> list[int]:
        """Return the stages in which deals are open."""
        return [at for at, kind in enumerate(self.kinds) if kind == OPEN]

    def end(self, status: str) -> int | None:
        """Return the stage in which deals are won or lost."""
        return self.kinds.index(status) if status in self.kinds else None


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody to sell to; `owner` is a position among those who work."""

    name: str
    company: str
    owner: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """A deal's arrival in a stage."""

    stage: int
    at: datetime
    note: str = ""
    lost_reason: str = ""


@dataclass(slots=True)
class InventedDeal:
    """A deal to be; `track`, `party` and `owner` are positions in their lists, the first step is its creation."""

    title: str
    track: int
    party: int
    owner: int
    amount: int
    currency: str
    probability: int | None
    priority: str
    expected_close_date: date
    source: str
    tags: list[str]
    description: str
    steps: list[Step]
    deleted_at: datetime | None = None

    @property
    def created_at(self) -> datetime:
        """Return when it was made."""
        return self.steps[0].at


@dataclass(slots=True)
class InventedActivity:
    """An activity to be, about a deal (a position in their list) or else a party."""

    type: str
    subject: str
    description: str
    status: str
    priority: str
    owner: int
    created_by: int
    created_at: datetime
    due_at: datetime | None = None
    due_on: date | None = None
    completed_at: datetime | None = None
    deal: int | None = None
    party: int | None = None
    of_company: bool = field(default=False, kw_only=True)


class Invention:
    """One seed's sales. `zones` are the time zones of those who work, `month_began` is the start of this month."""

    def __init__(
        self,
        seed: int,
        *,
        tracks: Sequence[Track],
        parties: Sequence[Party],
        zones: Sequence[str],
        currency: str,
        today: datetime,
        month_began: datetime,
    ) -> None:
        self.chance = Random(f"sales {seed}")
        self.tracks, self.parties, self.zones, self.currency = tracks, parties, zones, currency
        self.today, self.month_began = today, month_began
        self.long_known: dict[int, list[int]] = {}
        for at, party in enumerate(parties):
            if party.since < today - A_WHILE:
                self.long_known.setdefault(party.owner, []).append(at)

    def deals(self, count: int) -> Iterator[InventedDeal]:
        """Yield deals of a whole year."""
        for number in range(count if self.parties else 0):
            yield self._deal(number)

    def activities(self, count: int, deals: Sequence[InventedDeal]) -> Iterator[InventedActivity]:
        """Yield what is on everybody's desk, then what was done over the year, until there are `count`."""
        wanted = count if self.parties else 0
        for worker in range(len(self.zones)):
            for when, often in ON_THE_DESK.items():
                for number in range(min(often, wanted)):
                    wanted -= 1
                    yield self._on_the_desk(worker, when, TASK if number == 0 else "")
        about = [at for at, deal in enumerate(deals) if deal.deleted_at is None]
        for _ in range(wanted):
            yield self._of_the_year(deals, about)

    # --- Deals

    def _deal(self, number: int) -> InventedDeal:
        chance = self.chance
        at = chance.randrange(len(self.parties))
        party = self.parties[at]
        track = 1 if len(self.tracks) > 1 and chance.random() < 0.15 else 0
        currency = self._currency()
        steps = self._decided_this_month(track, party, number) if number % THIS_MONTH_EACH == 0 else None
        steps = steps or self._steps(track, party.since)
        thing = chance.choice(self.tracks[track].things)
        return InventedDeal(
            title=f"{party.company or party.name}: {thing}",
            track=track,
            party=at,
            owner=party.owner,
            amount=self._amount(currency),
            currency=currency,
            probability=chance.randrange(5, 100, 5) if chance.random() < 0.15 else None,
            priority=self._priority(),
            expected_close_date=(steps[-1].at + timedelta(days=chance.randrange(-10, 60))).date(),
            source=chance.choice(words.SOURCES),
            tags=chance.sample(words.DEAL_TAGS, chance.randrange(1, 3)) if chance.random() < 0.4 else [],
            description=chance.choice(words.DESCRIPTIONS) if chance.random() < 0.5 else "",
            steps=steps,
            deleted_at=self._between(steps[-1].at, self.today) if chance.random() < 0.015 else None,
        )

    def _steps(self, track: int, since: datetime) -> list[Step]:
        """Walk through the open stages, in time or at once to the end, as far as today allows."""
        chance, passed = self.chance, self.tracks[track].passed
        created_at = self._between(max(since, self.today - YEAR), self.today)
        is_decided = chance.random() < 0.75
        end = self.tracks[track].end(WON if chance.random() < 0.58 else LOST) if is_decided else None
        route = passed[: chance.randrange(1, len(passed) + 1)] if end is None else self._route(passed)
        moment, steps = created_at, [Step(passed[0], created_at)]
        for stage in [*route[1:], *([end] if end is not None else [])]:
            moment += DAY * (0.2 + chance.expovariate(1 / 12))
            if moment >= self.today:
                break
            steps.append(self._step(track, stage, moment))
        return self._reopened(track, steps)

    def _decided_this_month(self, track: int, party: Party, number: int) -> list[Step] | None:
        """Return the way of a deal that is won, or every third time lost, in this month; None where it has no end."""
        end = self.tracks[track].end(LOST if number // THIS_MONTH_EACH % 3 == 2 else WON)
        if end is None:
            return None
        decided_at = self._between(max(party.since, self.month_began), self.today)
        route = self._route(self.tracks[track].passed)
        created_at = self._between(max(party.since, decided_at - 90 * DAY), decided_at)
        moments = sorted(self._between(created_at, decided_at) for _ in route[1:])
        passed = [self._step(track, stage, at) for stage, at in zip(route[1:], moments, strict=True)]
        return [Step(route[0], created_at), *passed, self._step(track, end, decided_at)]

    def _route(self, passed: list[int]) -> list[int]:
        """Return the open stages on the way to a decision: some deals leave one out, some end early."""
        kept = [passed[0], *(stage for stage in passed[1:] if self.chance.random() < 0.85)]
        return kept if self.chance.random() < 0.8 else kept[:2]

    def _reopened(self, track: int, steps: list[Step]) -> list[Step]:
        """Let a lost deal now and then come back."""
        if steps[-1].stage != self.tracks[track].end(LOST) or self.chance.random() > 0.08:
            return steps
        back_at = steps[-1].at + 20 * DAY
        return (
            [*steps, Step(self.tracks[track].passed[-1], back_at, "They asked again.")]
            if back_at < self.today
            else steps
        )

    def _step(self, track: int, stage: int, at: datetime) -> Step:
        chance, kind = self.chance, self.tracks[track].kinds[stage]
        note = chance.choice(words.MOVE_NOTES) if kind == OPEN and chance.random() < 0.3 else ""
        return Step(stage, at, note, chance.choice(words.LOST_REASONS) if kind == LOST else "")

    def _amount(self, currency: str) -> int:
        worth = min(int(self.chance.paretovariate(0.9) * 12) * 50, 240_000)
        minor: int = worth * 10 ** money.exponent(currency)
        return min(minor * (100 if currency == "JPY" else 1), LARGEST_MINOR)

    def _currency(self) -> str:
        others = [code for code in ("EUR", "JPY", "USD") if code != self.currency]
        return self.chance.choices([self.currency, *others[:2]], cum_weights=(88, 97, 100))[0]

    # --- Activities

    def _on_the_desk(self, worker: int, when: str, type_: str) -> InventedActivity:
        """Invent something unfinished: due a while ago, today (by the day or the hour) or this week."""
        chance = self.chance
        party = chance.choice(self.long_known.get(worker) or range(len(self.parties)))
        activity = self._activity(worker, party, type_)
        activity.status = IN_PROGRESS if chance.random() < 0.2 else PENDING
        activity.created_at = max(self.parties[party].since, self.today - A_WHILE * chance.uniform(0.5, 1))
        here = self.today.astimezone(ZoneInfo(self.zones[worker]))
        if when == "overdue":
            self._due(activity, self.today - DAY * chance.uniform(1, 9))
        elif when == "today" and chance.random() < 0.5:
            self._due(
                activity, self._between(self.today, clock.day_bounds(here.date(), self.zones[worker])[1] - MINUTE)
            )
        else:
            self._due_on(activity, here.date() + timedelta(days=0 if when == "today" else chance.randrange(1, 7)))
        return activity

    def _of_the_year(self, deals: Sequence[InventedDeal], about: Sequence[int]) -> InventedActivity:
        """Invent something of the past that was done, now and then dropped or left lying."""
        chance = self.chance
        at = chance.choice(about) if about and chance.random() < 0.6 else None
        party = deals[at].party if at is not None else chance.randrange(len(self.parties))
        owner = deals[at].owner if at is not None else self.parties[party].owner
        since = deals[at].created_at if at is not None else self.parties[party].since
        activity = self._activity(owner, party)
        activity.deal = at
        activity.of_company = at is None and bool(self.parties[party].company) and chance.random() < 0.2
        activity.created_at = self._between(max(since, self.today - YEAR), self.today)
        due_at = activity.created_at + DAY * chance.uniform(0.1, 12)
        if chance.random() < 0.5:
            self._due(activity, due_at)
        else:
            self._due_on(activity, due_at.astimezone(ZoneInfo(self.zones[owner])).date())
        ended_at = activity.created_at + (due_at - activity.created_at) * chance.uniform(0.3, 1.2)
        if ended_at < self.today:
            fate = chance.random()
            activity.status = COMPLETED if fate < 0.9 else CANCELLED if fate < 0.97 else PENDING
            activity.completed_at = ended_at if activity.status == COMPLETED else None
        return activity

    def _activity(self, owner: int, party: int, type_: str = "") -> InventedActivity:
        chance = self.chance
        type_ = type_ or chance.choices(TYPES, cum_weights=TYPE_WEIGHTS)[0]
        is_delegated = chance.random() < 0.1
        return InventedActivity(
            type=type_,
            subject=f"{chance.choice(words.SUBJECTS[type_])}: {self.parties[party].name}",
            description=chance.choice(words.ACTIVITY_DESCRIPTIONS) if chance.random() < 0.4 else "",
            status=PENDING,
            priority=self._priority(),
            owner=owner,
            created_by=chance.randrange(len(self.zones)) if is_delegated else owner,
            created_at=self.today,
            party=party,
        )

    def _due(self, activity: InventedActivity, at: datetime) -> None:
        activity.due_at = at.replace(second=0, microsecond=0)

    def _due_on(self, activity: InventedActivity, day: date) -> None:
        """Make it due on a day: its last second where the owner lives."""
        activity.due_on = day
        activity.due_at = clock.day_bounds(day, self.zones[activity.owner])[1] - timedelta(seconds=1)

    # --- Chance

    def _priority(self) -> str:
        return self.chance.choices(PRIORITIES, cum_weights=PRIORITY_WEIGHTS)[0]

    def _between(self, first: datetime, last: datetime) -> datetime:
        return first + max(last - first, timedelta(0)) * self.chance.random()
