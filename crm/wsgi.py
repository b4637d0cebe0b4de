"""WSGI entry point of the web server."""

import os
from collections.abc import Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")

django = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer a request. A body that is there goes out whole: granian streams anything that is no list."""
    response = django(environ, start_response)
    if not isinstance(response, HttpResponse):
        return response
    body = [response.content]
    response.close()
    return body
