"""Lists of tasks: filters, pages, totals, and whose they are."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.sales.tasks import listed, made, patched


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


def test_a_list_takes_one_statement_beside_the_session_check_however_long(team, ada, acme):
    def count():
        with CaptureQueriesContext(connection) as queries:
            assert team.get("tasks", pageSize="100").status_code == 200
        return len(queries)

    made(team, contactId=ada)
    count()
    one = count()
    for _ in range(5):
        made(team, contactId=ada, assigneeId=str(acme.staff.pk))

    assert count() == one == 1 + 1
