"""`/api/v1/pipelines` and the list of pipelines on the Team surface, over HTTP."""

from uuid import uuid4

import pytest

from crm.core.models import Event
from sales.models import Pipeline

SEED = ["Lead", "Qualified", "Proposal", "Negotiation", "Won", "Lost"]


@pytest.fixture
def owner(acme, client_for):
    return client_for(acme.owner, "platform")


@pytest.fixture
def second(platform):
    return platform.post("pipelines?seed=true", {"name": "Partners"}).json()


def defaults(platform):
    return [item["name"] for item in platform.get("pipelines").json()["items"] if item["is_default"]]


def told(tenant, name):
    with tenant.inside():
        return list(Event.objects.of(tenant.id).filter(name=name).order_by("id").values_list("title", flat=True))


def test_a_new_organization_has_a_default_pipeline_of_the_six_stages(acme, platform, team):
    (pipeline,) = platform.get("pipelines").json()["items"]

    assert (pipeline["name"], pipeline["is_default"]) == ("Sales", True)
    assert [stage["name"] for stage in pipeline["stages"]] == SEED
    assert [stage["position"] for stage in pipeline["stages"]] == [0, 1, 2, 3, 4, 5]
    assert [stage["type"] for stage in pipeline["stages"]] == ["open"] * 4 + ["won", "lost"]
    assert [stage["probability"] for stage in pipeline["stages"]] == [10, 25, 50, 75, 100, 0]
    assert platform.get(f"pipelines/{pipeline['id']}").json() == pipeline
    assert team.get("pipelines").json()["data"]["pipelines"][0]["stages"] == pipeline["stages"]
    assert told(acme, "pipeline.created") == ["Pipeline Sales created"]


def test_a_pipeline_is_made_bare_or_seeded(acme, platform):
    bare = platform.post("pipelines", {"name": "Bare"})
    seeded = platform.post("pipelines?seed=true", {"name": "Seeded"})

    assert (bare.status_code, bare.json()["stages"], bare.json()["is_default"]) == (201, [], False)
    assert [stage["name"] for stage in seeded.json()["stages"]] == SEED
    refused = platform.post("pipelines?seed=perhaps", {"name": "X"})
    assert (refused.status_code, refused.json()["error"]["details"][0]["field"]) == (422, "seed")
    assert len(told(acme, "pipeline.created")) == 3


def test_a_pipeline_is_renamed_once(acme, platform, second):
    for _ in range(2):
        answer = platform.patch(f"pipelines/{second['id']}", {"name": "Channel"})
        assert (answer.status_code, answer.json()["name"]) == (200, "Channel")

    assert told(acme, "pipeline.updated") == ["Pipeline Channel updated"]


def test_one_pipeline_is_the_default(platform, second):
    assert defaults(platform) == ["Sales"]
    assert platform.patch(f"pipelines/{second['id']}", {"is_default": True}).json()["is_default"] is True
    assert defaults(platform) == ["Partners"]

    answer = platform.patch(f"pipelines/{second['id']}", {"is_default": False})
    assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, "is_default")

    platform.post("pipelines", {"name": "Third", "is_default": True})
    assert defaults(platform) == ["Third"]


def test_pipelines_are_searched_by_a_part_of_their_names(platform, team, second):
    for text, found in {"ART": ["Partners"], "s": ["Partners", "Sales"], "%": [], "  ": ["Partners", "Sales"]}.items():
        for asked in ({"q": text}, {"search": text}):
            answer = platform.get("pipelines", **asked, sort="name").json()
            assert ([item["name"] for item in answer["items"]], answer["total"]) == (found, len(found)), asked
        listed = team.get("pipelines", search=text, sort="name").json()["data"]["pipelines"]
        assert [item["name"] for item in listed] == found


def test_the_default_pipeline_stays(owner, platform, second):
    (default,) = [item["id"] for item in platform.get("pipelines").json()["items"] if item["is_default"]]

    answer = owner.delete(f"pipelines/{default}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "DEFAULT_PIPELINE")


def test_a_pipeline_with_open_deals_stays_and_one_with_decided_deals_goes(owner, platform, second, opportunity):
    deal = opportunity(pipeline_id=second["id"])
    path = f"pipelines/{second['id']}"

    refused = owner.delete(path)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "PIPELINE_NOT_EMPTY")

    won = next(stage["id"] for stage in second["stages"] if stage["type"] == "won")
    platform.post(f"opportunities/{deal['id']}/move", {"stage_id": won})
    gone = owner.delete(path)

    assert (gone.status_code, gone.json()) == (200, {"message": "Pipeline deleted successfully"})
    assert platform.get(path).status_code == platform.get(f"{path}/stages").status_code == 404
    assert platform.get(f"opportunities/{deal['id']}").json()["pipeline"] == {"id": second["id"], "name": "Partners"}
    lead = second["stages"][0]["id"]
    for response in (
        platform.post(f"opportunities/{deal['id']}/move", {"stage_id": lead}),
        platform.post("opportunities", {"name": "X", "stage_id": lead}),
        platform.post("opportunities", {"name": "X", "pipeline_id": second["id"]}),
    ):
        assert response.status_code == 422

    for _ in range(2):
        assert owner.post(f"{path}/restore").status_code == 200
    assert platform.post(f"opportunities/{deal['id']}/move", {"stage_id": lead}).json()["status"] == "open"


def test_who_may_do_what(acme, other, client_for, second):
    path = f"pipelines/{second['id']}"
    expected = {
        "manager": (200, 200, 403),
        "staff": (200, 403, 403),
        "viewer": (200, 403, 403),
        "customer_experience": (200, 403, 403),
        "owner": (200, 200, 200),
    }
    for role, statuses in expected.items():
        client = client_for(acme.users[role], "platform")
        answers = (client.get(path), client.patch(path, {"name": f"By {role}"}), client.delete(path))
        assert tuple(answer.status_code for answer in answers) == statuses, role
    stranger = client_for(other.owner, "platform")
    assert stranger.get(path).status_code == stranger.patch(path, {"name": "Mine"}).status_code == 404
    assert stranger.get("pipelines").json()["total"] == 1


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "x" * 101}, {"name": None}, {"name": "A", "color": "red"}])
def test_bad_pipelines_are_refused(acme, platform, body):
    assert platform.post("pipelines", body).status_code == 422
    with acme.inside():
        assert Pipeline.objects.of(acme.id).count() == 1
    assert platform.get(f"pipelines/{uuid4()}").status_code == 404
