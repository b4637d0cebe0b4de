"""Tasks on the Team surface: an activity of type `task`, assigned to somebody."""

from datetime import UTC, datetime

import pytest

from contacts.models import Contact
from sales.models import Activity
from tests.sales.tasks import events, listed, made, patched, timeline


def test_a_task_is_made_and_shown(acme, team, ada):
    task = made(
        team,
        description="With the new prices.",
        dueDate="2030-06-01",
        priority="high",
        contactId=ada,
        assigneeId=str(acme.staff.pk),
    )

    assert task == {
        "id": task["id"],
        "title": "Send the offer",
        "description": "With the new prices.",
        "status": "pending",
        "priority": "high",
        "dueDate": "2030-06-01",
        "assigneeId": str(acme.staff.pk),
        "assignee": {"id": str(acme.staff.pk), "fullName": acme.staff.full_name},
        "contactId": ada,
        "contact": {"id": ada, "name": "Ada"},
        "companyId": None,
        "company": None,
        "dealId": None,
        "deal": None,
        "completedAt": None,
        "createdBy": {"id": str(acme.manager.pk), "fullName": acme.manager.full_name},
        "createdAt": task["createdAt"],
        "updatedAt": task["updatedAt"],
    }
    assert team.get(f"tasks/{task['id']}").json()["data"] == task
    assert timeline(team, ada)[0] == ("task", "Task created: Send the offer")


def test_a_task_is_one_s_own_unless_it_is_given_to_another_or_to_nobody(acme, staff):
    assert made(staff)["assigneeId"] == str(acme.staff.pk)
    assert made(staff, assigneeId=str(acme.manager.pk))["assigneeId"] == str(acme.manager.pk)
    assert made(staff, assigneeId=None)["assigneeId"] is None


@pytest.mark.parametrize("how", ["complete", "status"])
def test_done_once_it_stands_on_the_timeline_once(acme, team, ada, how):
    pk = made(team, contactId=ada)["id"]

    for _ in range(2):
        done = (
            team.post(f"tasks/{pk}/complete").json()["data"]
            if how == "complete"
            else patched(team, pk, {"status": "completed"})
        )
        assert done["status"] == "completed"
        assert done["completedAt"] is not None

    completed = [event for event in events(acme, pk) if event.name == "activity.completed"]
    assert len(completed) == 1
    assert (str(completed[0].contact_id), completed[0].kind) == (ada, "task")
    assert timeline(team, ada)[0] == ("task", "Task completed: Send the offer")
    assert [event.name for event in events(acme, pk)] == ["activity.created", "activity.completed"]


def test_done_and_renamed_at_once_is_one_event(acme, team):
    pk = made(team)["id"]

    patched(team, pk, {"status": "completed", "title": "Sent", "dueDate": "2030-06-01"})

    *_, event = events(acme, pk)
    assert (event.name, event.title) == ("activity.completed", "Task completed: Sent")
    assert event.changes["subject"] == {"from": "Send the offer", "to": "Sent"}
    assert sorted(event.content.splitlines()) == [
        "Due set to 2030-06-01",
        "Status changed from pending to completed",
        "Subject changed from Send the offer to Sent",
    ]


def test_what_is_taken_up_again_may_be_done_again(acme, team):
    pk = made(team, status="completed")["id"]

    assert patched(team, pk, {"status": "in_progress"})["completedAt"] is None
    assert team.post(f"tasks/{pk}/complete").json()["data"]["completedAt"] is not None

    assert [event.name for event in events(acme, pk)] == [
        "activity.created",
        "activity.completed",
        "activity.updated",
        "activity.completed",
    ]


def test_nothing_changed_is_no_event(acme, team, ada):
    task = made(team, contactId=ada, dueDate="2030-06-01")

    patched(team, task["id"], {name: task[name] for name in ("title", "contactId", "dueDate", "status", "assigneeId")})

    assert len(events(acme, task["id"])) == 1


# --- When it is due


@pytest.mark.parametrize(
    ("given", "shown", "stored"),
    [
        ("2030-06-01", "2030-06-01", "2030-06-02T03:59:59"),
        ("2030-06-01T08:00:00Z", "2030-06-01T08:00:00Z", "2030-06-01T08:00:00"),
        ("2030-06-01T08:00:00+05:45", "2030-06-01T02:15:00Z", "2030-06-01T02:15:00"),
        ("2030-06-01T08:00", "2030-06-01T08:00:00Z", "2030-06-01T08:00:00"),
        (None, None, None),
    ],
)
def test_a_due_date_is_a_date_or_a_time(acme, team, given, shown, stored):
    newyorker = acme.add("staff", timezone="America/New_York")

    task = made(team, dueDate=given, assigneeId=str(newyorker.pk))

    assert task["dueDate"] == shown
    with acme.inside():
        due_at = Activity.objects.get(pk=task["id"]).due_at
    assert due_at == (stored and datetime.fromisoformat(stored).replace(tzinfo=UTC))


