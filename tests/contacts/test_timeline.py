"""A contact's timeline: read from events, written by people, within what the reader may see."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.models import Contact
from crm.core import db, events
from crm.core.models import Event
from tests.accounts.roles import member_who_may


@pytest.fixture
def team(acme, client_for):
    return client_for(acme.manager)


@pytest.fixture
def ada(acme, team):
    """The id of a contact that the staff member owns."""
    return team.post("contacts", {"firstName": "Ada", "ownerId": str(acme.staff.pk)}).json()["data"]["id"]


def timeline(client, pk, **query):
    response = client.get(f"contacts/{pk}/timeline", **query)
    assert response.status_code == 200, response.content
    return response.json()["data"]["timeline"]


@pytest.mark.parametrize(
    ("kind", "title", "name", "is_contact"),
    [
        ("note", "Note added", "note.added", False),
        ("call", "Call logged", "call.logged", True),
        ("email", "E-mail logged", "email.logged", True),
        ("meeting", "Meeting logged", "meeting.logged", True),
    ],
)
def test_an_entry_is_written_and_read(acme, team, ada, kind, title, name, is_contact):
    response = team.post(
        f"contacts/{ada}/timeline",
        {"type": kind, "content": "Talked of engines.", "occurredAt": "2026-03-01T12:00:00Z"},
    )

    entry = response.json()["data"]
    assert response.status_code == 201
    assert entry == {
        "id": entry["id"],
        "type": kind,
        "title": title,
        "content": "Talked of engines.",
        "actor": {"id": str(acme.manager.pk), "name": acme.manager.full_name},
        "metadata": {},
        "occurredAt": "2026-03-01T12:00:00Z",
    }
    assert timeline(team, ada, type=kind) == [entry]
    touched = team.get(f"contacts/{ada}").json()["data"]["lastContactedAt"]
    assert touched == ("2026-03-01T12:00:00Z" if is_contact else None)
    with acme.inside():
        event = Event.objects.get(pk=entry["id"])
    assert (event.name, event.contact_id) == (name, event.subject_id)


def test_entries_stand_newest_first_whatever_the_order_of_writing(team, ada):
    for content, day in (("second", "02"), ("third", "03"), ("first", "01")):
        team.post(
            f"contacts/{ada}/timeline", {"type": "call", "content": content, "occurredAt": f"2026-03-{day}T08:00:00Z"}
        )

    entries = timeline(team, ada)

    assert [entry["content"] for entry in entries] == [None, "third", "second", "first"]
    assert team.get(f"contacts/{ada}").json()["data"]["lastContactedAt"] == "2026-03-03T08:00:00Z"


def test_a_future_meeting_is_no_contact_yet(team, ada):
    response = team.post(f"contacts/{ada}/timeline", {"type": "meeting", "occurredAt": "2199-01-01T00:00:00Z"})

    assert response.status_code == 201
    assert team.get(f"contacts/{ada}").json()["data"]["lastContactedAt"] is None


def test_without_a_time_it_is_now(team, ada):
    before = datetime.now(UTC)

    entry = team.post(f"contacts/{ada}/timeline", {"type": "call", "occurredAt": None}).json()["data"]

    assert before <= datetime.fromisoformat(entry["occurredAt"]) <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "type"),
        ({"type": "deal", "content": "x"}, "type"),
        ({"type": "note"}, "content"),
        ({"type": "note", "content": "  "}, "content"),
        ({"type": "note", "content": "x" * 20_001}, "content"),
        ({"type": "call", "occurredAt": "yesterday"}, "occurredAt"),
        ({"type": "call", "occurredAt": "0001-01-01T00:00:00+14:00"}, "occurredAt"),
        ({"type": "call", "occurred_at": "2026-03-01T12:00:00Z"}, "occurred_at"),
    ],
)
def test_an_entry_that_is_not_valid_is_refused(team, ada, body, field):
    response = team.post(f"contacts/{ada}/timeline", body)

    assert response.status_code == 400
    assert [detail["field"] for detail in response.json()["error"]["details"]] == [field]
    assert len(timeline(team, ada)) == 1


def test_a_change_is_told_in_words_and_in_data(acme, team, ada):
    team.patch(
        f"contacts/{ada}",
        {
            "phone": "1",
            "ownerId": str(acme.manager.pk),
            "company": "Globex",
            "notes": "x",
            "doNotContact": True,
            "tags": ["a"],
        },
    )

    entry = timeline(team, ada, type="update")[0]

    assert entry["title"] == "Contact Ada updated"
    assert sorted(entry["content"].splitlines()) == [
        "Company set to Globex",
        "Do not contact changed from no to yes",
        "Notes changed",
        f"Owner changed from {acme.staff.full_name} to {acme.manager.full_name}",
        "Phone set to 1",
        "Tags set to a",
    ]
    changes = entry["metadata"]["changes"]
    assert (changes["phone"], changes["doNotContact"]) == ({"from": "", "to": "1"}, {"from": False, "to": True})


def test_the_pages_of_a_timeline(team, ada):
    for number in range(5):
        team.post(
            f"contacts/{ada}/timeline",
            {"type": "note", "content": f"{number}", "occurredAt": f"2026-0{number + 1}-01T00:00:00Z"},
        )

    response = team.get(f"contacts/{ada}/timeline", type="note", page="2", pageSize="2")

    data = response.json()["data"]
    assert [entry["content"] for entry in data["timeline"]] == ["2", "1"]
    assert data["meta"]["pagination"] == {"page": 2, "pageSize": 2, "total": 5, "totalPages": 3}
    assert team.get(f"contacts/{ada}/timeline", type="gossip").status_code == 400


def test_staff_see_only_what_concerns_what_they_may_see(acme, client_for, team, ada):
    with acme.inside():
        contact = Contact.objects.get(pk=ada)
        strangers = Contact(organization_id=acme.id, first_name="Stranger")
        strangers.save()
        events.record(acme.actor("owner"), "deal.moved", strangers, title="Somebody else's deal", contact_id=contact.pk)
    staff = client_for(acme.staff)

    assert [entry["title"] for entry in timeline(team, ada)] == ["Somebody else's deal", "Contact Ada created"]
    assert [entry["title"] for entry in timeline(staff, ada)] == ["Contact Ada created"]


def test_what_one_may_not_view_is_left_out(acme, client_for, team, ada):
    with acme.inside():
        contact = Contact.objects.get(pk=ada)
        actor = acme.actor("owner")
        events.record(actor, "deal.won", contact, kind="deal", title="Deal won", contact_id=contact.pk)
    outsider = member_who_may(acme, ["contacts:view"])

    assert [entry["type"] for entry in timeline(team, ada)] == ["deal", "update"]
    assert [entry["type"] for entry in timeline(client_for(outsider), ada)] == ["update"]


def test_a_page_takes_the_same_number_of_queries_however_long(team, ada):
    def count():
        with CaptureQueriesContext(connection) as queries:
            timeline(team, ada, pageSize="100")
        return len(queries)

    count()
    one = count()
    for number in range(30):
        team.post(f"contacts/{ada}/timeline", {"type": "note", "content": f"{number}"})

    assert count() == one


def test_an_entry_outlives_nothing_that_was_rolled_back(acme, team, ada):
    refused = team.patch(f"contacts/{ada}", {"phone": "2", "firstName": None})

    assert refused.status_code == 400
    with db.tenant(acme.id):
        assert Event.objects.of(acme.id).filter(subject_id=ada).count() == 1


def test_the_keys_of_a_free_object_that_changed_are_shown(acme, team, ada, client_for):
    team.patch(f"contacts/{ada}", {"customFields": {"a_b": 1, "c": 2}})
    team.patch(f"contacts/{ada}", {"customFields": {"a_b": 1, "c": 3}})

    told = timeline(team, ada)[0]["metadata"]["changes"]
    platform = client_for(acme.manager, "platform").get(f"contacts/{ada}/timeline").json()["items"][0]

    assert told == {"customFields": {"from": {"c": 2}, "to": {"c": 3}}}
    assert platform["metadata"]["changes"] == {"custom_fields": {"from": {"c": 2}, "to": {"c": 3}}}


def test_large_changes_are_shown_by_their_beginnings_and_kept_whole(acme, team, ada, client_for):
    large = [{"x": letter * 16_000, "y": "z"} for letter in "abcdef"]
    for value in large:
        assert team.patch(f"contacts/{ada}", {"customFields": value, "notes": value["x"]}).status_code == 200

    platform = client_for(acme.manager, "platform")
    for response in (team.get(f"contacts/{ada}/timeline"), platform.get(f"contacts/{ada}/timeline")):
        assert len(response.content) < 20_000
    change = timeline(team, ada)[0]["metadata"]["changes"]["customFields"]
    assert change["shortened"] is True
    assert change["from"].startswith('{"x": "eee')
    assert len(change["from"]) == len(change["to"]) == 200
    with acme.inside():
        kept = Event.objects.of(acme.id).filter(name="contact.updated").order_by("-id").first()
    assert kept.changes["custom_fields"] == {"from": {"x": large[-2]["x"]}, "to": {"x": large[-1]["x"]}}
