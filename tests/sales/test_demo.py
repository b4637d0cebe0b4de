"""The chapter of sales in `seed_demo`: alive on every surface, and as the services would have made it."""

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from contacts.models import Contact
from contacts.services.timeline import IN_TOUCH
from crm.core import clock
from crm.core.models import Event
from sales.demo.invention import Invention, Party, Track
from sales.models import Activity, Deal, Pipeline
from sales.services import activities, figures, search_index
from sales.services.deal_moves import HISTORY
from tests.sales import reference_model
from tests.support.demo import seeded

MOVES = "deal.moved"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return seeded(tmp_path_factory.mktemp("data"), "--contacts", "160")


def stages_of(demo, mailbox="owner", **query):
    return demo.client(mailbox).get("deals", **query).json()["data"]["stages"]


def test_the_board_is_alive_in_both_pipelines(demo):
    pipelines = demo.client("owner").get("pipelines").json()["data"]["pipelines"]

    assert [pipeline["name"] for pipeline in pipelines].count("Partnerships") == 1
    for pipeline in pipelines:
        stages = stages_of(demo, pipelineId=pipeline["id"])
        assert sum(stage["dealCount"] for stage in stages) > 5
        assert sum(stage["dealCount"] > 0 for stage in stages) >= 3
    board = stages_of(demo)
    assert all(stage["dealCount"] > 0 and stage["deals"] for stage in board)
    currencies = {deal["currency"] for stage in board for deal in stage["deals"]}
    assert len(currencies) > 1
    assert (
        0 < sum(stage["dealCount"] for stage in stages_of(demo, "staff")) < sum(stage["dealCount"] for stage in board)
    )


def test_a_deal_of_the_demo_moves_across_the_board(demo):
    client = demo.client("owner")
    first, second = stages_of(demo)[:2]
    deal, pipeline = first["deals"][0], client.get("deals").json()["data"]["pipeline"]

    moved = client.post(
        f"pipelines/{pipeline['id']}/stages", {"dealId": deal["id"], "stageId": second["id"], "position": 0}
    )

    assert moved.status_code == 200, moved.content
    assert stages_of(demo)[1]["deals"][0]["id"] == deal["id"]
    history = demo.client("owner", "platform").get(f"opportunities/{deal['id']}/history").json()["items"]
    assert history[-1]["to_stage"]["id"] == second["id"] or history[0]["to_stage"]["id"] == second["id"]


@pytest.mark.parametrize("mailbox", ["owner", "manager", "staff", "colleague1"])
def test_everybody_has_something_to_do(demo, mailbox):
    actor = demo.actor(mailbox)
    now = clock.now()
    today = clock.day_bounds(clock.today(actor.timezone), actor.timezone)
    with demo.inside():
        due = [row.due_at for row in Activity.objects.of(actor).alive().unfinished().filter(owner_id=actor.user_id)]

    assert [at for at in due if at < now]
    assert [at for at in due if now <= at < today[1]]
    assert [at for at in due if today[1] <= at < today[1] + timedelta(days=7)]
    reminders = demo.client(mailbox).get("tasks/reminders").json()["data"]
    assert all(reminders[when] and reminders["counts"][when] > 0 for when in ("overdue", "today", "upcoming"))


def test_the_kept_figures_are_what_counting_says(demo):
    for mailbox in ("owner", "staff"):
        actor = demo.actor(mailbox)
        with demo.inside():
            kept = replace(figures.overview(actor), counted={})
            assert kept == reference_model.overview(actor, clock.now())
            assert kept.due_today > 0
            assert kept.overdue > 0
    assert kept.deals.count > 0
    with demo.inside():
        everything = figures.overview(demo.actor("owner"))
    assert everything.won_this_month.count > 0
    assert everything.lost_this_month.count > 0
    assert everything.deals.average_cycle > 1


def test_the_time_in_stages_was_counted_move_by_move(demo):
    actor = demo.actor("owner")
    today = clock.now().date()
    with demo.inside():
        spent = figures.time_in_stages(actor, today - timedelta(days=400), today)
        moves = Event.objects.of(actor).filter(name=MOVES, occurred_at__lt=clock.now())
        left = defaultdict(list)
        for metadata in moves.values_list("metadata", flat=True):
            left[metadata["from_stage"]["id"]].append(metadata["seconds_in_stage"])

    assert spent.keys() == left.keys()
    for stage, seconds in left.items():
        assert spent[stage] == pytest.approx(sum(seconds) / len(seconds) / 86_400, abs=0.01)


def test_the_history_of_every_deal_is_a_chain(demo):
    actor = demo.actor("owner")
    chains = defaultdict(list)
    with demo.inside():
        deals = {deal.pk: deal for deal in Deal.objects.of(actor)}
        for event in Event.objects.of(actor).filter(name__in=HISTORY).order_by("subject_id", "occurred_at", "id"):
            chains[event.subject_id].append(event)

    assert chains.keys() == deals.keys()
    assert any(len(chain) > 3 for chain in chains.values())
    for pk, chain in chains.items():
        deal = deals[pk]
        assert chain[0].name == "deal.created"
        assert chain[0].occurred_at == deal.created_at
        for before, after in pairwise(chain):
            assert after.metadata["from_stage"] == before.metadata["to_stage"]
            passed = after.occurred_at - before.occurred_at
            assert after.metadata["seconds_in_stage"] == int(passed.total_seconds())
        assert chain[-1].metadata["to_stage"]["id"] == str(deal.stage_id)
        assert chain[-1].occurred_at == deal.stage_entered_at
        assert (deal.closed_at is None) == (deal.status == "open")


