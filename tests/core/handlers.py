"""Outbox handlers of the tests: what they do is written to the file that the payload names, one line an act."""

import os
import signal
import threading
from pathlib import Path
from typing import Any
from uuid import UUID

# Set by a test that wants `wait` to hold still in the middle of its act.
reached, go_on = threading.Event(), threading.Event()


def note(message_id: UUID, payload: dict[str, Any], *, organization_id: UUID) -> None:
    """Write a line, in one append."""
    with Path(payload["file"]).open("ab", buffering=0) as file:
        file.write(f"{message_id} {organization_id}\n".encode())


def wait(message_id: UUID, payload: dict[str, Any], *, organization_id: UUID) -> None:
    """Write a line; the first to come then waits, and fails where the payload says so."""
    note(message_id, payload, organization_id=organization_id)
    if not reached.is_set():
        reached.set()
        go_on.wait(20)
        if payload.get("fails"):
            raise RuntimeError("too late")


def fail(message_id: UUID, payload: dict[str, Any], *, organization_id: UUID) -> None:
    """Write a line and fail."""
    note(message_id, payload, organization_id=organization_id)
    raise RuntimeError("the sink is down")


def kill(message_id: UUID, payload: dict[str, Any], *, organization_id: UUID) -> None:
    """Write a line and take the whole worker along."""
    note(message_id, payload, organization_id=organization_id)
    os.kill(os.getpid(), signal.SIGKILL)
