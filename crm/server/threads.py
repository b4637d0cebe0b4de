"""The threads that requests run in: a few, started when they are needed, ended when they are not."""

import threading
from collections import deque
from collections.abc import Callable

Work = Callable[[], None]


class _Place:
    """Where a thread waits for work."""

    __slots__ = ("ready", "work")

    def __init__(self) -> None:
        self.ready = threading.Lock()
        self.ready.acquire()
        self.work: Work | None = None


class Threads:
    """At most `most` threads, and at most `waiting` pieces of work that wait for one.

    The thread that was busy last is taken first, so that few are used while few are needed. One that has had nothing
    to do for `idle_seconds` calls `ending`, in itself, and ends; the last one stays.
    """

    def __init__(
        self, most: int, waiting: int, *, idle_seconds: float = 60.0, ending: Callable[[], None] = lambda: None
    ) -> None:
        self.most = most
        self.waiting = waiting
        self.idle_seconds = idle_seconds
        self.ending = ending
        self.running = 0
        self._lock = threading.Lock()
        self._queue: deque[Work] = deque()
        self._idle: list[_Place] = []

    def start(self, work: Work) -> bool:
        """Run `work`, which must not raise, as soon as a thread is free; False where too many wait for that already."""
        with self._lock:
            if self._idle:
                place = self._idle.pop()
                place.work = work
                place.ready.release()
                return True
            if self.running >= self.most:
                if len(self._queue) >= self.waiting:
                    return False
                self._queue.append(work)
                return True
            self.running += 1
        threading.Thread(target=self._run, args=(work,), name="request", daemon=True).start()
        return True

    def _run(self, first: Work) -> None:
        place, work = _Place(), first
        while True:
            work()
            following = self._next(place)
            if following is None:
                self.ending()
                return
            work = following

    def _next(self, place: _Place) -> Work | None:
        """Wait for the next piece of work; None when it is time to end."""
        with self._lock:
            if self._queue:
                return self._queue.popleft()
            self._idle.append(place)
        while not place.ready.acquire(timeout=self.idle_seconds):
            with self._lock:
                if place in self._idle and self.running > 1:
                    self._idle.remove(place)
                    self.running -= 1
                    return None
        work, place.work = place.work, None
        return work
