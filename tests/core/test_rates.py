"""Limits: exact in PostgreSQL whoever comes at once, in Redis while it is there; its absence locks nobody out."""

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
import time_machine
from django.db import connection, transaction

from crm.core import clock, rate_limits
from crm.core.models import RateCounter
from crm.core.rate_limits import RateLimitStatus
from devstack.redis import RedisServer, cache_url

Hit = Callable[[str, int, int], RateLimitStatus]


@pytest.fixture
def key() -> str:
    return f"test:{uuid4()}"


@pytest.fixture
def own_redis(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    """A Redis of the test's own, to freeze and to kill."""
    directory = Path(tempfile.mkdtemp(prefix="crm-redis-"))
    directory.chmod(0o711)
    server = RedisServer(directory / "s", directory / "redis.log")
    server.start()
    settings.REDIS_URL = cache_url(server.sockets, 1)
    monkeypatch.setattr(rate_limits, "_paused_until", 0.0)
    rate_limits._counter.cache_clear()
    try:
        yield server
    finally:
        rate_limits._counter.cache_clear()
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(autouse=True)
def _not_paused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "_paused_until", 0.0)


def at_once(number: int, work: Callable[[], Any]) -> list[Any]:
    barrier = threading.Barrier(number)
    results: list[Any] = []

    def run() -> None:
        barrier.wait()
        results.append(work())
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


both = pytest.mark.parametrize("hit", [rate_limits.hit_durable, rate_limits.hit], ids=["postgresql", "redis"])


@both
@pytest.mark.races
def test_forty_at_once_are_counted_one_to_forty(hit: Hit, key: str) -> None:
    standings = at_once(40, lambda: hit(key, 5, 300))

    assert sorted(standing.hits for standing in standings) == list(range(1, 41))
    assert sum(standing.allowed for standing in standings) == 5


@pytest.mark.races
def test_forty_at_once_read_before_they_write_would_pass_the_limit(key: str) -> None:
    """The control: read, add one, write."""
    RateCounter.objects.create(key=key, window_ends_at=clock.now() + timedelta(minutes=5), hits=0)
    barrier = threading.Barrier(20)

    def naive() -> int:
        with transaction.atomic():
            row = RateCounter.objects.get(key=key)
            barrier.wait()
            row.hits += 1
            row.save()
            return row.hits

    assert len(set(at_once(20, naive))) < 20


@both
def test_a_standing_tells_what_is_left_and_when_it_starts_anew(hit: Hit, key: str) -> None:
    before = int(time.time())

    first, second, third = (hit(key, 2, 60) for _ in range(3))

    assert [(s.allowed, s.remaining, s.hits) for s in (first, second, third)] == [
        *((True, 1, 1), (True, 0, 2), (False, 0, 3))
    ]
    assert before + 58 <= third.resets_at <= before + 63
    assert 57 <= third.retry_after <= 63


@both
def test_subjects_are_counted_apart(hit: Hit, key: str) -> None:
    hit(key, 1, 60)

    assert hit(f"{key}:other", 1, 60).hits == 1


@both
def test_after_its_window_a_subject_starts_anew(hit: Hit, key: str) -> None:
    assert [hit(key, 1, 1).hits for _ in range(2)] == [1, 2]

    time.sleep(1.1)

    assert hit(key, 1, 1).hits == 1


def test_hits_do_not_push_the_end_of_the_window_away(key: str) -> None:
    start = datetime(2026, 11, 21, 12, tzinfo=UTC)
    ends = []
    for seconds in (0, 100, 299):
        with time_machine.travel(start + timedelta(seconds=seconds), tick=False):
            ends.append(rate_limits.hit_durable(key, 5, 300).resets_at)
    with time_machine.travel(start + timedelta(seconds=300), tick=False):
        fresh = rate_limits.hit_durable(key, 5, 300)

    assert len(set(ends)) == 1
    assert fresh.hits == 1


def test_a_hit_counts_although_what_follows_is_rolled_back(key: str) -> None:
    rate_limits.hit_durable(key, 5, 300)
    with transaction.atomic():
        transaction.set_rollback(True)

    assert rate_limits.hit_durable(key, 5, 300).hits == 2


def test_closed_windows_are_forgotten(key: str) -> None:
    RateCounter.objects.create(key=key, window_ends_at=clock.now() - timedelta(hours=2), hits=9)
    RateCounter.objects.create(key=f"{key}:open", window_ends_at=clock.now(), hits=9)

    rate_limits.forget_closed()

    assert list(RateCounter.objects.filter(key__startswith=key).values_list("key", flat=True)) == [f"{key}:open"]


def test_a_frozen_redis_refuses_nobody_and_costs_little_once(own_redis: RedisServer, key: str) -> None:
    assert rate_limits.hit(key, 1, 60).hits == 1
    own_redis.pause()
    try:
        began = time.monotonic()
        first = rate_limits.hit(key, 1, 60)
        cost = time.monotonic() - began
        began = time.monotonic()
        others = [rate_limits.hit(key, 1, 60) for _ in range(100)]
        rest = time.monotonic() - began
    finally:
        own_redis.resume()

    assert first.allowed
    assert all(standing.allowed for standing in others)
    assert cost < 2 * rate_limits.DEADLINE_SECONDS
    assert rest < 0.1


def test_forty_at_a_frozen_redis_wait_no_longer_than_one(own_redis: RedisServer, key: str) -> None:
    own_redis.pause()
    try:
        began = time.monotonic()
        standings = at_once(40, lambda: rate_limits.hit(key, 1, 60))
        took = time.monotonic() - began
    finally:
        own_redis.resume()

    assert all(standing.allowed for standing in standings)
    assert took < 1


def test_after_a_pause_it_counts_again(own_redis: RedisServer, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "PAUSE_SECONDS", 0.3)
    rate_limits.hit(key, 1, 60)
    own_redis.pause()
    assert rate_limits.hit(key, 1, 60).hits == 0
    own_redis.resume()

    time.sleep(0.4)

    assert rate_limits.hit(key, 1, 60).hits in {2, 3}  # the frozen server may still have counted the hit given up on


def test_a_redis_killed_and_started_empty_counts_from_one(
    own_redis: RedisServer, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "PAUSE_SECONDS", 0.1)
    rate_limits.hit(key, 5, 60)
    own_redis.kill()
    began = time.monotonic()
    assert rate_limits.hit(key, 5, 60).allowed
    assert time.monotonic() - began < 2 * rate_limits.DEADLINE_SECONDS

    own_redis.start()
    time.sleep(0.2)
    rate_limits.hit(key, 5, 60)  # may find the old connection dead
    time.sleep(0.2)

    assert rate_limits.hit(key, 5, 60).hits in {1, 2}


def test_no_key_stays_in_redis_for_ever(own_redis: RedisServer, key: str) -> None:
    rate_limits.hit(key, 5, 60)

    left = redis.Redis.from_url(cache_url(own_redis.sockets, 1)).ttl(f"rate:{key}")

    assert 55 <= left <= 60
