"""Wake the workers up without ever making a request wait: a thread of its own talks to the broker.

A lost wakeup costs seconds, not work: beat delivers what is due anyway.
"""

import logging
import threading

from celery import current_app
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)

_requested = threading.Event()
_lock = threading.Lock()
_thread: threading.Thread | None = None


def notify_workers() -> None:
    """Ask for a delivery soon; many calls while one is under way become one."""
    global _thread  # noqa: PLW0603 - one thread a process, started after the server has forked
    _requested.set()
    if _thread is None or not _thread.is_alive():
        with _lock:
            if _thread is None or not _thread.is_alive():
                _thread = threading.Thread(target=_serve, name="wakeup", daemon=True)
                _thread.start()


def _serve() -> None:
    while True:
        _requested.wait()
        _requested.clear()
        try:
            current_app.send_task("crm.core.tasks.deliver_outbox", retry=False)
        except (OperationalError, OSError) as error:
            log.warning("The broker did not take a wakeup: %s", error)
