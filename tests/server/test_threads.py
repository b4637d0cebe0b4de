"""The threads of requests: bounded, the last one first, gone when idle."""

import threading
import time
from collections.abc import Callable

import pytest

from crm.server.threads import Threads

PATIENCE = 5.0


class Work:
    """A piece of work that ends when it is let go, and knows its thread."""

    def __init__(self) -> None:
        self.thread: int | None = None
        self.begun, self.free, self.over = threading.Event(), threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.thread = threading.get_ident()
        self.begun.set()
        assert self.free.wait(PATIENCE)
        self.over.set()


def do(threads: Threads, settle: float = 0.02) -> int | None:
    """Do one piece of work to its end and return the thread that did it."""
    work = Work()
    work.free.set()
    assert threads.start(work)
    assert work.over.wait(PATIENCE)
    time.sleep(settle)
    return work.thread


def wait_for(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)
    return condition()


def test_as_many_as_allowed_work_so_many_wait_and_the_rest_is_refused():
    threads = Threads(2, 1)
    busy = [Work(), Work()]
    waiting, refused = Work(), Work()

    assert [threads.start(work) for work in (*busy, waiting, refused)] == [True, True, True, False]
    assert all(work.begun.wait(PATIENCE) for work in busy)
    assert not waiting.begun.is_set()
    busy[0].free.set()
    assert waiting.begun.wait(PATIENCE)
    assert waiting.thread == busy[0].thread
    for work in (*busy, waiting):
        work.free.set()


def test_one_after_the_other_needs_one_thread():
    threads = Threads(4, 1)

    assert len({do(threads) for _ in range(10)}) == 1
    assert threads.running == 1


@pytest.mark.parametrize("rounds", range(3))
def test_idle_threads_end_by_themselves_and_the_last_one_stays(rounds):
    ended = []
    threads = Threads(4, 4, idle_seconds=0.05, ending=lambda: ended.append(threading.get_ident()))
    works = [Work() for _ in range(4)]
    for work in works:
        assert threads.start(work)
    assert all(work.begun.wait(PATIENCE) for work in works)
    for work in works:
        work.free.set()

    assert wait_for(lambda: threads.running == 1 and len(ended) == 3)
    time.sleep(0.15)
    assert threads.running == 1
    assert do(threads) not in ended
    assert set(ended) < {work.thread for work in works}


def test_nothing_is_lost_while_threads_come_and_go():
    threads, done, lock = Threads(3, 10_000, idle_seconds=0.001), [], threading.Lock()

    def work() -> None:
        with lock:
            done.append(1)

    for number in range(3000):
        assert threads.start(work)
        if number % 50 == 0:
            time.sleep(0.002)

    assert wait_for(lambda: len(done) == 3000)
