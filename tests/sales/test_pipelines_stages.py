"""`/api/v1/pipelines/{id}/stages`: positions without gaps, and deals that never lose their stage."""

import pytest

from tests.sales.test_pipelines import told


@pytest.fixture
def pipeline(platform):
    return platform.post("pipelines?seed=true", {"name": "Partners"}).json()


@pytest.fixture
def stage(pipeline):
    """A function that returns the path of a stage by its name."""

    def path(name):
        pk = next(stage["id"] for stage in pipeline["stages"] if stage["name"] == name)
        return f"pipelines/{pipeline['id']}/stages/{pk}"

    return path


def test_stages_are_listed_in_their_order(platform, pipeline):
    answer = platform.get(f"pipelines/{pipeline['id']}/stages").json()

    assert [item["name"] for item in answer["items"]] == [stage["name"] for stage in pipeline["stages"]]
    assert answer["total"] == 6
    assert answer["items"][0]["pipeline_id"] == pipeline["id"]


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        (None, ["Lead", "Qualified", "Proposal", "Negotiation", "Won", "Lost", "New"]),
        (0, ["New", "Lead", "Qualified", "Proposal", "Negotiation", "Won", "Lost"]),
        (4, ["Lead", "Qualified", "Proposal", "Negotiation", "New", "Won", "Lost"]),
        (99, ["Lead", "Qualified", "Proposal", "Negotiation", "Won", "Lost", "New"]),
    ],
)
def test_a_stage_is_added_where_it_is_asked_for(acme, platform, pipeline, order, position, expected):
    body = {"name": "New", "probability": 60} | ({} if position is None else {"position": position})
    answer = platform.post(f"pipelines/{pipeline['id']}/stages", body)

    assert answer.status_code == 201
    assert (answer.json()["position"], answer.json()["type"]) == (expected.index("New"), "open")
    assert order(pipeline["id"]) == expected
    assert told(acme, "stage.created") == ["Stage New added to pipeline Partners"]


@pytest.mark.parametrize(
    ("name", "position", "expected"),
    [
        ("Proposal", 0, ["Proposal", "Lead", "Qualified", "Negotiation", "Won", "Lost"]),
        ("Lead", 3, ["Qualified", "Proposal", "Negotiation", "Lead", "Won", "Lost"]),
        ("Lead", 50, ["Qualified", "Proposal", "Negotiation", "Won", "Lost", "Lead"]),
        ("Won", 4, ["Lead", "Qualified", "Proposal", "Negotiation", "Won", "Lost"]),
    ],
)
def test_a_position_reorders_without_gaps(acme, platform, pipeline, stage, order, name, position, expected):
    answer = platform.patch(stage(name), {"position": position})

    assert (answer.status_code, answer.json()["position"]) == (200, expected.index(name))
    assert order(pipeline["id"]) == expected
    assert len(told(acme, "stage.updated")) == (0 if name == "Won" else 1)


def test_what_is_won_is_certain_and_what_is_lost_hopeless(platform, pipeline, stage):
    path = f"pipelines/{pipeline['id']}/stages"

    assert platform.post(path, {"name": "Signed", "type": "won"}).json()["probability"] == 100
    assert platform.patch(stage("Lead"), {"type": "lost"}).json()["probability"] == 0
    for answer in (
        platform.post(path, {"name": "Hm", "type": "won", "probability": 90}),
        platform.patch(stage("Lost"), {"probability": 5}),
    ):
        assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, "probability")


def test_a_stage_with_deals_keeps_its_type_and_is_not_deleted(platform, pipeline, stage, opportunity):
    deal = opportunity(pipeline_id=pipeline["id"])

    for answer in (platform.delete(stage("Lead")), platform.patch(stage("Lead"), {"type": "won"})):
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "STAGE_NOT_EMPTY")
        assert "opportunities" in answer.json()["error"]["message"]
    assert platform.patch(stage("Lead"), {"name": "Suspect", "probability": 5}).status_code == 200

    shown = platform.get(f"opportunities/{deal['id']}").json()
    assert (shown["stage"]["name"], shown["probability"], shown["status"]) == ("Suspect", 5, "open")


