"""JSON out: orjson, UTC with `Z`, and nothing that a template or renderer would add."""

from decimal import Decimal
from typing import Any

import orjson
from django.http import HttpResponse
from django.utils.functional import Promise

OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Promise):
        return str(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def dumps(body: Any) -> bytes:
    """Return the body as JSON bytes."""
    return orjson.dumps(body, default=_plain, option=OPTIONS)


def json_response(body: Any, status: int = 200) -> HttpResponse:
    """Return the body as a response; None is an empty one."""
    if body is None:
        response = HttpResponse(status=status)
        del response.headers["Content-Type"]
        return response
    content = dumps(body)
    return HttpResponse(
        content, status=status, content_type="application/json", headers={"Content-Length": str(len(content))}
    )
