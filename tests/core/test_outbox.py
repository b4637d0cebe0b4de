"""The outbox: what is written with its cause is delivered, at least once, by whoever is alive."""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, connections, transaction

from crm.core import clock, outbox
from crm.core.db import operator
from crm.core.models import OutboxMessage
from tests.conftest import Tenant
from tests.core import handlers


@pytest.fixture
def book(tmp_path: Path, settings: Any) -> Path:
    """The file that the tests' handlers write to."""
    names = ("note", "wait", "fail", "kill")
    settings.OUTBOX_HANDLERS = settings.OUTBOX_HANDLERS | {
        f"test.{name}": f"tests.core.handlers.{name}" for name in names
    }
    handlers.reached.clear()
    handlers.go_on.clear()
    outbox.deliver_due()  # what other tests left
    return tmp_path / "book"


@pytest.fixture
def put(acme: Tenant, book: Path) -> Callable[..., OutboxMessage]:
    def put(topic: str, **payload: Any) -> OutboxMessage:
        delay = payload.pop("delay", timedelta())
        with acme.inside():
            return outbox.enqueue(acme.id, f"test.{topic}", {"file": str(book)} | payload, delay=delay)

    return put


def lines(book: Path) -> list[str]:
    return [line.split()[0] for line in book.read_text().splitlines()] if book.exists() else []


def now_stands(message: OutboxMessage) -> OutboxMessage:
    with operator("outbox"):
        return OutboxMessage.objects.get(pk=message.pk)


def change(message: OutboxMessage, **columns: Any) -> None:
    with operator("outbox"):
        OutboxMessage.objects.filter(pk=message.pk).update(**columns)


def past() -> Any:
    return clock.now() - timedelta(seconds=1)


def test_a_message_of_a_rolled_back_transaction_is_never_delivered(acme: Tenant, book: Path) -> None:
    with acme.inside():
        outbox.enqueue(acme.id, "test.note", {"file": str(book)})
        transaction.set_rollback(True)

    outbox.deliver_due()

    assert lines(book) == []


def test_a_message_is_delivered_with_its_organization(
    acme: Tenant, book: Path, put: Callable[..., OutboxMessage]
) -> None:
    message = put("note")

    handled = outbox.deliver_due()

    assert handled >= 1
    assert book.read_text() == f"{message.pk} {acme.id}\n"
    stands = now_stands(message)
    assert stands.done_at is not None
    assert (stands.attempts, stands.leased_until, stands.dead_at, stands.last_error) == (1, None, None, "")
    outbox.deliver_due()
    assert lines(book) == [str(message.pk)]


def test_a_message_with_a_delay_waits_for_its_time(book: Path, put: Callable[..., OutboxMessage]) -> None:
    message = put("note", delay=timedelta(hours=1))
    outbox.deliver_due()
    assert lines(book) == []

    change(message, due_at=past())
    outbox.deliver_due()

    assert lines(book) == [str(message.pk)]


def deliver_at_once(workers: int) -> None:
    barrier = threading.Barrier(workers)

    def work() -> None:
        barrier.wait()
        try:
            outbox.deliver_due()
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.races
def test_many_deliverers_at_once_deliver_each_message_once(book: Path, put: Callable[..., OutboxMessage]) -> None:
    messages = [put("note") for _ in range(120)]

    deliver_at_once(8)

    assert Counter(lines(book)) == {str(message.pk): 1 for message in messages}


