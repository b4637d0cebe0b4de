"""`GET /tasks/reminders`: what is overdue, due today and upcoming, by the clock of whom it is assigned to."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

EMPTY = {"overdue": [], "today": [], "upcoming": []}


def at(text, zone="UTC"):
    """A block during which it is this time in the zone. The years are far off: the database's clock stays behind."""
    return time_machine.travel(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)), tick=False)


def task(client, title, due, **body):
    response = client.post("tasks", {"title": title, "dueDate": due, **body})
    assert response.status_code == 201, response.content
    return response.json()["data"]["id"]


def reminded(client, **query):
    """The titles in each list; the counts agree with them."""
    response = client.get("tasks/reminders", **query)
    assert response.status_code == 200, response.content
    data = response.json()["data"]
    counts = data.pop("counts")
    assert counts.pop("total") == sum(counts.values())
    assert counts == {name: len(tasks) for name, tasks in data.items()}
    return {name: [each["title"] for each in tasks] for name, tasks in data.items()}


def test_the_three_lists(acme, client_for):
    user = acme.add("staff", timezone="Europe/Berlin")
    with at("2036-06-10T09:00", "Europe/Berlin"):
        client = client_for(user)
        for title, due in {
            "yesterday": "2036-06-09",
            "an hour ago": "2036-06-10T06:00:00Z",
            "today": "2036-06-10",
            "later today": "2036-06-10T21:59:58Z",
            "just tomorrow": "2036-06-10T22:00:00Z",
            "in seven days": "2036-06-17",
            "in eight days": "2036-06-18",
        }.items():
            task(client, title, due)
        task(client, "done", "2036-06-10", status="completed")
        task(client, "dropped", "2036-06-10", status="cancelled")
        task(client, "begun", "2036-06-08", status="in_progress")
        task(client, "some day", None)
        client.delete(f"tasks/{task(client, 'deleted', '2036-06-10')}")

        assert reminded(client) == {
            "overdue": ["begun", "yesterday", "an hour ago"],
            "today": ["later today", "today"],
            "upcoming": ["just tomorrow", "in seven days"],
        }
        assert client.get("tasks/reminders").json()["data"]["today"][1]["dueDate"] == "2036-06-10"


# Person's zone, the moment by their clock, when "today" ends by the clock of UTC.
DAYS = [
    ("Europe/Berlin", "2036-03-30T12:00", "2036-03-30T22:00"),  # 23 hours
    ("Europe/Berlin", "2036-10-26T12:00", "2036-10-26T23:00"),  # 25 hours
    ("America/New_York", "2036-03-09T01:30", "2036-03-10T04:00"),
    ("America/New_York", "2036-11-02T00:30", "2036-11-03T05:00"),
    ("Asia/Beirut", "2036-03-29T23:59", "2036-03-29T22:00"),  # the midnight that follows does not exist
    ("Asia/Beirut", "2036-03-30T01:00", "2036-03-30T21:00"),  # nor the one before this, the day's first instant
    ("Africa/Cairo", "2036-04-25T01:00", "2036-04-25T21:00"),
    ("Pacific/Kiritimati", "2036-01-01T00:00", "2036-01-01T10:00"),
    ("Etc/GMT+12", "2036-01-01T23:59", "2036-01-02T12:00"),
    ("Asia/Kathmandu", "2036-02-29T23:59", "2036-02-29T18:15"),
    ("Australia/Lord_Howe", "2036-04-06T12:00", "2036-04-06T13:30"),  # half an hour more
]


@pytest.mark.parametrize(("zone", "moment", "ends"), DAYS)
def test_today_ends_when_it_does_for_the_person(acme, client_for, zone, moment, ends):
    user = acme.add("staff", timezone=zone)
    tomorrow = datetime.fromisoformat(ends).replace(tzinfo=UTC)
    day = datetime.fromisoformat(moment).date()
    with at(moment, zone):
        client = client_for(user)
        task(client, "first of tomorrow", tomorrow.isoformat())
        task(client, "last of today", (tomorrow - timedelta(microseconds=1)).isoformat())
        task(client, "all day", day.isoformat())
        task(client, "all tomorrow", (day + timedelta(days=1)).isoformat())

        assert reminded(client) == EMPTY | {
            "today": ["all day", "last of today"],
            "upcoming": ["first of tomorrow", "all tomorrow"],
        }
    with time_machine.travel(tomorrow, tick=False):
        assert reminded(client_for(user)) == EMPTY | {
            "overdue": ["all day", "last of today"],
            "today": ["first of tomorrow", "all tomorrow"],
        }


