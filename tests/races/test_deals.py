"""A board in many hands: no move lost, no position twice, every history a chain; each lock with its control."""

import random
from collections import Counter
from itertools import pairwise
from threading import Barrier
from threading import Event as Signal

import pytest

from contacts.models import Contact
from contacts.services import shoppers
from crm.core.db import lock_rows
from crm.core.models import Event
from sales.models import Activity, Deal, Pipeline, Stage
from sales.services import activities, associations, deal_moves, deal_ranks, deals, stages
from tests.races.concurrency import crowd

pytestmark = pytest.mark.races

SIZE = 12
HISTORY = ("deal.created", "deal.moved")


@pytest.fixture
def firm(organization):
    return organization(roles=("owner", "manager"))


@pytest.fixture
def clients(firm, client_for):
    return [client_for(firm.manager) for _ in range(SIZE)]


@pytest.fixture
def platforms(firm, client_for):
    return [client_for(firm.owner, "platform") for _ in range(SIZE)]


@pytest.fixture
def board(firm):
    """The default pipeline's id, and its stages' ids in their order."""
    with firm.inside():
        pipeline = Pipeline.objects.of(firm.id).get(is_default=True)
        return str(pipeline.pk), [str(pk) for pk in pipeline.stages.values_list("pk", flat=True)]


def made(tenant, count):
    actor = tenant.actor("manager")
    with tenant.inside():
        return [str(deals.create_deal(actor, title=f"Deal {number}").pk) for number in range(count)]


def statuses(responses):
    return Counter(response.status_code for response in responses)


def rows(tenant, model, **filters):
    with tenant.inside():
        return list(model.objects.of(tenant.id).filter(**filters).order_by("id"))


def chains(tenant):
    """Where each deal has been, as its history tells: [(from, to), …] by deal."""
    found = {}
    with tenant.inside():
        for event in Event.objects.of(tenant.id).filter(name__in=HISTORY).order_by("occurred_at", "id"):
            step = (event.metadata.get("from_stage") or {}).get("id"), event.metadata["to_stage"]["id"]
            found.setdefault(str(event.subject_id), []).append(step)
    return found


def is_chain(steps):
    return steps[0][0] is None and all(before[1] == after[0] for before, after in pairwise(steps))


@pytest.mark.parametrize(
    ("size", "count", "turns", "gap"),
    [(50, 200, 7, deal_ranks.GAP), (24, 30, 6, 2)],
    ids=["50 people, 200 deals", "no room between deals"],
)
def test_many_drag_deals_around_one_board(firm, client_for, board, monkeypatch, size, count, turns, gap):
    monkeypatch.setattr(deal_ranks, "GAP", gap)
    pipeline, stage_ids = board
    every = made(firm, count)
    crowded = [client_for(firm.manager) for _ in range(size)]
    asked = Counter()
    plans = []
    for number in range(size):
        chance = random.Random(number)  # noqa: S311 - repeatable, not secret
        # A third of all moves are of ten deals that everybody wants.
        plans.append(
            [
                (chance.choice(every[:10] if turn % 3 == 0 else every), chance.choice(stage_ids), chance.randrange(12))
                for turn in range(turns)
            ]
        )
        asked.update((deal, stage) for deal, stage, _ in plans[-1])

    def work(number):
        bodies = [{"dealId": deal, "stageId": stage, "position": at} for deal, stage, at in plans[number]]
        return [crowded[number].post(f"pipelines/{pipeline}/stages", body) for body in bodies]

    answers = [answer for answers in crowd(size, work) for answer in answers]

    assert statuses(answers) == {200: size * turns}
    shown = Counter((answer.json()["data"]["id"], answer.json()["data"]["stageId"]) for answer in answers)
    assert shown == asked  # each answer shows the move that was asked for
    found, histories = rows(firm, Deal), chains(firm)
    assert len(found) == len(histories) == count
    for deal in found:
        steps = histories[str(deal.pk)]
        assert is_chain(steps), steps
        assert steps[-1][1] == str(deal.stage_id)
        assert (deal.status == "open") == (deal.closed_at is None)
    first = stage_ids[0]
    for deal, stage in asked:
        assert stage == first or (stage in [to for _, to in histories[deal]])
    for stage in stage_ids:
        ranks = [deal.rank for deal in found if str(deal.stage_id) == stage]
        assert len(set(ranks)) == len(ranks)
        positions = [crowded[0].get(f"deals/{deal.pk}").json()["data"]["position"] for deal in _ends(found, stage)]
        assert positions == [0, len(ranks) - 1][: len(positions)] or len(ranks) == 1