@pytest.mark.races
def test_many_deliverers_without_claims_would_deliver_more_than_once(
    book: Path, put: Callable[..., OutboxMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: reading what is due and marking it afterwards, without a claim."""
    messages = [put("note") for _ in range(40)]
    mine = {message.pk for message in messages}

    def claim(lease: Any) -> list[OutboxMessage]:
        with operator("outbox"):
            return list(OutboxMessage.objects.filter(pk__in=mine, done_at=None).order_by("id")[: outbox.BATCH])

    def deliver(message: OutboxMessage, lease: Any) -> None:
        handlers.note(message.pk, message.payload, organization_id=message.organization_id)
        change(message, done_at=clock.now())

    monkeypatch.setattr(outbox, "_claim", claim)
    monkeypatch.setattr(outbox, "_deliver", deliver)
    deliver_at_once(8)

    assert len(lines(book)) > len(messages)


def test_what_another_holds_is_left_alone_until_its_lease_ends(book: Path, put: Callable[..., OutboxMessage]) -> None:
    message = put("note")
    [claimed] = [found for found in outbox._claim(uuid4()) if found.pk == message.pk]
    outbox.deliver_due()
    assert lines(book) == []

    change(claimed, leased_until=past())
    outbox.deliver_due()

    assert lines(book) == [str(message.pk)]


def test_a_worker_that_slept_past_its_lease_does_not_begin(book: Path, put: Callable[..., OutboxMessage]) -> None:
    message = put("note")
    lease = uuid4()
    [claimed] = [found for found in outbox._claim(lease) if found.pk == message.pk]
    change(message, leased_until=past())

    outbox._deliver(claimed, lease)
    assert lines(book) == []

    outbox.deliver_due()
    outbox._deliver(claimed, lease)
    assert lines(book) == [str(message.pk)]


@pytest.mark.parametrize("fails", [False, True], ids=["and succeeds", "and fails"])
def test_a_worker_that_sleeps_in_the_middle_changes_nothing_when_it_wakes(
    fails: bool,  # noqa: FBT001 - a parameter
    book: Path,
    put: Callable[..., OutboxMessage],
) -> None:
    message = put("wait", fails=fails)

    def work() -> None:
        outbox.deliver_due()
        connection.close()

    sleeper = threading.Thread(target=work)
    sleeper.start()
    assert handlers.reached.wait(10)
    change(message, leased_until=past())
    outbox.deliver_due()
    done = now_stands(message)
    handlers.go_on.set()
    sleeper.join()

    assert done.done_at is not None
    woken = now_stands(message)
    assert (woken.done_at, woken.lease, woken.due_at, woken.last_error) == (
        done.done_at,
        done.lease,
        done.due_at,
        "",
    )
    assert lines(book) == [str(message.pk)] * 2


def test_a_failure_waits_longer_each_time_and_is_parked_in_the_end(
    book: Path, put: Callable[..., OutboxMessage]
) -> None:
    message = put("fail")

    waits = []
    for _ in range(len(outbox.BACKOFF)):
        before = clock.now()
        outbox.deliver_due()
        stands = now_stands(message)
        waits.append(round((stands.due_at - before).total_seconds()))
        assert (stands.dead_at, stands.leased_until) == (None, None)
        assert stands.last_error == "RuntimeError: the sink is down"
        change(message, due_at=past())
    outbox.deliver_due()

    assert waits == list(outbox.BACKOFF)
    stands = now_stands(message)
    assert stands.dead_at is not None
    assert (stands.done_at, stands.attempts) == (None, outbox.MOST_ATTEMPTS)
    change(message, due_at=past())
    outbox.deliver_due()
    assert len(lines(book)) == outbox.MOST_ATTEMPTS


def test_a_failure_does_not_hold_up_the_others(book: Path, put: Callable[..., OutboxMessage]) -> None:
    failing = put("fail")
    others = [put("note") for _ in range(3)]

    outbox.deliver_due()

    assert lines(book) == [str(message.pk) for message in (failing, *others)]
    assert all(now_stands(message).done_at for message in others)


def test_a_topic_that_nobody_handles_is_kept_with_the_reason(put: Callable[..., OutboxMessage]) -> None:
    message = put("unknown")

    outbox.deliver_due()

    stands = now_stands(message)
    assert (stands.done_at, stands.last_error) == (None, "KeyError: 'test.unknown'")


def test_a_parked_message_that_is_tried_again_has_all_its_attempts(
    book: Path, put: Callable[..., OutboxMessage], settings: Any
) -> None:
    message = put("fail")
    change(message, attempts=outbox.MOST_ATTEMPTS)
    outbox.deliver_due()
    assert now_stands(message).dead_at is not None
    assert lines(book) == []

    with operator("back_office"):
        outbox.retry_dead([message.pk])
    settings.OUTBOX_HANDLERS = settings.OUTBOX_HANDLERS | {"test.fail": "tests.core.handlers.note"}
    outbox.deliver_due()

    stands = now_stands(message)
    assert (stands.done_at is not None, stands.dead_at, stands.attempts) == (True, None, 1)


def in_a_process_of_its_own(work: Callable[[], Any]) -> int:
    """Run work in a forked process, as a worker's child is, and return the signal that ended it."""
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            connections.close_all()
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def test_a_message_that_kills_its_worker_is_parked_and_harms_no_other(
    book: Path, put: Callable[..., OutboxMessage]
) -> None:
    before, poison, after = put("note"), put("kill"), put("note")

    killed = 0
    for _ in range(30):
        if not in_a_process_of_its_own(outbox.deliver_due):
            break
        killed += 1
        for message in (before, poison, after):
            change(message, leased_until=past())
    outbox.deliver_due()

    assert killed == outbox.MOST_ATTEMPTS
    found = Counter(lines(book))
    assert found == {str(before.pk): 1, str(poison.pk): killed, str(after.pk): 1}
    stands = now_stands(poison)
    assert stands.dead_at is not None
    assert stands.last_error == outbox.ENDED_WORKERS
    assert now_stands(after).attempts == 1


def test_a_run_ends_in_time_and_gives_back_what_it_did_not_begin(
    book: Path, put: Callable[..., OutboxMessage], settings: Any
) -> None:
    messages = [put("note") for _ in range(5)]

    began = time.monotonic()
    handled = outbox.deliver_due(seconds=0)

    assert (handled, lines(book)) == (0, [])
    assert time.monotonic() - began < 2
    assert all(now_stands(message).leased_until is None for message in messages)
    assert all(now_stands(message).attempts == 0 for message in messages)
    outbox.deliver_due()
    assert len(lines(book)) == 5


def test_a_run_takes_no_longer_than_its_tasks_limit_allows(settings: Any) -> None:
    assert outbox.RUN_SECONDS + outbox.LEASE.total_seconds() < settings.CELERY_TASK_TIME_LIMIT
    assert settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"] > settings.CELERY_TASK_TIME_LIMIT


def test_delivered_messages_are_forgotten_after_a_week(put: Callable[..., OutboxMessage]) -> None:
    old, young, waiting = put("note"), put("note"), put("note", delay=timedelta(days=1))
    outbox.deliver_due()
    change(old, done_at=clock.now() - timedelta(days=8))

    outbox.forget_done()

    with operator("outbox"):
        left = set(OutboxMessage.objects.filter(pk__in=[old.pk, young.pk, waiting.pk]).values_list("pk", flat=True))
    assert left == {young.pk, waiting.pk}


def test_a_message_is_not_seen_from_another_organization(other: Tenant, put: Callable[..., OutboxMessage]) -> None:
    message = put("note", delay=timedelta(hours=1))

    with other.inside():
        assert not OutboxMessage.objects.filter(pk=message.pk).exists()