def test_another_s_reminders_are_by_the_other_s_clock(acme, client_for):
    user = acme.add("staff", timezone="Pacific/Kiritimati")
    with at("2036-06-10T23:00"):
        manager = client_for(acme.manager)
        task(manager, "it is the 11th there", "2036-06-11", assigneeId=str(user.pk))

        assert reminded(manager, assigneeId=str(user.pk))["today"] == ["it is the 11th there"]
        assert reminded(manager) == EMPTY


def test_one_s_own_is_what_is_assigned_to_one(acme, client_for):
    owner, staff = client_for(acme.owner), client_for(acme.staff)
    task(owner, "owner's", "2000-01-01")
    task(owner, "staff's", "2000-01-01", assigneeId=str(acme.staff.pk))
    task(staff, "given away", "2000-01-01", assigneeId=str(acme.manager.pk))

    assert reminded(owner)["overdue"] == ["owner's"]
    assert reminded(staff)["overdue"] == reminded(staff, assigneeId="me")["overdue"] == ["staff's"]
    assert reminded(staff, assigneeId=str(acme.staff.pk))["overdue"] == ["staff's"]
    assert reminded(owner, assigneeId=str(acme.manager.pk))["overdue"] == ["given away"]


@pytest.mark.parametrize(
    ("role", "whose", "status"),
    [
        ("owner", "staff", 200),
        ("manager", "owner", 200),
        ("viewer", "staff", 403),
        ("customer_experience", "staff", 403),
        ("viewer", "viewer", 200),
        ("customer_experience", "customer_experience", 200),
        ("staff", "owner", 403),
        ("staff", "nobody", 403),
        ("staff", "foreign", 403),
        ("owner", "nobody", 400),
        ("owner", "foreign", 400),
        ("owner", "customer", 400),
        ("owner", "bad", 400),
        ("staff", "bad", 400),
    ],
)
def test_who_may_look_at_whose(acme, other, client_for, role, whose, status):
    named = {"nobody": "00000000-0000-4000-8000-000000000000", "foreign": str(other.staff.pk), "bad": "ann"}
    asked = named.get(whose) or str(acme.users[whose].pk)

    response = client_for(acme.users[role]).get("tasks/reminders", assigneeId=asked)

    assert response.status_code == status
    if status == 400:
        assert [detail["field"] for detail in response.json()["error"]["details"]] == ["assigneeId"]


def test_calls_are_no_tasks(acme, client_for):
    platform = client_for(acme.staff, "platform")
    contact = platform.post("contacts", {"first_name": "Ada"}).json()["id"]
    platform.post(
        "activities",
        {"type": "call", "subject": "Ring", "due_at": "2000-01-01T00:00:00Z", "contact_id": contact},
    )

    assert reminded(client_for(acme.staff)) == EMPTY


def test_the_lists_are_bounded_and_the_counts_true(acme, client_for):
    client = client_for(acme.staff)
    for number in range(101):
        task(client, f"{number}", f"2000-01-01T00:{number // 60:02}:{number % 60:02}Z")

    data = client.get("tasks/reminders").json()["data"]

    assert [each["title"] for each in data["overdue"]] == [str(number) for number in range(100)]
    assert data["counts"] == {"overdue": 101, "today": 0, "upcoming": 0, "total": 101}


@pytest.mark.parametrize("role", ["owner", "staff"])
def test_it_takes_the_same_statements_however_much_is_due(acme, client_for, role):
    client = client_for(acme.users[role])

    def count():
        with CaptureQueriesContext(connection) as queries:
            reminded(client)
        return len(queries)

    task(client, "one", "2000-01-01")
    count()
    one = count()
    for number in range(5):
        task(client, f"more {number}", "2000-01-01")

    assert count() == one == len(("session check", "overdue", "today", "upcoming"))