def test_a_date_is_the_end_of_that_day_for_whom_it_is_assigned_to(acme, team):
    far_east, far_west = (acme.add("staff", timezone=zone) for zone in ("Pacific/Kiritimati", "Etc/GMT+12"))
    pk = made(team, dueDate="2030-06-01", assigneeId=str(far_east.pk))["id"]

    def due_at():
        with acme.inside():
            return Activity.objects.get(pk=pk).due_at.isoformat()

    assert due_at() == "2030-06-01T09:59:59+00:00"
    assert patched(team, pk, {"assigneeId": str(far_west.pk)})["dueDate"] == "2030-06-01"
    assert due_at() == "2030-06-02T11:59:59+00:00"
    assert patched(team, pk, {"dueDate": "2030-06-02"})["dueDate"] == "2030-06-02"
    assert due_at() == "2030-06-03T11:59:59+00:00"
    patched(team, pk, {"dueDate": "2030-06-02T00:00:00Z"})
    patched(team, pk, {"assigneeId": str(far_east.pk)})
    assert due_at() == "2030-06-02T00:00:00+00:00"


def test_whoever_moves_to_another_zone_takes_their_days_along(acme, team, client_for, deliver):
    user = acme.add("staff", timezone="Europe/Berlin")
    mine = client_for(user)
    by_day = made(mine, title="By day", dueDate="2030-06-01")["id"]
    by_time = made(mine, title="By time", dueDate="2030-06-01T12:00:00Z")["id"]
    done = made(mine, title="Done", dueDate="2030-06-01", status="completed")["id"]

    assert mine.patch("settings/profile", {"timezone": "Asia/Kathmandu"}).status_code == 200
    deliver()

    with acme.inside():
        due = {str(row.pk): row.due_at.isoformat() for row in Activity.objects.of(acme.id)}
    assert due[by_day] == "2030-06-01T18:14:59+00:00"
    assert due[by_time] == "2030-06-01T12:00:00+00:00"
    assert due[done] == "2030-06-01T21:59:59+00:00"
    assert mine.get(f"tasks/{by_day}").json()["data"]["dueDate"] == "2030-06-01"
    assert [event.name for event in events(acme, by_day)] == ["activity.created"]


def test_what_is_assigned_to_nobody_is_due_by_the_organization_s_clock(acme, client_for, deliver):
    owner = client_for(acme.owner)
    owner.patch("settings/organization", {"timezone": "Asia/Tokyo"})
    pk = made(owner, dueDate="2030-06-01", assigneeId=None)["id"]

    def due_at():
        with acme.inside():
            return Activity.objects.get(pk=pk).due_at.isoformat()

    assert due_at() == "2030-06-01T14:59:59+00:00"
    owner.patch("settings/organization", {"timezone": "America/Havana"})
    deliver()
    assert due_at() == "2030-06-02T03:59:59+00:00"


# --- What is refused


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": None}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"description": "x" * 20_001}, "description"),
        ({"status": "done"}, "status"),
        ({"priority": None}, "priority"),
        ({"dueDate": "01/06/2030"}, "dueDate"),
        ({"dueDate": "2030-02-29"}, "dueDate"),
        ({"dueDate": 20300601}, "dueDate"),
        ({"dueDate": "9999-12-31T23:59:59-01:00"}, "dueDate"),
        ({"assigneeId": "me"}, "assigneeId"),
        ({"contactId": "00000000-0000-4000-8000-000000000000"}, "contactId"),
        ({"dealId": "00000000-0000-4000-8000-000000000000"}, "dealId"),
        ({"companyId": "00000000-0000-4000-8000-000000000000"}, "companyId"),
        ({"assigneeId": "00000000-0000-4000-8000-000000000000"}, "assigneeId"),
        ({"type": "call"}, "type"),
        ({"completedAt": "2030-01-01T00:00:00Z", "subject": "x"}, "subject"),
    ],
)
def test_what_is_not_valid_is_refused_and_not_stored(acme, team, body, field):
    response = team.post("tasks", {"title": "Send the offer", **body})

    assert response.status_code == 400
    assert [detail["field"] for detail in response.json()["error"]["details"]] == [field]
    with acme.inside():
        assert not Activity.objects.of(acme.id).exists()


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
def test_the_first_and_last_day_there_is_may_be_due(acme, team, day, zone):
    user = acme.add("staff", timezone=zone)

    assert made(team, dueDate=day, assigneeId=str(user.pk))["dueDate"] == day
    assert listed(team, dueFrom=day, dueTo=day) == ["Send the offer"]


@pytest.mark.parametrize("who", ["customer", "gone", "foreign"])
def test_nobody_but_an_active_member_is_assigned(acme, other, team, who):
    person = {"customer": acme.customer, "gone": acme.add("staff", is_active=False), "foreign": other.staff}[who]

    refused = patched(team, made(team)["id"], {"assigneeId": str(person.pk)}, status=400)

    assert refused["details"][0]["field"] == "assigneeId"


def test_staff_attach_only_what_they_see(acme, team, staff):
    strangers = team.post("contacts", {"firstName": "Stranger"}).json()["data"]["id"]

    assert staff.post("tasks", {"title": "x", "contactId": strangers}).status_code == 400
    given = made(team, contactId=strangers, assigneeId=str(acme.staff.pk))["id"]
    assert patched(staff, given, {"contactId": strangers, "title": "y"})["contactId"] == strangers


def test_a_deleted_contact_s_task_stays_and_takes_no_new_one(team, ada):
    pk = made(team, contactId=ada)["id"]
    team.delete(f"contacts/{ada}")

    assert patched(team, pk, {"title": "Still there"})["contactId"] == ada
    assert team.post("tasks", {"title": "x", "contactId": ada}).status_code == 400


def test_the_contact_was_not_in_touch_by_a_task(acme, team, ada):
    made(team, contactId=ada, status="completed")

    with acme.inside():
        assert Contact.objects.get(pk=ada).last_contacted_at is None
