"""Clients of the two surfaces that sell, and the default pipeline's stages by name."""

from uuid import UUID

import pytest

from sales.models import Deal, Stage


@pytest.fixture
def platform(acme, client_for):
    return client_for(acme.manager, "platform")


@pytest.fixture
def team(acme, client_for):
    return client_for(acme.manager)


@pytest.fixture
def staff(acme, client_for):
    return client_for(acme.staff)


@pytest.fixture
def ada(acme, team):
    """The id of a contact that the staff member owns."""
    return team.post("contacts", {"firstName": "Ada", "ownerId": str(acme.staff.pk)}).json()["data"]["id"]


@pytest.fixture
def stages(platform):
    """The id of each stage of the default pipeline by its name."""
    (pipeline,) = [item for item in platform.get("pipelines").json()["items"] if item["is_default"]]
    return {stage["name"]: stage["id"] for stage in pipeline["stages"]}


@pytest.fixture
def opportunity(platform):
    """A function that makes an opportunity."""

    def make(name="Deal", **fields):
        response = platform.post("opportunities", {"name": name, **fields})
        assert response.status_code == 201, response.content
        return response.json()

    return make


@pytest.fixture
def column(acme):
    """A function that lists the titles of a stage's living deals in their order."""

    def titles(stage_id):
        with acme.inside():
            rows = Deal.objects.of(acme.id).alive().filter(stage_id=UUID(stage_id)).order_by("rank")
            return list(rows.values_list("title", flat=True))

    return titles


@pytest.fixture
def order(acme):
    """A function that lists the names of a pipeline's stages, having seen that their positions have no gaps."""

    def names(pipeline_id):
        with acme.inside():
            rows = list(Stage.objects.of(acme.id).filter(pipeline_id=pipeline_id).order_by("position"))
        assert [stage.position for stage in rows] == list(range(len(rows)))
        return [stage.name for stage in rows]

    return names
