"""What the web server runs: the product, and for measuring any WSGI application the same way."""

from django.conf import settings
from django.db import connections

from crm.server.bodies import Bodies
from crm.server.bridge import Bridge, Wsgi
from crm.server.threads import Threads


def serving(wsgi: Wsgi) -> Bridge:
    """Return the RSGI application that answers with `wsgi` under this deployment's settings."""
    return Bridge(
        wsgi,
        threads=Threads(settings.WEB_THREADS, settings.WEB_QUEUE, ending=connections.close_all),
        bodies=Bodies(
            most=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
            seconds=settings.WEB_BODY_SECONDS,
            memory=settings.WEB_BODY_MEMORY,
        ),
        reader_seconds=settings.WEB_READER_SECONDS,
    )
