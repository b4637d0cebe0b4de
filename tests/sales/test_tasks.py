"""Tasks on the Team surface: an activity of type `task`, assigned to somebody."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.models import Contact
from crm.core.models import Event
from sales.models import Activity


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


def made(client, **body):
    response = client.post("tasks", {"title": "Send the offer", **body})
    assert response.status_code == 201, response.content
    return response.json()["data"]


def patched(client, pk, body, status=200):
    response = client.patch(f"tasks/{pk}", body)
    assert response.status_code == status, response.content
    return response.json().get("data") or response.json()["error"]


def listed(client, **query):
    response = client.get("tasks", **query)
    assert response.status_code == 200, response.content
    data = response.json()["data"]
    titles = [task["title"] for task in data["tasks"]]
    assert data["meta"]["pagination"]["total"] == len(titles)
    return titles


def events(tenant, pk):
    with tenant.inside():
        return list(Event.objects.of(tenant.id).filter(subject_id=pk).order_by("id"))


def timeline(client, contact):
    return [
        (entry["type"], entry["title"])
        for entry in client.get(f"contacts/{contact}/timeline").json()["data"]["timeline"]
    ]


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


# --- Lists


def test_the_filters_of_the_list(acme, team, ada, staff):
    made(team, title="Late", dueDate="2020-01-01", contactId=ada, priority="urgent")
    made(team, title="Late but done", dueDate="2020-01-01", status="completed")
    made(team, title="On the first", dueDate="2030-06-01", assigneeId=str(acme.staff.pk))
    made(team, title="On the second", dueDate="2030-06-02T10:00:00Z", description="Mention the Löwenbräu order")
    made(team, title="Some day")

    everything = ["Some day", "On the second", "On the first", "Late but done", "Late"]
    assert listed(team) == everything
    assert listed(team, status="completed") == ["Late but done"]
    assert listed(team, priority="urgent") == ["Late"]
    assert listed(team, assigneeId=str(acme.staff.pk)) == ["On the first"]
    assert listed(staff, assigneeId="me") == ["On the first"]
    assert listed(team, contactId=ada) == ["Late"]
    assert listed(team, overdue="true") == ["Late"]
    assert listed(team, overdue="false") == everything[:-1]
    assert listed(team, dueFrom="2030-06-01", dueTo="2030-06-01") == ["On the first"]
    assert listed(team, dueFrom="2030-06-02") == ["On the second"]
    assert listed(team, dueFrom="2030-06-02T10:00:00Z", dueTo="2030-06-02T10:00:00Z") == ["On the second"]
    assert listed(team, dueFrom="2030-06-02T10:00:01Z") == []
    assert listed(team, dueTo="2030-06-01") == ["On the first", "Late but done", "Late"]
    assert listed(team, search="lowen") == ["On the second"]
    assert listed(team, search="late", overdue="true") == ["Late"]
    assert listed(team, sort="dueDate")[:2] in (["Late", "Late but done"], ["Late but done", "Late"])


def test_overdue_follows_the_clock_though_the_question_is_kept(team, time_after):
    made(team, title="Soon", dueDate=(datetime.now(UTC) + timedelta(hours=1)).isoformat())

    assert listed(team, overdue="true") == []
    with time_after(hours=2):
        assert listed(team, overdue="true") == ["Soon"]


def test_a_day_asked_for_is_found_in_every_zone(acme, team):
    for zone in ("Pacific/Kiritimati", "Etc/GMT+12"):
        made(team, title=zone, dueDate="2030-06-01", assigneeId=str(acme.add("staff", timezone=zone).pk))

    assert len(listed(team, dueFrom="2030-06-01", dueTo="2030-06-01")) == 2
    assert listed(team, dueTo="2030-05-31") == listed(team, dueFrom="2030-06-02") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"status": "done"}, "status"),
        ({"priority": "5"}, "priority"),
        ({"assigneeId": "nobody"}, "assigneeId"),
        ({"contactId": "1"}, "contactId"),
        ({"dueFrom": "tomorrow"}, "dueFrom"),
        ({"dueTo": "2030-02-30"}, "dueTo"),
        ({"dueTo": "0001-01-01T00:00:00+14:00"}, "dueTo"),
        ({"overdue": "perhaps"}, "overdue"),
        ({"sort": "assigneeId"}, "sort"),
    ],
)
def test_a_filter_that_is_not_valid_is_refused(team, query, field):
    response = team.get("tasks", **query)

    assert response.status_code == 400
    assert [detail["field"] for detail in response.json()["error"]["details"]] == [field]


def test_calls_are_no_tasks(acme, client_for, team, ada):
    platform = client_for(acme.manager, "platform")
    call = platform.post("activities", {"type": "call", "subject": "Ring", "contact_id": ada}).json()["id"]

    assert listed(team) == []
    assert [team.get(f"tasks/{call}").status_code, team.post(f"tasks/{call}/restore").status_code] == [404, 404]
    assert team.post(f"tasks/{call}/complete").status_code == 404


# --- Whose they are


def test_staff_see_what_they_are_assigned_to_or_made(acme, team, staff):
    mine = made(staff, title="Mine")["id"]
    given = made(staff, title="Given", assigneeId=str(acme.manager.pk))["id"]
    unassigned = made(staff, title="Nobody's", assigneeId=None)["id"]
    taken = made(team, title="Taken", assigneeId=str(acme.staff.pk))["id"]
    others = made(team, title="Others")["id"]

    assert listed(staff) == ["Taken", "Nobody's", "Given", "Mine"]
    assert len(listed(team)) == 5
    for pk in (mine, given, unassigned, taken):
        assert patched(staff, pk, {"priority": "low"})["priority"] == "low"
        assert staff.post(f"tasks/{pk}/complete").status_code == 200
    assert patched(staff, others, {"priority": "low"}, status=404)["code"] == "NOT_FOUND"
    assert staff.delete(f"tasks/{given}").status_code == 200
    assert staff.post(f"tasks/{given}/restore").status_code == 403
    assert team.post(f"tasks/{given}/restore").status_code == 200


def test_the_pages_of_one_s_own_are_merged_from_what_one_has_and_what_one_gave(acme, team, staff):
    for number in range(12):
        made(team, title="Others")
        made((team, staff)[number % 2], title=f"{number}", assigneeId=str((acme.staff, acme.manager)[number % 2].pk))

    pages = [staff.get("tasks", page=page, pageSize="5").json()["data"] for page in ("1", "2", "3", "4")]

    assert [[int(task["title"]) for task in page["tasks"]] for page in pages] == [
        [11, 10, 9, 8, 7],
        [6, 5, 4, 3, 2],
        [1, 0],
        [],
    ]
    assert {page["meta"]["pagination"]["total"] for page in pages} == {12}


def test_the_total_is_right_whoever_has_what(acme, team, staff):
    """By kept counts: `listed` compares the total with what is there."""
    pks = [made(staff, assigneeId=owner)["id"] for owner in (str(acme.staff.pk), str(acme.manager.pk), None)]
    assert (len(listed(staff)), len(listed(team))) == (3, 3)

    patched(team, pks[0], {"assigneeId": str(acme.manager.pk)})
    patched(team, pks[1], {"assigneeId": None})
    patched(team, pks[2], {"assigneeId": str(acme.staff.pk)})
    assert (len(listed(staff)), len(listed(team))) == (3, 3)

    team.delete(f"tasks/{pks[0]}")
    assert (len(listed(staff)), len(listed(team))) == (2, 2)
    team.post(f"tasks/{pks[0]}/restore")
    assert (len(listed(staff)), len(listed(team))) == (3, 3)


def test_viewers_read_and_write_nothing(acme, client_for, team):
    pk = made(team)["id"]
    viewer = client_for(acme.viewer)

    assert listed(viewer) == ["Send the offer"]
    refused = [
        viewer.post("tasks", {"title": "x"}),
        viewer.patch(f"tasks/{pk}", {"title": "x"}),
        viewer.post(f"tasks/{pk}/complete"),
        viewer.delete(f"tasks/{pk}"),
    ]
    assert [response.status_code for response in refused] == [403] * 4


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


def test_a_list_takes_the_same_number_of_statements_however_long(team, ada, acme):
    def count():
        with CaptureQueriesContext(connection) as queries:
            assert team.get("tasks", pageSize="100").status_code == 200
        return len(queries)

    made(team, contactId=ada)
    count()
    one = count()
    for _ in range(5):
        made(team, contactId=ada, assigneeId=str(acme.staff.pk))

    assert count() == one == len(("page", "COMMIT"))


def test_the_contact_was_not_in_touch_by_a_task(acme, team, ada):
    made(team, contactId=ada, status="completed")

    with acme.inside():
        assert Contact.objects.get(pk=ada).last_contacted_at is None
