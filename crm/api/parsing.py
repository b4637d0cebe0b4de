"""Strict JSON: what the database or a client could choke on is refused before anything is done with it."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import orjson
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import BaseParser

from crm.core.errors import Malformed

DEEPEST = 32
MOST_NODES = 10_000
LARGEST_INTEGER = 2**63 - 1  # what the database's own integers hold

_KEY = re.compile(rb'"[ \t\r\n]*:')
_LONG_NUMBER = re.compile(rb"\d{19}")
_ENCODINGS = frozenset({"", "utf-8", "utf8", "us-ascii"})


class StrictJson(BaseParser):
    """Parse a body that must be a JSON object: UTF-8, no NUL, no lone surrogates, no NaN, bounded depth and size."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        """Return the object, or raise `Malformed`."""
        request = parser_context["request"]._request  # noqa: SLF001 - its body knows the size limit
        charset = str(request.content_params.get("charset", "")).strip("\"'").lower()
        if charset not in _ENCODINGS or request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise UnsupportedMediaType("another encoding than UTF-8")
        return read_object(request.body)


def read_object(body: bytes) -> dict[str, Any]:
    """Parse bytes as StrictJson describes."""
    if not body:
        return {}
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"The body is not valid JSON: {error.msg}.") from error
    if not isinstance(data, dict):
        raise Malformed("The body must be a JSON object.")
    keys = _inspect(data)
    # The fast parser keeps the last of equal keys and rounds long integers: the slow one looks where either may be.
    if len(_KEY.findall(body)) != keys or _LONG_NUMBER.search(body):
        json.loads(body, object_pairs_hook=_each_once, parse_int=_bounded)
    return data


def _inspect(data: Any) -> int:
    """Refuse what must not be inside; return how many keys there are."""
    level, seen, keys = [data], 0, 0
    for _ in range(DEEPEST):
        below: list[Any] = []
        for value in level:
            kind = type(value)
            if kind is dict:
                keys += len(value)
                below.extend(value)
                below.extend(value.values())
            elif kind is list:
                below.extend(value)
            elif kind is str:
                if "\0" in value:
                    raise Malformed("The body holds a NUL character.")
            elif kind is float and not math.isfinite(value):
                raise Malformed("The body holds a number that is too large.")
        seen += len(below)
        if seen > MOST_NODES:
            raise Malformed(f"The body holds more than {MOST_NODES} values.")
        if not below:
            return keys
        level = below
    raise Malformed(f"The body is nested deeper than {DEEPEST} levels.")


def _each_once(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("The body names a key twice.")
    return found


def _bounded(digits: str) -> int:
    # Counted first: reading millions of digits takes quadratic time.
    if len(digits) > 20 or abs(int(digits)) > LARGEST_INTEGER:
        raise Malformed("The body holds a number that is too large.")
    return int(digits)
