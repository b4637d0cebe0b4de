"""Ring the workers without ever making a request wait: a thread of its own talks to the broker.

A lost ring costs seconds, not work: beat delivers what is due anyway.
"""

import logging
import threading

from celery import current_app
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)

_wanted = threading.Event()
_lock = threading.Lock()
_ringer: threading.Thread | None = None


def ring() -> None:
    """Ask for a delivery soon; many rings while one is under way become one."""
    global _ringer  # noqa: PLW0603 - one thread a process, started after the server has forked
    _wanted.set()
    if _ringer is None or not _ringer.is_alive():
        with _lock:
            if _ringer is None or not _ringer.is_alive():
                _ringer = threading.Thread(target=_serve, name="doorbell", daemon=True)
                _ringer.start()


def _serve() -> None:
    while True:
        _wanted.wait()
        _wanted.clear()
        try:
            current_app.send_task("crm.core.tasks.deliver_outbox", retry=False)
        except (OperationalError, OSError) as error:
            log.warning("The broker did not take a ring: %s", error)
