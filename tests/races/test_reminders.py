"""Two beats, one mail a person and day; a task that many complete is done once. Each with its control."""

from collections import Counter
from datetime import UTC, datetime
from threading import Barrier

import pytest
import time_machine

from crm.core.models import Event
from sales.services import activities, daily_reminders
from tests.races.concurrency import crowd

pytestmark = pytest.mark.races

SIZE = 8


@pytest.fixture
def client(acme, client_for):
    return client_for(acme.staff)


@pytest.fixture
def due(acme, client_for):
    """The ids of people who have something due, at noon of a day none of whose mails was sent."""
    people = [acme.add("staff", timezone="UTC") for _ in range(5)]
    with time_machine.travel(datetime(2036, 6, 10, 7, tzinfo=UTC), tick=False):
        client = client_for(acme.manager)
        for user in people:
            body = {"title": "Today", "dueDate": "2036-06-10", "assigneeId": str(user.pk)}
            assert client.post("tasks", body).status_code == 201
    with time_machine.travel(datetime(2036, 6, 10, 12, tzinfo=UTC), tick=False):
        yield [str(user.pk) for user in people]


def mailed(acme, waiting):
    return Counter(message.payload["user_id"] for message in waiting(acme) if message.topic == daily_reminders.TOPIC)


def test_of_many_beats_one_mails(acme, due, waiting):
    crowd(SIZE, lambda number: daily_reminders.send())

    assert mailed(acme, waiting) == dict.fromkeys(due, 1)


def test_control_without_the_row_each_beat_mails(acme, due, waiting, monkeypatch):
    all_have_looked = Barrier(2)

    def look_then_send(found):
        if found[0].organization_id == acme.id:
            all_have_looked.wait(60)
        return list(found)

    monkeypatch.setattr(daily_reminders, "_take", look_then_send)

    crowd(2, lambda number: daily_reminders.send())

    assert mailed(acme, waiting) == dict.fromkeys(due, 2)


def completions(acme, pk):
    with acme.inside():
        return Event.objects.of(acme.id).filter(subject_id=pk, name="activity.completed").count()


def complete_at_once(acme, client_for, pk, size):
    clients = [client_for(acme.manager) for _ in range(size)]
    paths = [("post", f"tasks/{pk}/complete", {}), ("patch", f"tasks/{pk}", {"status": "completed"})]

    def work(number):
        method, path, body = paths[number % 2]
        return getattr(clients[number], method)(path, body).status_code

    assert crowd(size, work) == [200] * size


def test_a_task_that_many_complete_is_done_once(acme, client, client_for):
    pk = client.post("tasks", {"title": "Once"}).json()["data"]["id"]

    complete_at_once(acme, client_for, pk, SIZE)

    assert completions(acme, pk) == 1


def test_control_without_the_lock_each_completes(acme, client, client_for, monkeypatch):
    pk = client.post("tasks", {"title": "Once"}).json()["data"]["id"]
    all_have_read = Barrier(2)

    def read_only(rows, pk):
        row = rows.get(pk=pk)
        all_have_read.wait(60)
        return row

    monkeypatch.setattr(activities, "lock_row", read_only)

    complete_at_once(acme, client_for, pk, 2)

    assert completions(acme, pk) == 2
