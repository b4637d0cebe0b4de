"""A board in many hands: no move lost, no position twice, every history a chain; each lock with its control."""

import random
from collections import Counter
from itertools import pairwise
from threading import Barrier

import pytest

from crm.core.models import Event
from sales.models import Deal, Pipeline, Stage
from sales.services import deals, moves, places, stages
from tests.races.crowd import crowd

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
    [(50, 200, 7, places.GAP), (24, 30, 6, 2)],
    ids=["50 people, 200 deals", "no room between deals"],
)
def test_many_drag_deals_around_one_board(firm, client_for, board, monkeypatch, size, count, turns, gap):
    monkeypatch.setattr(places, "GAP", gap)
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
    all_have_read, free = Barrier(SIZE), places._free

    def read_then_meet(*args):
        place = free(*args)
        all_have_read.wait(60)
        return place

    every = made(firm, SIZE)
    monkeypatch.setattr(places, "_lock_first", lambda stages: stages.first())
    monkeypatch.setattr(places, "_free", read_then_meet)

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

    monkeypatch.setattr(moves, "lock_living", read_then_meet)

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

    monkeypatch.setattr(stages, "lock_one", lambda rows, pk: rows.get(pk=pk))
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