def _ends(found, stage):
    standing = sorted((deal for deal in found if str(deal.stage_id) == stage), key=lambda deal: deal.rank)
    return [standing[0], standing[-1]] if standing else []


def drag_each(clients, board, every, stage):
    pipeline, stage_ids = board
    bodies = [{"dealId": deal, "stageId": stage_ids[stage]} for deal in every]
    return statuses(crowd(SIZE, lambda number: clients[number].post(f"pipelines/{pipeline}/stages", bodies[number])))


def test_all_who_come_last_stand_in_a_row(firm, clients, board):
    assert drag_each(clients, board, made(firm, SIZE), 1) == {200: SIZE}
    assert len({deal.rank for deal in rows(firm, Deal)}) == SIZE


def test_control_without_the_stage_s_lock_they_want_the_same_place(firm, clients, board, monkeypatch):
    all_have_read, free = Barrier(SIZE), deal_ranks._free

    def read_then_meet(*args):
        place = free(*args)
        all_have_read.wait(60)
        return place

    every = made(firm, SIZE)
    monkeypatch.setattr(deal_ranks, "_lock_first", lambda stages: stages.first())
    monkeypatch.setattr(deal_ranks, "_free", read_then_meet)

    assert drag_each(clients, board, every, 1) == {200: 1, 409: SIZE - 1}


def move_one(firm, clients, board):
    """Two move one deal at once, each to a stage of its own; return its history."""
    pipeline, stage_ids = board
    (deal,) = made(firm, 1)
    bodies = [{"dealId": deal, "stageId": stage} for stage in stage_ids[1:3]]
    answers = crowd(2, lambda number: clients[number].post(f"pipelines/{pipeline}/stages", bodies[number]))
    assert statuses(answers) == {200: 2}
    return chains(firm)[deal]


def test_of_two_moves_of_a_deal_the_second_begins_where_the_first_ends(firm, clients, board):
    assert is_chain(move_one(firm, clients, board))


def test_control_without_the_deal_s_lock_both_begin_at_the_same_stage(firm, clients, board, monkeypatch):
    both_have_read = Barrier(2)

    def read_then_meet(actor, pk):
        deal = Deal.objects.visible_to(actor).get(pk=pk)
        both_have_read.wait(60)
        return deal

    monkeypatch.setattr(deal_moves, "lock_living", read_then_meet)

    assert not is_chain(move_one(firm, clients, board))


def test_stages_in_many_hands_stay_in_a_row(firm, clients, platforms, board):
    pipeline, stage_ids = board
    every = made(firm, SIZE)
    path = f"pipelines/{pipeline}/stages"

    def work(number):
        chance = random.Random(number)  # noqa: S311 - repeatable, not secret
        if number % 3 == 0:
            new = platforms[number].post(path, {"name": f"New {number}", "position": chance.randrange(8)})
            return [new, platforms[number].delete(f"{path}/{new.json()['id']}")][number % 2 :]
        if number % 3 == 1:
            turns = [(chance.choice(stage_ids), chance.randrange(8)) for _ in range(4)]
            return [platforms[number].patch(f"{path}/{stage}", {"position": at}) for stage, at in turns]
        bodies = [{"dealId": every[number], "stageId": stage, "position": 0} for stage in stage_ids]
        return [clients[number].post(path, body) for body in bodies]

    answers = [answer for answers in crowd(SIZE, work) for answer in answers]

    assert statuses(answers).keys() <= {200, 201}
    positions = sorted(stage.position for stage in rows(firm, Stage))
    assert positions == list(range(len(positions)))


def add_at_once(platforms, board):
    path = f"pipelines/{board[0]}/stages"
    return statuses(crowd(SIZE, lambda number: platforms[number].post(path, {"name": f"New {number}"})))


def test_stages_added_at_once_stand_in_a_row(firm, platforms, board):
    assert add_at_once(platforms, board) == {201: SIZE}
    assert sorted(stage.position for stage in rows(firm, Stage)) == list(range(6 + SIZE))


def test_control_without_the_pipeline_s_lock_they_want_the_same_position(platforms, board, monkeypatch):
    all_have_read, read = Barrier(SIZE), stages.stages_of

    def read_then_meet(*args):
        order = read(*args)
        all_have_read.wait(60)
        return order

    monkeypatch.setattr(stages, "lock_row", lambda rows, pk: rows.get(pk=pk))
    monkeypatch.setattr(stages, "stages_of", read_then_meet)
    monkeypatch.setattr(stages, "_put", lambda actor, order, pk, position: len(order))

    assert add_at_once(platforms, board) == {201: 1, 409: SIZE - 1}


