"""Deals on the Team surface, and their moves on both, over HTTP."""

from uuid import uuid4

import pytest

from crm.core.models import Event
from sales.models import Deal
from sales.services import deal_ranks, deals


@pytest.fixture
def add(team):
    """A function that makes deals by their titles, and returns their ids."""

    def make(*titles, client=team, **fields):
        answers = [client.post("deals", {"title": title, **fields}) for title in titles]
        assert {answer.status_code for answer in answers} == {201}
        return [answer.json()["data"]["id"] for answer in answers]

    return make


@pytest.fixture
def drag(team, platform):
    """A function that drags a deal on the default pipeline's board and returns the answer."""
    (pipeline,) = [item["id"] for item in platform.get("pipelines").json()["items"]]

    def move(deal, stage, position=None, client=team, **fields):
        place = {} if position is None else {"position": position}
        return client.post(f"pipelines/{pipeline}/stages", {"dealId": deal, "stageId": stage, **place, **fields})

    return move


def data(response):
    assert response.status_code in {200, 201}, response.content
    return response.json()["data"]


def field_of(response):
    return response.status_code, response.json()["error"]["details"][0]["field"]


def events_of(tenant, deal):
    with tenant.inside():
        return list(Event.objects.of(tenant.id).filter(subject_id=deal).order_by("id"))


def steps(platform, deal):
    items = platform.get(f"opportunities/{deal}/history").json()["items"]
    return [(item["from_stage"] and item["from_stage"]["name"], item["to_stage"]["name"]) for item in items]


def test_a_deal_is_created_for_a_contact_read_changed_and_deleted(acme, team, stages):
    contact = data(team.post("contacts", {"firstName": "Ada", "company": "Globex"}))
    deal = data(
        team.post(
            "deals",
            {
                "title": "Renewal",
                "contactId": contact["id"],
                "value": 1500.00,
                "currency": "EUR",
                "stageId": stages["Proposal"],
                "expectedCloseDate": "2026-12-31",
                "priority": "urgent",
            },
        )
    )

    assert deal["contact"] == {"id": contact["id"], "name": "Ada"}
    assert deal["company"] == contact["company"]
    assert (deal["value"], deal["currency"], deal["probability"], deal["position"]) == (1500.0, "EUR", 50, 0)
    assert deal["owner"] == {"id": str(acme.manager.pk), "name": acme.manager.full_name}
    assert (deal["stage"]["name"], deal["status"], deal["expectedCloseDate"]) == ("Proposal", "open", "2026-12-31")
    path = f"deals/{deal['id']}"
    assert data(team.get(path)) == deal
    writable = {key: value for key, value in deal.items() if key not in {"id", "updatedAt"}}
    assert data(team.patch(path, writable)) == deal  # what one got may be sent back
    assert data(team.patch(path, {"value": None, "title": "Other"}))["value"] == 0
    assert team.delete(path).json() == {"success": True, "data": {"id": deal["id"]}}
    assert team.get(path).status_code == 404


def test_a_probability_sent_back_as_it_was_shown_stays_the_stage_s(team, add, stages):
    (deal,) = add("Chair")
    path = f"deals/{deal}"

    assert data(team.patch(path, {"probability": 10, "stageId": stages["Proposal"]}))["probability"] == 50
    assert data(team.patch(path, {"probability": 51, "stageId": stages["Lead"]}))["probability"] == 51


def test_a_new_deal_stands_last_unless_told(team, add, column, stages):
    add("A", "B")
    add("C", position=1)

    assert column(stages["Lead"]) == ["A", "C", "B"]


def test_a_stage_in_a_patch_is_a_move(acme, team, platform, add, stages):
    (deal,) = add("Chair")

    changed = data(team.patch(f"deals/{deal}", {"stageId": stages["Lost"], "lostReason": "Too dear", "title": "Stool"}))

    assert (changed["status"], changed["lostReason"], changed["title"]) == ("lost", "Too dear", "Stool")
    assert [event.name for event in events_of(acme, deal)] == ["deal.created", "deal.moved", "deal.updated"]
    assert platform.get(f"opportunities/{deal}/history").json()["items"][1]["lost_reason"] == "Too dear"
    other = platform.post("pipelines?seed=true", {"name": "Partners"}).json()
    path = f"deals/{deal}"
    assert field_of(team.patch(path, {"pipelineId": other["id"]})) == (400, "pipelineId")
    assert field_of(team.patch(path, {"pipelineId": other["id"], "stageId": stages["Lead"]})) == (400, "stageId")
    moved = data(team.patch(path, {"pipelineId": other["id"], "stageId": other["stages"][0]["id"]}))
    assert (moved["pipeline"]["name"], moved["status"], moved["lostReason"]) == ("Partners", "open", None)


