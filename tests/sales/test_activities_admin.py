"""The back office of activities, over HTTP, signed in as an operator."""

from datetime import UTC, date, datetime

import pytest

from contacts.services import contacts
from crm.core.models import Event
from sales.models import Activity
from sales.services import activities
from tests.support.back_office import saved, text_of, within

LIST = "/admin/sales/activity/"


@pytest.fixture
def call(acme):
    with acme.inside():
        return activities.create_activity(
            acme.actor("manager"), type="call", subject="Ring Łukasz", due=date(2030, 6, 1), owner_id=acme.staff.pk
        )


def form_of(row, **changed):
    """The fields of an activity's page as a browser would send them."""
    told = {name: getattr(row, name) for name in ("type", "subject", "description", "status", "priority")}
    told |= {name: getattr(row, f"{name}_id") for name in ("owner", "contact", "company", "deal")}
    told |= {"due_at_0": f"{row.due_at:%Y-%m-%d}", "due_at_1": f"{row.due_at:%H:%M:%S}"} if row.due_at else {}
    return {name: "" if value is None else value for name, value in (told | changed).items()}


def change_page(row):
    return f"{LIST}{row.pk}/change/"


def events_of(tenant, pk):
    with tenant.inside():
        return [event.name for event in Event.objects.of(tenant.id).filter(subject_id=pk).order_by("id")]


def stored(tenant, pk):
    with tenant.inside():
        return Activity.objects.of(tenant.id).get(pk=pk)


def test_it_is_found_by_its_id_and_in_an_organization_by_its_words(acme, call, back_office):
    assert "Ring Łukasz" in text_of(back_office.get(LIST, {"q": str(call.pk)}))
    assert "Ring Łukasz" in text_of(back_office.get(LIST, within(acme) | {"q": "luk"}))
    assert "Ring Łukasz" not in text_of(back_office.get(LIST, {"q": str(call.pk)[:8]}))


def test_it_is_changed_by_the_service_and_its_day_stays(acme, call, back_office):
    assert "Ring Łukasz" in text_of(back_office.get(change_page(call)))

    saved(back_office.post(change_page(call), form_of(call, subject="Ring again")))

    row = stored(acme, call.pk)
    assert (row.subject, row.due_on) == ("Ring again", date(2030, 6, 1))
    assert events_of(acme, call.pk) == ["activity.created", "activity.updated"]


def test_it_is_completed_and_due_at_another_time(acme, call, back_office):
    saved(
        back_office.post(
            change_page(call), form_of(call, status="completed", due_at_0="2030-07-01", due_at_1="10:00:00")
        )
    )

    row = stored(acme, call.pk)
    assert (row.due_on, row.due_at) == (None, datetime(2030, 7, 1, 10, tzinfo=UTC))
    assert row.completed_at is not None
    assert events_of(acme, call.pk) == ["activity.created", "activity.completed"]


def test_it_is_made_in_an_organization(acme, back_office):
    assert back_office.get(f"{LIST}add/").status_code == 200
    body = {
        "tenant": str(acme.id),
        "type": "task",
        "subject": "By the operator",
        "status": "pending",
        "priority": "low",
        "owner": str(acme.staff.pk),
    }

    saved(back_office.post(f"{LIST}add/", body))

    with acme.inside():
        row = Activity.objects.of(acme.id).get()
    assert (row.subject, row.owner_id, row.created_by_id) == ("By the operator", acme.staff.pk, None)


def test_it_is_deleted_and_restored(acme, call, back_office):
    for action in ("delete_rows", "restore_rows"):
        body = {"action": action, "_selected_action": [str(call.pk)]}
        assert "1 " in text_of(back_office.post(LIST, body, follow=True))

    assert events_of(acme, call.pk) == ["activity.created", "activity.deleted", "activity.restored"]


def test_nothing_of_another_organization_is_attached(acme, other, call, back_office):
    with other.inside():
        foreign = contacts.create_contact(other.actor("owner"), first_name="Foreign")

    response = back_office.post(change_page(call), form_of(call, contact=foreign.pk))

    assert "This belongs to another organization." in text_of(response)
    assert events_of(acme, call.pk) == ["activity.created"]