def test_nothing_happens_before_those_concerned_are_there(demo):
    with demo.inside():
        since = dict(Contact.objects.of(demo.organization.pk).values_list("id", "created_at"))
        rows = Event.objects.of(demo.organization.pk).filter(contact_id__isnull=False)
        assert [event.title for event in rows if event.occurred_at < since[event.contact_id]] == []
        deals = dict(Deal.objects.of(demo.organization.pk).values_list("id", "created_at"))
        rows = Event.objects.of(demo.organization.pk).filter(deal_id__isnull=False)
        assert [event.title for event in rows if event.occurred_at < deals[event.deal_id]] == []
        assert not Event.objects.of(demo.organization.pk).filter(occurred_at__gt=clock.now()).exists()


def told(event):
    """What an event is made of, beside what it is about."""
    return (
        event.name,
        event.kind,
        event.subject_type,
        tuple(sorted(event.metadata)),
        tuple(sorted(event.changes)),
        event.deal_id is None,
        event.contact_id is None,
    )


def test_its_events_are_those_that_the_services_record(demo):
    client, actor = demo.client("owner", "platform"), demo.actor("owner")
    with demo.inside():
        contact = Contact.objects.of(actor).filter(status="active", company__isnull=False).first()
        theirs = Event.objects.of(actor).exclude(name__endswith="updated").exclude(name="deal.reordered")
        in_bulk = {told(event) for event in theirs.filter(subject_type__in=["deal", "activity"])}
    stages = demo.client("owner").get("deals").json()["data"]["stages"]

    deal = client.post("opportunities", {"name": "By hand", "contact_id": str(contact.pk), "amount": 5}).json()
    for stage in (stages[1], stages[4], stages[5]):
        assert (
            client.post(f"opportunities/{deal['id']}/move", {"stage_id": stage["id"], "note": "On."}).status_code == 200
        )
    activity = client.post(
        "activities",
        {"type": "call", "subject": "By hand", "opportunity_id": deal["id"], "contact_id": str(contact.pk)},
    ).json()
    assert client.post(f"activities/{activity['id']}/complete").status_code == 200

    with demo.inside():
        made = Event.objects.of(actor).filter(subject_id__in=[deal["id"], activity["id"]])
        by_hand = {told(event) for event in made}
    assert len(by_hand) == 5
    assert by_hand <= in_bulk


def test_derived_columns_are_what_the_services_make(demo):
    actor = demo.actor("owner")
    with demo.inside():
        rows = Deal.objects.of(actor).select_related("contact", "company")
        stored = dict(rows.values_list("pk", "search"))
        for deal in rows:
            search_index.refresh(deal, deal.contact, deal.company)
            assert words(deal.search) == lexemes(stored[deal.pk])
        rows = Activity.objects.of(actor)
        stored = dict(rows.values_list("pk", "search"))
        for activity in rows:
            activities.index(activity)
            assert words(activity.search) == lexemes(stored[activity.pk])


def words(vector):
    return set(vector.get_source_expressions()[0].value)


def lexemes(stored):
    return {word.partition(":")[0].strip("'") for word in stored.split(" ")}


def test_who_was_called_met_or_written_to_was_in_touch(demo):
    with demo.inside():
        rows = Activity.objects.of(demo.organization.pk).filter(completed_at__isnull=False, type__in=IN_TOUCH)
        for activity in rows.filter(contact__isnull=False).select_related("contact"):
            assert activity.contact.last_contacted_at >= activity.completed_at


def test_a_second_run_adds_to_what_is_there(demo, settings, tmp_path):
    from django.core.management import call_command

    settings.CRM_DATA_DIR = tmp_path
    with demo.inside():
        before = Deal.objects.of(demo.organization.pk).count()
    call_command("seed_demo", "--organization", demo.organization.slug, "--contacts", "8", "--seed", "2")

    with demo.inside():
        assert Deal.objects.of(demo.organization.pk).count() == before + 3
        assert Pipeline.objects.of(demo.organization.pk).count() == 2


def test_the_same_seed_invents_the_same_sales():
    today = clock.now()
    since = today - timedelta(days=200)
    parties = [Party(f"Party {number}", "", number % 2, since) for number in range(9)]

    def deals(seed):
        invention = Invention(
            seed,
            tracks=[Track(["open", "open", "won", "lost"], ["chairs"])],
            parties=parties,
            zones=["UTC", "Asia/Tokyo"],
            currency="USD",
            today=today,
            month_began=today - timedelta(days=3),
        )
        found = list(invention.deals(40))
        return found, list(invention.activities(60, found))

    assert deals(1) == deals(1)
    assert deals(1) != deals(2)
