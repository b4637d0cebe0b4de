"""Wakeups: many are one, and a broker that hangs or is gone delays nobody."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from devstack.redis import RedisServer, broker_url, cache_url

PROJECT = Path(__file__).resolve().parents[2]

# Rings in a process of its own, whose broker is the test's; says after each line read how the rings went.
RINGER = """
import json, sys, threading, time
import django
django.setup()
from crm.core import wakeup
for line in sys.stdin:
    slowest = 0.0
    for _ in range(int(line)):
        began = time.monotonic()
        wakeup.notify_workers()
        slowest = max(slowest, time.monotonic() - began)
    threads = [thread.name for thread in threading.enumerate()].count("wakeup")
    print(json.dumps({"slowest": slowest, "threads": threads}), flush=True)
"""


class Ringer:
    """The process that rings."""

    def __init__(self, server: RedisServer) -> None:
        self.queue = redis.Redis.from_url(cache_url(server.sockets, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-c", RINGER],
            cwd=PROJECT,
            env=os.environ | {"CELERY_BROKER_URL": broker_url(server.sockets, 0)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ring(self, times: int) -> dict[str, Any]:
        """Ring and return how it went."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{times}\n")
        self.process.stdin.flush()
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found

    def waiting(self) -> int:
        """Return how many rings the broker holds."""
        return int(self.queue.llen("celery"))

    def arrives(self, seconds: float = 10) -> bool:
        """Wait for a ring at the broker."""
        return self.queue.brpop(["celery"], timeout=seconds) is not None


@pytest.fixture
def broker() -> Iterator[RedisServer]:
    directory = Path(tempfile.mkdtemp(prefix="crm-redis-"))
    directory.chmod(0o711)
    server = RedisServer(directory / "s", directory / "redis.log")
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def ringer(broker: RedisServer) -> Iterator[Ringer]:
    ringer = Ringer(broker)
    try:
        yield ringer
    finally:
        ringer.process.kill()
        ringer.process.communicate()


def test_a_ring_arrives(ringer: Ringer) -> None:
    ringer.ring(1)

    assert ringer.arrives()


def test_many_rings_become_few(ringer: Ringer) -> None:
    ringer.ring(1)
    assert ringer.arrives()

    found = ringer.ring(1000)

    assert ringer.arrives()
    assert ringer.waiting() < 50
    assert found["threads"] == 1


@pytest.mark.faults
def test_a_frozen_broker_delays_nobody_and_hears_the_rings_after_it(ringer: Ringer, broker: RedisServer) -> None:
    ringer.ring(1)
    assert ringer.arrives()
    broker.pause()
    try:
        found = ringer.ring(500)
    finally:
        broker.resume()

    assert found["slowest"] < 0.1
    assert found["threads"] == 1
    assert ringer.arrives()
    assert ringer.waiting() < 20


@pytest.mark.faults
def test_a_broker_that_was_away_hears_the_rings_after_it(ringer: Ringer, broker: RedisServer) -> None:
    ringer.ring(1)
    assert ringer.arrives()
    broker.kill()
    found = ringer.ring(200)
    broker.start()

    assert found["slowest"] < 0.1
    for _ in range(20):
        ringer.ring(1)
        if ringer.arrives(0.5):
            break
    else:
        pytest.fail("the broker hears nothing after it was away")
