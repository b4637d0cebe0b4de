"""Kept sums equal the rows, whatever happened to them, wherever a month or a day begins, whoever folds meanwhile."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.db.models import F

from crm.core import counters
from sales.models import Activity, Deal, Figure, Pipeline, Stage
from sales.services import figures
from tests.races.concurrency import crowd
from tests.sales import reference_model

NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)
# The beginning, both sides of the middle and the end of a month: what is read from whole months differs.
MOMENTS = (NOON, NOON.replace(day=1, hour=3), NOON.replace(day=16), NOON.replace(day=30, hour=23))
ZONES = ("UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati", "Pacific/Pago_Pago")
KINDS = (("open", 10), ("open", 40), ("won", 100), ("lost", 0))


@pytest.fixture
def firm(organization):
    return organization(roles=("owner", "manager", "staff"))


def lay(tenant):
    """A pipeline of one stage of each sort."""
    with tenant.inside():
        pipeline = Pipeline.objects.create(organization_id=tenant.id, name="Sales")
        return [
            Stage.objects.create(
                organization_id=tenant.id, pipeline=pipeline, name=kind, position=at, kind=kind, probability=probability
            )
            for at, (kind, probability) in enumerate(KINDS)
        ]


class Hand:
    """Changes rows at random, one or several by a statement, as services and the back office might."""

    def __init__(self, tenant, stages, seed):
        self.tenant, self.stages = tenant, stages
        self.chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self.people = [tenant.manager.pk, tenant.staff.pk, None]
        self.rank = 0

    def moment(self, days=40):
        return NOON + timedelta(seconds=self.chance.uniform(-days, days) * 86_400)

    def standing(self, deal, stage):
        """Put a deal into a stage."""
        closed = None if stage.kind == "open" else self.moment()
        deal.stage, deal.status, deal.closed_at = stage, stage.kind, closed
        deal.pipeline_id, deal.stage_entered_at = stage.pipeline_id, self.moment()
        return deal

    def deal(self):
        self.rank += 1
        deal = Deal(
            organization_id=self.tenant.id,
            title="D",
            rank=self.rank,
            amount=self.chance.choice([0, 1, 5005, 10**15 - 1]),
            currency=self.chance.choice(["USD", "USD", "EUR", "JPY"]),
            probability=self.chance.choice([None, None, 0, 33, 100]),
            owner_id=self.chance.choice(self.people),
        )
        return self.standing(deal, self.chance.choice(self.stages))

    def activity(self):
        return Activity(
            organization_id=self.tenant.id,
            subject="A",
            type=self.chance.choice(["task", "call"]),
            due_at=self.chance.choice([None, self.moment(2), self.moment(), self.moment(400)]),
            owner_id=self.chance.choice(self.people),
            created_by_id=self.chance.choice(self.people),
        )

    def some(self, model):
        pks = sorted(model.objects.of(self.tenant.id).values_list("pk", flat=True))
        return model.objects.of(self.tenant.id).filter(
            pk__in=self.chance.sample(pks, min(len(pks), self.chance.randint(1, 3)))
        )

    def act(self):
        """Do one thing, in a transaction of its own."""
        with self.tenant.inside():
            getattr(self, self.chance.choice(self.ACTS))()

    def make(self):
        Deal.objects.bulk_create([self.deal() for _ in range(self.chance.randint(1, 3))])
        Activity.objects.bulk_create([self.activity() for _ in range(self.chance.randint(1, 3))])

    def move(self):
        for deal in self.some(Deal):
            self.standing(deal, self.chance.choice(self.stages)).save()

    def edit(self):
        self.some(Deal).update(amount=self.chance.choice([0, 777]), currency=self.chance.choice(["USD", "EUR"]))
        self.some(Deal).update(probability=self.chance.choice([None, 50]), owner_id=self.chance.choice(self.people))
        self.some(Activity).update(due_at=self.moment(3), owner_id=self.chance.choice(self.people))

    def hide(self):
        for model in (Deal, Activity):
            self.some(model).update(deleted_at=NOON)

    def bring_back(self):
        for model in (Deal, Activity):
            self.some(model).update(deleted_at=None)

    def finish(self):
        self.some(Activity).update(status="completed", completed_at=NOON)
        self.some(Activity).update(status="in_progress", completed_at=None)

    def reweigh(self):
        stage = self.chance.choice(self.stages[:2])
        Stage.objects.of(self.tenant.id).filter(pk=stage.pk).update(probability=self.chance.randint(0, 100))

    def erase(self):
        for model in (Deal, Activity):
            self.some(model).delete()

    ACTS = ("make", "make", "make", "move", "edit", "hide", "bring_back", "finish", "reweigh", "erase")


def told_and_true(tenant, at=NOON, **zones):
    """What the figures say to who sees all and to who sees their own, and what the rows say."""
    told, true = {}, {}
    # Signed in today: the database has a clock of its own, which ends a session of that day in time.
    actors = {role: replace(tenant.actor(role), **zones) for role in ("owner", "staff", "manager")}
    with time_machine.travel(at, tick=False):
        for role, actor in actors.items():
            with tenant.inside():
                told[role], true[role] = figures.overview(actor), reference_model.overview(actor, at)
    return told, true


@pytest.mark.parametrize("seed", range(4))
def test_figures_equal_the_rows_after_any_sequence(firm, seed):
    hand = Hand(firm, lay(firm), seed)

    for step in range(60):
        hand.act()
        if step % 20 == 10:
            counters.compact()

        if step % 10 == 9:
            zone = ZONES[(seed + step) % len(ZONES)]
            for at in MOMENTS:
                told, true = told_and_true(firm, at, timezone=zone, organization_timezone=zone)
                assert told == true

    counters.compact()
    told, true = told_and_true(firm)
    assert told == true
    assert told["owner"].deals.count > 0


@pytest.mark.parametrize("seed", range(2))
def test_decided_deals_of_any_span_equal_the_rows(firm, seed):
    hand = Hand(firm, lay(firm), seed)
    for _ in range(40):
        hand.act()

    for days in (0.001, 0.4, 1, 1.5, 3, 14, 20, 29, 31, 40, 61, 75):
        start = hand.moment().replace(microsecond=0)
        end = start + timedelta(days=days)
        for role in ("owner", "staff"):
            actor = firm.actor(role)
            with firm.inside():
                told = figures.decided_between(actor, start, end)
                decided = [
                    deal for deal in reference_model.deals_of(actor) if deal.closed_at and start <= deal.closed_at < end
                ]
            assert (told.won, told.lost) == tuple(
                reference_model.total([deal for deal in decided if deal.status == status]) for status in ("won", "lost")
            )


def test_the_month_begins_and_ends_at_the_organizations_midnight(firm):
    """14 hours ahead of UTC, November lasts from 31 October 10:00 to 30 November 10:00."""
    hand = Hand(firm, stages := lay(firm), 1)
    begins, ends = datetime(2026, 10, 31, 10, tzinfo=UTC), datetime(2026, 11, 30, 10, tzinfo=UTC)
    instant = timedelta(microseconds=1)
    with firm.inside():
        for at, amount in ((begins - instant, 1), (begins, 10), (NOON, 100), (ends - instant, 1000), (ends, 10_000)):
            deal = hand.standing(hand.deal(), stages[2])
            deal.closed_at, deal.amount, deal.currency = at, amount, "USD"
            deal.save()

    told, true = told_and_true(firm, organization_timezone="Pacific/Kiritimati")

    assert told == true
    assert told["owner"].won_this_month == figures.Total(3, {"USD": 1110})


def test_today_is_the_rest_of_the_persons_and_overdue_ends_now(firm):
    """In Pago Pago (11 hours behind) the 15th lasts from 11:00 UTC to 11:00 UTC of the 16th."""
    begins = datetime(2026, 11, 15, 11, tzinfo=UTC)
    instant = timedelta(microseconds=1)
    with firm.inside():
        for at in (begins - instant, begins, NOON, NOON - instant, begins + timedelta(days=1) - instant):
            Activity.objects.create(organization_id=firm.id, subject="A", due_at=at)
        Activity.objects.create(organization_id=firm.id, subject="A", due_at=begins + timedelta(days=1))
        Activity.objects.create(organization_id=firm.id, subject="A", due_at=datetime(2024, 2, 29, tzinfo=UTC))

    told, true = told_and_true(firm, timezone="Pacific/Pago_Pago")

    assert told == true
    assert (told["owner"].due_today, told["owner"].overdue) == (2, 4)


def test_ones_own_activities_are_those_assigned_to_one_and_those_one_made(firm):
    staff, manager = firm.staff.pk, firm.manager.pk
    with firm.inside():
        for owner, maker in ((staff, staff), (staff, manager), (manager, staff), (None, staff), (manager, manager)):
            Activity.objects.create(
                organization_id=firm.id,
                subject="A",
                due_at=NOON - timedelta(hours=1),
                owner_id=owner,
                created_by_id=maker,
            )

    told, true = told_and_true(firm)

    assert told == true
    assert {role: figure.overdue for role, figure in told.items()} == {"owner": 5, "staff": 4, "manager": 5}


def test_a_stages_new_probability_counts_at_once_for_the_deals_that_take_it(firm):
    hand = Hand(firm, stages := lay(firm), 1)
    with firm.inside():
        for probability in (None, 25):
            deal = hand.standing(hand.deal(), stages[0])
            deal.amount, deal.currency, deal.probability = 1001, "USD", probability
            deal.save()
        actor = firm.actor("owner")
        assert figures.overview(actor).deals.weighted == {"USD": 350}  # 100.1 and 250.25
        Stage.objects.of(firm.id).filter(pk=stages[0].pk).update(probability=100)

        assert figures.overview(actor).deals.weighted == {"USD": 1251}


def test_time_in_a_stage_counts_what_was_spent_before_each_move(firm):
    hand = Hand(firm, stages := lay(firm), 1)
    with firm.inside():
        deals = [hand.standing(hand.deal(), stages[0]) for _ in range(2)]
        for deal, days in zip(deals, (1, 4), strict=True):
            deal.stage_entered_at, deal.owner_id = NOON - timedelta(days=days), firm.staff.pk
            deal.save()
        Deal.objects.of(firm.id).update(stage=stages[1], stage_entered_at=NOON)
        Deal.objects.of(firm.id).update(stage_entered_at=F("stage_entered_at") - timedelta(days=9))
    counters.compact()

    with firm.inside():
        for role, found in (("owner", {str(stages[0].pk): 2.5}), ("staff", {str(stages[0].pk): 2.5}), ("manager", {})):
            actor = firm.actor(role)
            if role == "manager":
                actor = replace(actor, sees_all=False)
            assert figures.time_in_stages(actor, NOON.date(), NOON.date()) == found
        before = (NOON - timedelta(days=1)).date()
        assert figures.time_in_stages(firm.actor("owner"), before, before) == {}


# Both in one statement, and so of one moment.
DIFFERENCE = """
SELECT (SELECT count(*) FROM sales_deal WHERE deleted_at IS NULL)
     - (SELECT coalesce(sum(n), 0) FROM sales_figure WHERE kind = 'deals')
"""
WRITERS, FOLDERS = 4, 2


@pytest.mark.races
def test_figures_equal_the_rows_while_many_write_and_fold(firm):
    stages, finished, wrong = lay(firm), [], []

    def write(number):
        hand = Hand(firm, stages, number)
        hand.rank = number * 10_000
        try:
            for _ in range(15):
                with firm.inside():
                    hand.make()
                    hand.some(Deal).filter(rank__range=(number * 10_000, number * 10_000 + 9_999)).delete()
        finally:
            finished.append(number)

    def work(number):
        if number < WRITERS:
            write(number)
        while len(finished) < WRITERS:
            if number < WRITERS + FOLDERS:
                counters.compact()
                continue
            with firm.inside(), connection.cursor() as cursor:
                cursor.execute(DIFFERENCE)
                wrong.extend(difference for (difference,) in cursor if difference)

    crowd(WRITERS + FOLDERS + 1, work)

    assert wrong == []
    told, true = told_and_true(firm)
    assert told == true
    counters.compact()
    assert told_and_true(firm)[0] == told
    with firm.inside():
        kept = Figure.objects.filter(organization_id=firm.id, kind="deals")
        assert kept.count() == len(set(kept.values_list("owner_id", "stage_id", "status", "currency")))