def test_a_status_in_a_patch_is_a_move(acme, team, platform, add, column, stages):
    add("Former", stageId=stages["Won"])
    (deal,) = add("Chair")
    path = f"deals/{deal}"

    won = data(team.patch(path, {"status": "won", "position": 0}))
    assert (won["status"], won["stage"]["name"], won["closedAt"] is not None) == ("won", "Won", True)
    assert column(stages["Won"]) == ["Former", "Chair"]
    assert data(team.patch(path, {"status": "won"})) == won
    assert data(team.patch(path, {"status": "won", "stageId": stages["Won"]})) == won
    assert data(team.patch(path, {"status": "lost", "lostReason": "Late"}))["lostReason"] == "Late"
    assert data(team.patch(path, {"status": "open"}))["stage"]["name"] == "Lead"
    assert steps(platform, deal) == [(None, "Lead"), ("Lead", "Won"), ("Won", "Lost"), ("Lost", "Lead")]
    assert [event.name for event in events_of(acme, deal)] == ["deal.created", *["deal.moved"] * 3]

    for status in ("bogus", 5, "", None, ["won"]):
        assert field_of(team.patch(path, {"status": status})) == (400, "status")
    assert field_of(team.patch(path, {"status": "won", "stageId": stages["Proposal"]})) == (400, "status")
    assert data(team.get(path))["stage"]["name"] == "Lead"


def test_of_stage_and_status_the_one_that_changed_is_the_wish(team, add, stages):
    (deal,) = add("Chair")
    path = f"deals/{deal}"

    assert data(team.patch(path, {"stageId": stages["Lead"], "status": "won"}))["stage"]["name"] == "Won"
    assert data(team.patch(path, {"stageId": stages["Lost"], "status": "won"}))["status"] == "lost"


def test_a_deal_that_was_won_meanwhile_stays_where_it_was_won(acme, platform, add, stages):
    (deal,) = add("Chair")
    pipeline = platform.get(f"opportunities/{deal}").json()["pipeline_id"]
    signed = platform.post(f"pipelines/{pipeline}/stages", {"name": "Signed", "type": "won"}).json()["id"]
    with acme.inside():
        read_before = Deal.objects.get(pk=deal)
    assert platform.post(f"opportunities/{deal}/move", {"stage_id": signed}).status_code == 200

    with acme.inside():
        changed = deals.update_deal(acme.actor("manager"), read_before, status="won")

    assert str(changed.stage_id) == signed
    assert steps(platform, deal) == [(None, "Lead"), ("Lead", "Signed")]


def test_a_status_takes_a_stage_of_its_kind(team, platform, add):
    pipeline = platform.post("pipelines", {"name": "Bare"}).json()["id"]
    platform.post(f"pipelines/{pipeline}/stages", {"name": "Only"})
    (deal,) = add("Chair", pipelineId=pipeline)

    assert field_of(team.patch(f"deals/{deal}", {"status": "won"})) == (400, "status")
    assert field_of(team.post("deals", {"title": "X", "pipelineId": pipeline, "status": "won"})) == (400, "status")
    assert field_of(team.post("deals", {"title": "X", "pipelineId": deal, "status": "won"})) == (400, "pipelineId")


@pytest.mark.parametrize(("surface", "refusal"), [("team", 400), ("platform", 422)])
def test_a_deal_is_created_with_a_status(acme, client_for, stages, surface, refusal):
    client = client_for(acme.manager, surface)
    path, title, stage = {"team": ("deals", "title", "stageId"), "platform": ("opportunities", "name", "stage_id")}[
        surface
    ]

    for status, name in {"open": "Lead", "won": "Won", "lost": "Lost"}.items():
        for named in ({}, {stage: stages[name]}):
            answer = client.post(path, {title: "X", "status": status, **named})
            made = answer.json().get("data", answer.json())
            assert (answer.status_code, made["status"], made["stage"]["name"]) == (201, status, name)
    for body in ({"status": "bogus"}, {"status": 5}, {"status": "won", stage: stages["Lead"]}):
        assert field_of(client.post(path, {title: "X", **body})) == (refusal, "status")


def test_an_event_keeps_the_worth_in_major_units(acme, team, add):
    (deal,) = add("Chair", value=1500, currency="USD")

    def told(**body):
        assert team.patch(f"deals/{deal}", body).status_code == 200
        event = events_of(acme, deal)[-1]
        return event.changes.get("amount"), event.content.splitlines()[0]

    assert told(value=1500.5) == ({"from": 1500.0, "to": 1500.5}, "Amount changed from 1,500.00 USD to 1,500.50 USD")
    # As many minor units as before, which are another amount.
    assert told(value=150_050, currency="JPY")[0] == {"from": 1500.5, "to": 150_050.0}
    assert told(currency="EUR") == (None, "Currency changed from JPY to EUR")


