"""Facts: written with the change that makes them true, or not at all."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from accounts.models import User
from contacts.models import Contact
from crm.core import clock, events, outbox, subscribers
from crm.core.models import Event, OutboxMessage, TimelineKind
from tests.conftest import Tenant


def recorded(tenant: Tenant, name: str) -> list[Event]:
    with tenant.inside():
        return list(Event.objects.filter(name=name).order_by("id"))


def test_a_fact_says_who_did_what_to_what_and_when(acme: Tenant) -> None:
    actor, contact_id = acme.actor("staff"), uuid4()
    before = clock.now()
    with acme.inside():
        events.record(
            actor,
            "test.done",
            acme.viewer,
            title="Viewer tested",
            kind=TimelineKind.NOTE,
            contact_id=contact_id,
            content="At length.",
            changes={"first_name": {"from": "A", "to": "B"}},
            metadata={"by": "hand"},
        )

    [event] = recorded(acme, "test.done")

    assert (event.organization_id, event.actor_id, event.contact_id) == (acme.id, acme.staff.pk, contact_id)
    assert (event.subject_type, event.subject_id, event.subject_label) == ("user", acme.viewer.pk, str(acme.viewer))
    assert (event.title, event.kind, event.content) == ("Viewer tested", "note", "At length.")
    assert (event.changes, event.metadata) == ({"first_name": {"from": "A", "to": "B"}}, {"by": "hand"})
    assert before <= event.occurred_at == event.recorded_at <= clock.now()


def test_what_happened_earlier_keeps_its_time(acme: Tenant) -> None:
    yesterday = clock.now() - timedelta(days=1)
    with acme.inside():
        events.record(acme.actor("staff"), "test.called", acme.viewer, title="Called", occurred_at=yesterday)

    [event] = recorded(acme, "test.called")

    assert event.occurred_at == yesterday
    assert event.recorded_at > yesterday


def test_nothing_is_recorded_of_what_was_rolled_back(acme: Tenant) -> None:
    with acme.inside():
        events.record(acme.actor("staff"), "test.undone", acme.viewer, title="Undone")
        transaction.set_rollback(True)

    assert recorded(acme, "test.undone") == []


def test_a_label_or_title_without_end_is_shortened(acme: Tenant) -> None:
    user = User(pk=acme.viewer.pk, first_name="x" * 500, last_name="")
    user.full_name = "x" * 500
    with acme.inside():
        events.record(acme.actor("staff"), "test.long", user, title="y" * 900)

    [event] = recorded(acme, "test.long")

    assert (len(event.subject_label), len(event.title)) == (300, 400)


def test_a_subscriber_gets_one_message_with_the_facts_id(acme: Tenant, settings: Any) -> None:
    actor = acme.actor("staff")
    settings.SUBSCRIBERS = {"after_commit": {"test.heard": ("test.one",), "*": ("test.all",)}}
    subscribers.topics_of.cache_clear()
    try:
        with acme.inside():
            heard = events.record(actor, "test.heard", acme.viewer, title="Heard")
            events.record(actor, "test.unheard", acme.viewer, title="Unheard")
            found = list(OutboxMessage.objects.filter(topic__startswith="test.").order_by("id"))
            # Nobody handles these topics.
            OutboxMessage.objects.filter(pk__in=[message.pk for message in found]).update(done_at=clock.now())
    finally:
        subscribers.topics_of.cache_clear()

    assert [message.topic for message in found] == ["test.one", "test.all", "test.all"]
    assert [message.payload["event_id"] for message in found[:2]] == [str(heard.pk)] * 2


def test_the_message_of_a_rolled_back_fact_does_not_exist(acme: Tenant) -> None:
    with acme.inside():
        message = outbox.enqueue(acme.id, "test.undone", {})
        transaction.set_rollback(True)

    with acme.inside():
        assert not OutboxMessage.objects.filter(pk=message.pk).exists()


def test_changed_sets_what_is_new_and_tells_from_what_to_what() -> None:
    contact = Contact(first_name="Ann", last_name="Lee", tags=["a"], company_id=None)
    company_id = UUID(int=7)

    found = events.assign(
        contact, {"first_name": "Bea", "last_name": "Lee", "tags": ["a", "b"], "company_id": company_id}
    )

    assert found == {
        "first_name": {"from": "Ann", "to": "Bea"},
        "tags": {"from": ["a"], "to": ["a", "b"]},
        "company_id": {"from": None, "to": str(company_id)},
    }
    assert (contact.first_name, contact.tags, contact.company_id) == ("Bea", ["a", "b"], company_id)


def test_of_a_free_object_changed_tells_the_keys_that_differ() -> None:
    contact = Contact(custom_fields={"kept": {"a": 1}, "gone": 2, "turned": [3]}, address={"city": "Bonn", "zip": "1"})

    found = events.assign(
        contact,
        {
            "custom_fields": {"kept": {"a": 1}, "turned": [4], "come": None},
            "address": {"city": "Köln", "zip": "1"},
        },
    )

    assert found == {
        "custom_fields": {"from": {"gone": 2, "turned": [3]}, "to": {"turned": [4], "come": None}},
        "address": {"from": {"city": "Bonn", "zip": "1"}, "to": {"city": "Köln", "zip": "1"}},  # one value
    }
    assert contact.custom_fields == {"kept": {"a": 1}, "turned": [4], "come": None}


def test_changed_tells_nothing_where_nothing_is_new() -> None:
    assert events.assign(Contact(first_name="Ann", rating=Decimal("4.0")), {"first_name": "Ann", "rating": 4}) == {}


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (date(2026, 2, 28), "2026-02-28"),
        (datetime(2026, 2, 28, 12, tzinfo=UTC), "2026-02-28T12:00:00+00:00"),
        (Decimal("1.50"), "1.50"),
        (None, None),
        (True, True),
        (["a"], ["a"]),
    ],
)
def test_values_become_what_json_can_hold(value: Any, plain: Any) -> None:
    assert events.plain(value) == plain