def test_a_deleted_deal_moves_to_the_neighbour_when_its_stage_goes(acme, platform, pipeline, stage, order, opportunity):
    deal = opportunity(stage_id=stage("Proposal").rsplit("/", 1)[1])
    platform.delete(f"opportunities/{deal['id']}")

    answer = platform.delete(stage("Proposal"))

    assert (answer.status_code, answer.json()) == (200, {"message": "Stage deleted successfully"})
    assert order(pipeline["id"]) == ["Lead", "Qualified", "Negotiation", "Won", "Lost"]
    restored = platform.post(f"opportunities/{deal['id']}/restore").json()
    assert (restored["stage"]["name"], restored["status"]) == ("Qualified", "open")
    steps = platform.get(f"opportunities/{deal['id']}/history").json()["items"]
    assert [(step["from_stage"] and step["from_stage"]["name"], step["to_stage"]["name"]) for step in steps] == [
        (None, "Proposal"),
        ("Proposal", "Qualified"),
    ]
    assert told(acme, "stage.deleted") == ["Stage Proposal removed from pipeline Partners"]


def test_a_deleted_deal_becomes_what_its_new_stage_makes_of_it(platform, opportunity, pipeline, stage):
    deal = opportunity(stage_id=stage("Won").rsplit("/", 1)[1])
    platform.delete(f"opportunities/{deal['id']}")
    assert platform.delete(stage("Won")).status_code == 200

    restored = platform.post(f"opportunities/{deal['id']}/restore").json()

    assert (restored["stage"]["name"], restored["status"], restored["closed_at"]) == ("Negotiation", "open", None)


def test_the_last_stage_keeps_deleted_deals(platform):
    bare = platform.post("pipelines", {"name": "Bare"}).json()["id"]
    path = f"pipelines/{bare}/stages"
    only = platform.post(path, {"name": "Only"}).json()["id"]
    deal = platform.post("opportunities", {"name": "X", "stage_id": only}).json()["id"]
    platform.delete(f"opportunities/{deal}")

    refused = platform.delete(f"{path}/{only}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "LAST_STAGE")

    platform.post(path, {"name": "Another"})
    assert platform.delete(f"{path}/{only}").status_code == 200


def test_a_pipeline_has_only_so_many_stages(platform, monkeypatch):
    monkeypatch.setattr("sales.services.stages.MOST_STAGES", 2)
    bare = platform.post("pipelines", {"name": "Bare"}).json()["id"]
    answers = [platform.post(f"pipelines/{bare}/stages", {"name": f"S{n}"}) for n in range(3)]

    assert [answer.status_code for answer in answers] == [201, 201, 409]


def test_a_stage_is_found_under_its_own_pipeline_only(platform, pipeline, stage, stages):
    foreign = f"pipelines/{pipeline['id']}/stages/{stages['Lead']}"

    assert platform.patch(foreign, {"name": "X"}).status_code == platform.delete(foreign).status_code == 404


def test_it_is_the_pipeline_that_is_not_found(other, client_for, pipeline, stages):
    path = f"pipelines/{pipeline['id']}/stages"
    moved = {"dealId": pipeline["id"], "stageId": stages["Lead"]}
    platform, team = (client_for(other.owner, surface) for surface in ("platform", "team"))

    for answer in (platform.get(path), platform.post(path, {"name": "New"}), team.post(path, moved)):
        assert (answer.status_code, answer.json()["error"]["message"]) == (404, "Pipeline not found.")


def test_who_may_change_stages(acme, other, client_for, pipeline, stage):
    for role, status in {"manager": 200, "staff": 403, "viewer": 403, "customer_experience": 403}.items():
        client = client_for(acme.users[role], "platform")
        assert client.patch(stage("Lead"), {"name": role}).status_code == status, role
        assert client.get(f"pipelines/{pipeline['id']}/stages").status_code == 200
    assert client_for(acme.manager, "platform").delete(stage("Qualified")).status_code == 200
    assert client_for(other.owner, "platform").patch(stage("Lead"), {"name": "Mine"}).status_code == 404


@pytest.mark.parametrize(
    "body", [{"position": -1}, {"position": "x"}, {"probability": 101}, {"type": "maybe"}, {"name": ""}]
)
def test_bad_stages_are_refused(platform, pipeline, stage, order, body):
    answers = [
        platform.patch(stage("Lead"), body),
        platform.post(f"pipelines/{pipeline['id']}/stages", {"name": "N", **body}),
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[0].json()["error"]["details"][0]["field"] == next(iter(body))
    assert len(order(pipeline["id"])) == 6
