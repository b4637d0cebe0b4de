"""Who sees and changes opportunities, over HTTP."""

import pytest


@pytest.fixture
def staff(acme, client_for):
    return client_for(acme.staff, "platform")


def test_staff_see_and_change_their_own(acme, platform, staff, stages, opportunity):
    theirs = opportunity("Theirs")["id"]
    own = staff.post("opportunities", {"name": "Own"}).json()["id"]

    assert [item["name"] for item in staff.get("opportunities").json()["items"]] == ["Own"]
    for answer in (
        staff.get(f"opportunities/{theirs}"),
        staff.get(f"opportunities/{theirs}/history"),
        staff.patch(f"opportunities/{theirs}", {"name": "X"}),
        staff.post(f"opportunities/{theirs}/move", {"stage_id": stages["Won"]}),
    ):
        assert answer.status_code == 404
    assert staff.patch(f"opportunities/{own}", {"name": "Still own"}).status_code == 200
    assert staff.post(f"opportunities/{own}/move", {"stage_id": stages["Won"]}).status_code == 200
    assert staff.delete(f"opportunities/{own}").status_code == 403
    assert staff.patch(f"opportunities/{own}", {"owner_id": str(acme.manager.pk)}).status_code == 403


def test_readers_change_nothing_and_strangers_see_nothing(acme, other, client_for, stages, opportunity):
    deal = opportunity()
    path = f"opportunities/{deal['id']}"
    for role in ("viewer", "customer_experience"):
        client = client_for(acme.users[role], "platform")
        assert client.get(path).json() == deal
        answers = (
            client.post("opportunities", {"name": "X"}),
            client.patch(path, {"name": "X"}),
            client.post(f"{path}/move", {"stage_id": stages["Won"]}),
            client.delete(path),
            client.post(f"{path}/restore"),
        )
        assert {answer.status_code for answer in answers} == {403}
    stranger = client_for(other.owner, "platform")
    body = {"stage_id": stages["Won"]}
    answers = (stranger.get(path), stranger.delete(path), stranger.post(f"{path}/move", body))
    assert {answer.status_code for answer in answers} == {404}
