"""`python -m crm.server`: the web server, as every installation runs it."""

import argparse
import os
import sys

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from crm.core import database_role

# A worker takes this many connections; the next wait in the kernel.
CONNECTIONS = 512
BACKLOG = 1024


def main() -> None:
    """Serve until SIGTERM or SIGINT; requests in progress are finished, workers that fail are started again."""
    parser = argparse.ArgumentParser(prog="python -m crm.server", description="Run the web server.")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="the port (default: %(default)s)")
    parser.add_argument("--application", default="crm.rsgi:application", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
    _refuse_unsafe()
    Granian(
        options.application,
        address=options.host,
        port=options.port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=settings.WEB_WORKERS,
        backlog=BACKLOG,
        backpressure=CONNECTIONS,
        respawn_failed_workers=True,
        workers_kill_timeout=settings.WEB_STOP_SECONDS,
        log_level=LogLevels.warning,
    ).serve()


def _refuse_unsafe() -> None:
    """End where settings or the database's role are unsafe: a worker that ends would be started again for ever."""
    try:
        django.setup()
        database_role.refuse_start()
    except ImproperlyConfigured as refusal:
        sys.exit(f"CRM does not start. {refusal}")


if __name__ == "__main__":
    main()
