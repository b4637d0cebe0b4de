"""Many at once: threads that start together, each with a database connection of its own, opened before the start."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import OperationalError, connection, connections

from tests.support.servers import ADMIN_URL

LARGE = 20
CONNECT_ATTEMPTS = 10  # a machine busy with other tests may miss the two seconds a connection is given


def crowd(size: int, work: Callable[[int], Any]) -> list[Any]:
    """Run `work(0)` to `work(size - 1)` at once and return what they returned, in that order; errors are raised."""
    with _room_for(size):
        return _crowd(size, work)


def _crowd(size: int, work: Callable[[int], Any]) -> list[Any]:
    barrier = threading.Barrier(size)
    results: list[Any] = [None] * size
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            _connect()
            barrier.wait(60)
            results[number] = work(number)
        except BaseException as error:  # noqa: BLE001 - told to the test below
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


@contextmanager
def _room_for(size: int) -> Iterator[None]:
    """Let one large crowd at a time have the machine: two would wait for each other's processors, not for locks."""
    if size < LARGE:
        yield
        return
    with psycopg.connect(os.environ[ADMIN_URL], autocommit=True) as turn:  # the same for all processes of a run
        turn.execute("SELECT pg_advisory_lock(%s)", [LARGE])
        yield


def _connect() -> None:
    for _ in range(CONNECT_ATTEMPTS - 1):
        try:
            connection.ensure_connection()
        except OperationalError:
            continue
        return
    connection.ensure_connection()