@pytest.mark.parametrize(
    ("moved", "position", "expected"),
    [
        ("D", 0, "DABC"),
        ("A", 2, "BCAD"),
        ("A", None, "BCDA"),
        ("B", 99, "ACDB"),
        ("C", 1, "ACBD"),
        ("B", 1, "ABCD"),
        ("D", None, "ABCD"),
    ],
)
def test_a_deal_is_dragged_within_its_stage(acme, platform, add, drag, column, stages, moved, position, expected):
    deal = dict(zip("ABCD", add(*"ABCD"), strict=True))[moved]

    answer = data(drag(deal, stages["Lead"], position))

    assert answer["position"] == expected.index(moved)
    assert "".join(column(stages["Lead"])) == expected
    assert steps(platform, deal) == [(None, "Lead")]
    assert [event.name for event in events_of(acme, deal)][1:] == ([] if expected == "ABCD" else ["deal.reordered"])


@pytest.mark.parametrize(("position", "expected"), [(0, "XAB"), (1, "AXB"), (2, "ABX"), (None, "ABX"), (7, "ABX")])
def test_a_deal_is_dragged_to_another_stage(platform, add, drag, column, stages, position, expected):
    add(*"AB", stageId=stages["Won"])
    first, deal, _ = add("Y", "X", "Z")

    answer = data(drag(deal, stages["Won"], position))

    assert (answer["position"], answer["status"], answer["probability"]) == (expected.index("X"), "won", 100)
    assert ("".join(column(stages["Won"])), "".join(column(stages["Lead"]))) == (expected, "YZ")
    assert steps(platform, deal) == [(None, "Lead"), ("Lead", "Won")]
    assert steps(platform, first) == [(None, "Lead")]


@pytest.mark.parametrize("gap", [2, 3, 2**30])
def test_a_stage_without_room_is_spread(team, add, drag, column, stages, monkeypatch, gap):
    monkeypatch.setattr(deal_ranks, "GAP", gap)
    made = dict(zip("ABCDEF", add(*"ABCDEF"), strict=True))
    expected = list("ABCDEF")

    for turn in range(40):
        title = "ABCDEF"[(turn * 5) % 6]
        expected.remove(title)
        expected.insert(1 + turn % 3, title)
        assert drag(made[title], stages["Lead"], 1 + turn % 3).status_code == 200
        assert column(stages["Lead"]) == expected


def test_positions_are_those_of_the_deals_one_sees(acme, client_for, add, drag, column, stages):
    staff = client_for(acme.staff)
    owned = {"ownerId": str(acme.staff.pk)}
    mine = [*add("A", **owned), *add("X"), *add("B", "C", **owned)]
    assert [data(staff.get(f"deals/{deal}"))["position"] for deal in (mine[0], *mine[2:])] == [0, 1, 2]

    assert data(drag(mine[0], stages["Lead"], 1, client=staff))["position"] == 1

    assert column(stages["Lead"]) == ["X", "B", "A", "C"]


def test_won_lost_and_open_again(platform, add, stages):
    (deal,) = add("Chair", probability=33)

    def move(stage, **fields):
        answer = platform.post(f"opportunities/{deal}/move", {"stage_id": stages[stage], **fields})
        assert answer.status_code == 200, answer.content
        return answer.json()

    won = move("Won", note="Signed")
    assert (won["status"], won["probability"], won["closed_at"] is not None) == ("won", 100, True)
    lost = move("Lost", lost_reason="Withdrawn")
    assert (lost["status"], lost["probability"], lost["lost_reason"]) == ("lost", 0, "Withdrawn")
    again = move("Negotiation")
    assert (again["status"], again["probability"], again["lost_reason"], again["closed_at"]) == ("open", 33, None, None)

    items = platform.get(f"opportunities/{deal}/history").json()["items"]
    assert [(item["note"], item["lost_reason"]) for item in items] == [
        (None, None),
        ("Signed", None),
        (None, "Withdrawn"),
        (None, None),
    ]
    assert len({item["moved_by"]["full_name"] for item in items}) == 1


def test_the_same_stage_is_no_move(acme, platform, add, column, stages):
    deal, _ = add("A", "B")
    before = platform.get(f"opportunities/{deal}").json()

    answer = platform.post(f"opportunities/{deal}/move", {"stage_id": stages["Lead"], "note": "Nothing"})

    assert (answer.status_code, answer.json()) == (200, before)
    assert column(stages["Lead"]) == ["A", "B"]
    assert [event.name for event in events_of(acme, deal)] == ["deal.created"]


