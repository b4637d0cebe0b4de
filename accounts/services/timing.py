"""Answers that take the same time whether or not somebody was found."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

# Well above what finding a user and writing a mail's rows takes, and short enough to wait for.
LEVEL_SECONDS = 0.2


@contextmanager
def minimum_duration(seconds: float = LEVEL_SECONDS) -> Iterator[None]:
    """Let the block last at least `seconds`, refusals included; it costs a waiting thread, no computing."""
    ends_at = time.monotonic() + seconds
    try:
        yield
    finally:
        time.sleep(max(0.0, ends_at - time.monotonic()))