def test_a_stage_goes_or_takes_deals_but_not_both(firm, clients, platforms, board):
    pipeline, stage_ids = board
    every = made(firm, SIZE)
    target = stage_ids[1]

    def work(number):
        if number == 0:
            return platforms[0].delete(f"pipelines/{pipeline}/stages/{target}")
        return clients[number].post(f"pipelines/{pipeline}/stages", {"dealId": every[number], "stageId": target})

    deleted, *moved = crowd(SIZE, work)

    there = len(rows(firm, Deal, stage_id=target))
    if deleted.status_code == 200:
        assert (statuses(moved), there) == ({400: SIZE - 1}, 0)
    else:
        assert deleted.json()["error"]["code"] == "STAGE_NOT_EMPTY"
        assert (statuses(moved), there) == ({200: SIZE - 1}, SIZE - 1)


def test_a_deleted_pipeline_holds_no_open_deal(firm, clients, platforms):
    pipeline = platforms[0].post("pipelines?seed=true", {"name": "Partners"}).json()["id"]

    def work(number):
        if number == 0:
            return platforms[0].delete(f"pipelines/{pipeline}")
        return clients[number].post("deals", {"title": f"D{number}", "pipelineId": pipeline})

    deleted, *added = crowd(SIZE, work)

    there = len(rows(firm, Deal, pipeline_id=pipeline))
    assert statuses(added)[201] == there
    assert statuses(added).keys() <= {201, 400}
    assert deleted.status_code == (409 if there else 200)


def test_of_many_who_choose_a_default_pipeline_one_has_its_way(firm, platforms):
    made_here = [platforms[0].post("pipelines", {"name": f"P{number}"}).json()["id"] for number in range(SIZE)]

    answers = crowd(
        SIZE, lambda number: platforms[number].patch(f"pipelines/{made_here[number]}", {"is_default": True})
    )

    assert statuses(answers) == {200: SIZE}
    assert sum(pipeline.is_default for pipeline in rows(firm, Pipeline)) == 1


def test_deals_made_while_their_contact_is_renamed_are_found_by_its_new_name(firm, clients, platforms):
    contact = platforms[0].post("contacts", {"first_name": "Before"}).json()["id"]

    def work(number):
        if number == 0:
            return platforms[0].patch(f"contacts/{contact}", {"first_name": "After"})
        return clients[number].post("deals", {"title": f"D{number}", "contactId": contact})

    assert statuses(crowd(SIZE, work)) == {200: 1, 201: SIZE - 1}
    assert platforms[0].get("opportunities", q="after").json()["total"] == SIZE - 1
    assert platforms[0].get("opportunities", q="before").json()["total"] == 0


@pytest.mark.parametrize("is_named", [True, False], ids=["company named", "company of the contact"])
def test_deals_made_while_their_company_is_renamed_are_found_by_its_new_name(firm, clients, platforms, is_named):
    company = platforms[0].post("accounts", {"name": "Before"}).json()["id"]
    people = [
        platforms[0].post("contacts", {"first_name": f"C{number}", "account_id": company}).json()["id"]
        for number in range(SIZE)
    ]
    named = {"companyId": company} if is_named else {}

    def work(number):
        if number == 0:
            turns = ["Meanwhile", "Before"] * 6 + ["After"]
            return [platforms[0].patch(f"accounts/{company}", {"name": name}) for name in turns]
        return [clients[number].post("deals", {"title": "D", "contactId": pk} | named) for pk in people]

    answers = [answer for answers in crowd(SIZE, work) for answer in answers]

    assert statuses(answers) == {200: 13, 201: SIZE * (SIZE - 1)}  # nobody waited in a circle
    assert platforms[0].get("opportunities", q="after").json()["total"] == SIZE * (SIZE - 1)
    assert platforms[0].get("opportunities", q="before").json()["total"] == 0


def test_a_stage_without_room_that_everybody_leaves_meanwhile_takes_a_deal(firm, board, monkeypatch):
    monkeypatch.setattr(deal_ranks, "GAP", 1)
    actor = firm.actor("manager")
    crowded, target, elsewhere = board[1][:3]
    leaving = made(firm, 3)
    with firm.inside():
        coming = deals.create_deal(actor, title="Comes", stage_id=elsewhere)
    have_moved, has_read = Signal(), Signal()
    spread = deal_ranks._spread

    def tell_then_spread(*args):
        has_read.set()
        spread(*args)

    monkeypatch.setattr(deal_ranks, "_spread", tell_then_spread)

    def work(number):
        with firm.inside():
            if number == 0:
                for deal in Deal.objects.filter(pk__in=leaving):
                    deal_moves.move_deal(actor, deal, stage_id=target)
                have_moved.set()
                assert has_read.wait(60)
            else:
                assert have_moved.wait(60)
                deal_moves.move_deal(actor, coming, stage_id=crowded, position=1)

    crowd(2, work)

    assert [deal.pk for deal in rows(firm, Deal, stage_id=crowded)] == [coming.pk]


