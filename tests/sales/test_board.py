"""The board of both surfaces: true counts and sums of every stage, a page of deals of each, in a few statements."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

STATEMENTS = 3  # the session's check, the stages with their sums, the cards


@pytest.fixture
def firm(organization):
    return organization(roles=("owner", "manager", "staff", "viewer"))


@pytest.fixture
def manager(firm, client_for):
    return client_for(firm.manager)


def board(client, **query):
    response = client.get("deals", **query)
    assert response.status_code == 200, response.content
    return response.json()["data"]


def stages_of(client, **query):
    return {stage["name"]: stage for stage in board(client, **query)["stages"]}


def titles(stage):
    return [deal["title"] for deal in stage["deals"]]


def deal(client, title, **fields):
    response = client.post("deals", {"title": title, **fields})
    assert response.status_code == 201, response.content
    return response.json()["data"]


def test_a_new_organizations_board_has_its_six_stages(manager):
    data = board(manager)

    assert data["pipeline"]["name"] == "Sales"
    assert [stage["name"] for stage in data["stages"]] == [
        *("Lead", "Qualified", "Proposal", "Negotiation", "Won", "Lost")
    ]
    assert data["stages"][4] == {
        "id": data["stages"][4]["id"],
        "name": "Won",
        "position": 4,
        "probability": 100,
        "type": "won",
        "dealCount": 0,
        "totalValue": 0.0,
        "valuesByCurrency": {},
        "deals": [],
    }


def test_deals_stand_in_their_stage_in_order_with_contact_company_and_owner_named(firm, manager):
    contact = manager.post("contacts", {"firstName": "Ada", "company": "Globex"}).json()["data"]
    first = deal(manager, "One", value=1000.5, contactId=contact["id"], companyId=contact["company"]["id"])
    second = deal(manager, "Two", value=20, currency="EUR")
    third = deal(manager, "Three", value=3)
    data = board(manager)
    won = data["stages"][4]["id"]
    manager.post(f"pipelines/{data['pipeline']['id']}/stages", {"dealId": third["id"], "stageId": won})
    manager.post(
        f"pipelines/{data['pipeline']['id']}/stages",
        {"dealId": second["id"], "stageId": data["stages"][0]["id"], "position": 0},
    )

    found = stages_of(manager)

    lead = found["Lead"]
    assert (lead["dealCount"], lead["totalValue"], lead["valuesByCurrency"]) == (2, 1000.5, {"EUR": 20.0})
    assert titles(lead) == ["Two", "One"]
    card = lead["deals"][1]
    whole = manager.get(f"deals/{first['id']}").json()["data"]
    assert card == {key: value for key, value in whole.items() if key in card}
    assert whole.keys() - card.keys() == {"pipeline", "stage", "description", "lostReason", "position"}
    assert card["contact"] == {"id": contact["id"], "name": "Ada"}
    assert card["company"]["name"] == "Globex"
    assert card["owner"] == {"id": str(firm.manager.pk), "name": firm.manager.full_name}
    assert (found["Won"]["dealCount"], found["Won"]["totalValue"], titles(found["Won"])) == (1, 3.0, ["Three"])


def test_a_stage_shows_a_page_and_counts_all(manager):
    for number in range(5):
        deal(manager, f"D{number}", value=10)

    first, second, beyond = (stages_of(manager, pageSize=2, page=page)["Lead"] for page in (1, 3, 9))

    assert (titles(first), titles(second), titles(beyond)) == (["D0", "D1"], ["D4"], [])
    assert {(stage["dealCount"], stage["totalValue"]) for stage in (first, second, beyond)} == {(5, 50.0)}
    assert len(titles(stages_of(manager)["Lead"])) == 5


def test_filters_narrow_cards_counts_and_sums_alike(firm, manager):
    contact = manager.post("contacts", {"firstName": "Quentin", "lastName": "Quist"}).json()["data"]
    deal(manager, "Alpha boat", value=1)
    deal(manager, "Beta boat", value=10, contactId=contact["id"])
    deal(manager, "Gamma", value=100, ownerId=str(firm.staff.pk))
    won = next(stage["id"] for stage in board(manager)["stages"] if stage["name"] == "Won")
    deal(manager, "Delta boat", value=1000, stageId=won)

    def told(**query):
        return {
            name: (stage["dealCount"], stage["totalValue"], titles(stage))
            for name, stage in stages_of(manager, **query).items()
            if stage["dealCount"] or stage["deals"]
        }

    staff, me = str(firm.staff.pk), str(firm.manager.pk)
    assert told(ownerId=staff) == {"Lead": (1, 100.0, ["Gamma"])}
    assert told(ownerId=me)["Lead"] == (2, 11.0, ["Alpha boat", "Beta boat"])
    assert told(status="won") == {"Won": (1, 1000.0, ["Delta boat"])}
    assert told(status="open", ownerId=staff) == {"Lead": (1, 100.0, ["Gamma"])}
    assert told(search="boat") == {"Lead": (2, 11.0, ["Alpha boat", "Beta boat"]), "Won": (1, 1000.0, ["Delta boat"])}
    assert told(search="qui boat") == {"Lead": (1, 10.0, ["Beta boat"])}
    assert told(search="boat", status="won", ownerId=staff) == {}
    assert told(search="!!") == told(search="nothing") == {}
    assert told(search=" ") == told()


def test_staff_see_their_own_deals_counted_and_shown(firm, manager, client_for):
    deal(manager, "Theirs", value=1)
    mine = deal(manager, "Mine", value=10, ownerId=str(firm.staff.pk))
    staff = client_for(firm.staff)

    assert {(stage["dealCount"], stage["totalValue"]) for stage in board(staff)["stages"]} == {(1, 10.0), (0, 0.0)}
    assert titles(stages_of(staff)["Lead"]) == ["Mine"]
    assert stages_of(staff, ownerId=str(firm.manager.pk))["Lead"]["dealCount"] == 0
    assert stages_of(staff, search="theirs")["Lead"]["dealCount"] == 0

    manager.delete(f"deals/{mine['id']}")

    assert stages_of(staff)["Lead"]["dealCount"] == 0
    assert titles(stages_of(staff)["Lead"]) == []


def test_another_pipeline_is_shown_where_it_is_named(firm, client_for, manager):
    platform = client_for(firm.owner, "platform")
    other = platform.post("pipelines", {"name": "Renewals"}).json()
    stage = platform.post(f"pipelines/{other['id']}/stages", {"name": "Due", "probability": 70}).json()
    deal(manager, "Renewal", value=5, pipelineId=other["id"], stageId=stage["id"])

    data = board(manager, pipelineId=other["id"])

    assert data["pipeline"] == {"id": other["id"], "name": "Renewals"}
    assert [(found["name"], found["totalValue"], titles(found)) for found in data["stages"]] == [
        ("Due", 5.0, ["Renewal"])
    ]
    assert sum(found["dealCount"] for found in board(manager)["stages"]) == 0


def test_a_pipeline_without_stages_is_an_empty_board(firm, client_for):
    platform = client_for(firm.owner, "platform")
    empty = platform.post("pipelines", {"name": "Empty"}).json()

    answer = platform.get("dashboard/pipeline", pipeline_id=empty["id"]).json()

    assert (answer["stages"], answer["total_count"], answer["total_value"]) == ([], 0, 0.0)


@pytest.mark.parametrize("bad", ["pipelineId=x", "ownerId=1", "status=maybe", "pageSize=0", "page=-1"])
def test_a_bad_value_is_named(manager, bad):
    name, _, value = bad.partition("=")

    response = manager.get("deals", **{name: value})

    assert response.status_code == 400
    assert response.json()["error"]["details"][0]["field"] == name


def test_a_pipeline_that_is_not_there_is_404(manager, other, client_for):
    theirs = board(client_for(other.owner))["pipeline"]["id"]

    for pk in (theirs, "00000000-0000-4000-8000-000000000000"):
        response = manager.get("deals", pipelineId=pk)
        assert (response.status_code, response.json()["error"]["message"]) == (404, "Pipeline not found.")


def test_the_platform_shows_the_same_with_totals(firm, manager, client_for):
    deal(manager, "One", value=10, probability=50)
    deal(manager, "Two", value=2.5, currency="EUR")
    won = next(stage["id"] for stage in board(manager)["stages"] if stage["name"] == "Won")
    deal(manager, "Three", value=100, stageId=won)
    platform = client_for(firm.viewer, "platform")

    response = platform.get("dashboard/pipeline", limit=1)

    answer, team = response.json(), board(manager)
    assert response.status_code == 200
    assert answer["pipeline"] == team["pipeline"]
    assert (answer["total_count"], answer["total_value"], answer["by_currency"]) == (3, 110.0, {"EUR": 2.5})
    renamed = {"dealCount": "count", "totalValue": "value", "valuesByCurrency": "by_currency"}
    for stage, same in zip(answer["stages"], team["stages"], strict=True):
        cards, deals = stage.pop("opportunities"), same.pop("deals")
        assert stage == {renamed.get(key, key): value for key, value in same.items()}
        assert [card["name"] for card in cards] == [found["title"] for found in deals[:1]]


@pytest.mark.parametrize("query", [{}, {"ownerId": "00000000-0000-4000-8000-000000000000"}, {"status": "open"}])
def test_a_board_takes_the_same_few_statements_however_much_there_is(manager, query):
    def count():
        with CaptureQueriesContext(connection) as queries:
            board(manager, **query)
        return len(queries)

    count()
    assert count() == STATEMENTS
    contact = manager.post("contacts", {"firstName": "Ada", "company": "Globex"}).json()["data"]
    for number in range(5):
        deal(manager, f"D{number}", contactId=contact["id"])

    assert count() == STATEMENTS


def test_a_searched_board_counts_by_one_statement_more(manager):
    deal(manager, "Boat")
    board(manager, search="boat")

    with CaptureQueriesContext(connection) as queries:
        board(manager, search="boat")

    assert len(queries) == STATEMENTS + 1
