"""WSGI entry point of the web server."""

import gc
import os
from collections.abc import Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")

OBJECTS_BETWEEN_COLLECTIONS = 50_000

django = get_wsgi_application()
# A request leaves next to nothing in circles. Looking for it after every 700 objects, time and again through all that
# Django has loaded, costs a tenth of a small answer.
gc.collect()
gc.freeze()
gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, 20, 20)


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer a request. A body that is there goes out whole: granian streams anything that is no list."""
    response = django(environ, start_response)
    if not isinstance(response, HttpResponse):
        return response
    body = [response.content]
    response.close()
    return body