# --- A contact becomes one with another, meanwhile

A_WHILE = 0.5  # what somebody who waits for nobody gets done in


@pytest.fixture
def merged(firm):
    """A function that lets somebody work on a contact while it is merged into another; it returns both ids.

    `work` gets the contact's id and what to call where the merge may begin: it then gets `A_WHILE`.
    """

    def meanwhile(prepare, work):
        shopper = firm.add("customer", email="ada@example.org")
        with firm.inside():
            gone = Contact.objects.of(firm.id).get(user=shopper)
            kept = Contact(organization_id=firm.id, first_name="Ada", email=shopper.email)
            kept.email_normalized = shopper.email_normalized
            kept.save()
            Contact.objects.of(firm.id).filter(pk=kept.pk).update(created_at="2020-01-01T00:00:00Z")
            prepared = prepare(gone.pk)
        may_begin, is_done = Signal(), Signal()

        def begin():
            may_begin.set()
            is_done.wait(A_WHILE)

        def either(number):
            if number == 0:
                with firm.inside():
                    work(prepared, gone.pk, begin)
            else:
                assert may_begin.wait(60)
                with firm.inside():
                    shoppers.merge_verified(shopper)
                is_done.set()

        crowd(2, either)
        return kept.pk

    return meanwhile


def test_what_is_told_of_a_deal_while_its_contact_is_merged_is_told_of_the_one_that_stays(firm, board, merged):
    actor = firm.actor("manager")

    def move(deal, _contact_id, begin):
        deal_moves.move_deal(actor, deal, stage_id=board[1][4])
        begin()

    kept = merged(lambda contact_id: deals.create_deal(actor, title="D", contact_id=contact_id), move)

    (deal,) = rows(firm, Deal)
    told = [(event.name, event.contact_id) for event in rows(firm, Event, subject_id=deal.pk)]
    assert (deal.contact_id, told) == (kept, [("deal.created", kept), ("deal.moved", kept)])


def test_what_is_to_do_about_a_deal_whose_contact_is_merged_is_about_the_one_that_stays(firm, merged, monkeypatch):
    actor, inherit = firm.actor("manager"), associations._inherit

    def act(deal, _contact_id, begin):
        monkeypatch.setattr(associations, "_inherit", lambda *args: (inherit(*args), begin()))
        activities.create_activity(actor, subject="Ring", deal_id=deal.pk)

    kept = merged(lambda contact_id: deals.create_deal(actor, title="D", contact_id=contact_id), act)

    assert [activity.contact_id for activity in rows(firm, Activity)] == [kept]


@pytest.mark.parametrize("model", [Deal, Activity])
def test_a_merged_contact_sent_back_as_it_was_shown_does_not_return(firm, merged, model):
    actor = firm.actor("manager")
    makes, changes, name = {
        Deal: (deals.create_deal, deals.update_deal, "title"),
        Activity: (activities.create_activity, activities.update_activity, "subject"),
    }[model]

    def change(row, contact_id, begin):
        begin()
        changes(actor, row, contact_id=contact_id, **{name: "After"})

    kept = merged(lambda contact_id: makes(actor, contact_id=contact_id, **{name: "Before"}), change)

    assert [(str(row), row.contact_id) for row in rows(firm, model)] == [("After", kept)]


def test_a_merge_waits_for_deals_in_the_order_of_their_keys(firm, merged):
    """Whoever renames a company locks the deals of both contacts: a merge must not take them the other way round."""
    actor = firm.actor("manager")

    def make(contact_id):
        stays = Contact.objects.of(firm.id).get(first_name="Ada").pk
        return [deals.create_deal(actor, title="D", contact_id=pk).pk for pk in (stays, contact_id)]

    def lock_both(pks, _contact_id, begin):
        lock_rows(Deal.objects.of(actor), pks[:1])
        begin()
        lock_rows(Deal.objects.of(actor), pks[1:])

    kept = merged(make, lock_both)

    assert {deal.contact_id for deal in rows(firm, Deal)} == {kept}