def test_a_deal_goes_on_in_another_pipeline(acme, platform, add):
    (deal,) = add("Chair")
    other = platform.post("pipelines?seed=true", {"name": "Partners"}).json()
    target = other["stages"][2]

    moved = platform.post(f"opportunities/{deal}/move", {"stage_id": target["id"]}).json()

    assert (moved["pipeline_id"], moved["stage"]["name"]) == (other["id"], "Proposal")
    event = events_of(acme, deal)[-1]
    assert (event.metadata["from_pipeline"]["name"], event.metadata["to_pipeline"]["name"]) == ("Sales", "Partners")
    assert event.changes.keys() == {"stage_id", "pipeline_id"}


def test_a_history_outlives_its_stages(platform, add, stages):
    pipeline = platform.post("pipelines?seed=true", {"name": "Partners"}).json()
    lead, qualified = (stage["id"] for stage in pipeline["stages"][:2])
    (deal,) = add("Chair", stageId=lead)
    platform.post(f"opportunities/{deal}/move", {"stage_id": qualified})
    platform.patch(f"pipelines/{pipeline['id']}/stages/{qualified}", {"name": "Renamed"})
    assert platform.delete(f"pipelines/{pipeline['id']}/stages/{lead}").status_code == 200

    assert steps(platform, deal) == [(None, "Lead"), ("Lead", "Qualified")]


def test_a_drag_stays_on_its_board(platform, team, add, drag, stages):
    other = platform.post("pipelines?seed=true", {"name": "Partners"}).json()
    (deal,) = add("Here")
    (there,) = add("There", pipelineId=other["id"])
    elsewhere = other["stages"][0]["id"]

    assert field_of(drag(deal, elsewhere)) == (400, "stageId")
    assert field_of(drag(there, stages["Won"])) == (400, "dealId")
    assert field_of(drag(str(uuid4()), stages["Won"])) == (400, "dealId")
    assert field_of(drag(deal, stages["Won"], -1)) == (400, "position")
    assert field_of(drag(deal, stages["Won"], 2**31)) == (400, "position")
    assert field_of(drag(deal, "x")) == (400, "stageId")
    body = {"dealId": deal, "stageId": stages["Won"]}
    assert team.post(f"pipelines/{uuid4()}/stages", body).status_code == 404
    assert team.post("pipelines/x/stages", body).status_code == 404
    assert data(team.get(f"deals/{deal}"))["status"] == "open"


def test_who_drags(acme, other, client_for, add, drag, stages):
    (theirs,) = add("Theirs")
    staff = client_for(acme.staff)
    (own,) = add("Own", client=staff)

    assert field_of(drag(theirs, stages["Won"], client=staff)) == (400, "dealId")
    assert drag(own, stages["Won"], client=staff).status_code == 200
    for role in ("viewer", "customer_experience"):
        client = client_for(acme.users[role])
        assert drag(own, stages["Lead"], client=client).status_code == 403
        assert client.patch(f"deals/{own}", {"stageId": stages["Lead"]}).status_code == 403
        assert data(client.get(f"deals/{own}"))["status"] == "won"
    assert drag(own, stages["Lead"], client=client_for(other.owner)).status_code == 404
    assert staff.delete(f"deals/{own}").status_code == 403
    assert client_for(acme.customer).get(f"deals/{own}").status_code == 403


def test_a_lost_reason_is_for_the_lost(team, platform, add, stages):
    (deal,) = add("Chair")

    assert field_of(team.patch(f"deals/{deal}", {"lostReason": "Why"})) == (400, "lostReason")
    body = {"stage_id": stages["Won"], "lost_reason": "Why"}
    answer = platform.post(f"opportunities/{deal}/move", body)
    assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, "lost_reason")
    platform.post(f"opportunities/{deal}/move", {"stage_id": stages["Lost"]})
    assert data(team.patch(f"deals/{deal}", {"lostReason": "Late"}))["lostReason"] == "Late"
    assert data(team.post("deals", {"title": "X", "stageId": stages["Lost"], "lostReason": "No"}))["lostReason"] == "No"


def test_tidying_up_is_not_in_the_feed(platform, add, drag, stages):
    first, _ = add("A", "B")
    drag(first, stages["Lead"], 1)

    feed = platform.get("dashboard/activity-feed").json()["items"]
    assert [item["description"] for item in feed][:2] == ["Deal B created", "Deal A created"]
