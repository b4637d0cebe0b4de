"""Password hashes, computed a few at a time: however many sign in at once, a process goes on answering reads.

A hash takes about a tenth of a second of all processors and 100 MiB. Requests beyond the queue are refused at once.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.contrib.auth import hashers

from crm.core.errors import Unavailable

UNUSABLE = hashers.UNUSABLE_PASSWORD_PREFIX
_computing = threading.Semaphore(1)  # Argon2 itself uses several threads
_queue_lock = threading.Lock()
_queued = 0


class HashingBusy(Unavailable):
    """As many passwords are being checked as this process has room for: 503, to be tried again."""

    code = "TOO_BUSY"
    message = "Too many people are signing in at this moment. Please try again."


def encode(password: str) -> str:
    """Return the hash of a password, salted anew."""
    with _slot():
        return str(hashers.make_password(password))


def verify(password: str, encoded: str | None) -> tuple[bool, bool]:
    """Tell whether a password fits a hash, and whether the hash was made with outdated parameters.

    A hash that nothing fits (None, or an account's without a password) takes as long as any other.
    """
    with _slot():
        return hashers.verify_password(password, encoded or UNUSABLE)


@contextmanager
def _slot() -> Iterator[None]:
    """Wait for one's turn; raise `HashingBusy` where `PASSWORD_HASHING_QUEUE` others wait, or for too long."""
    global _queued  # noqa: PLW0603 - the queue of this process
    with _queue_lock:
        if _queued > settings.PASSWORD_HASHING_QUEUE:
            raise HashingBusy
        _queued += 1
    try:
        if not _computing.acquire(timeout=settings.PASSWORD_HASHING_SECONDS):
            raise HashingBusy
        try:
            yield
        finally:
            _computing.release()
    finally:
        with _queue_lock:
            _queued -= 1
