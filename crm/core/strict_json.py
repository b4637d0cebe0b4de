"""Strict JSON: what the database or a client could choke on is refused before anything is done with it."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import orjson

from crm.core.errors import Invalid, Malformed

DEEPEST = 32
MOST_NODES = 10_000
LARGEST_INTEGER = 2**63 - 1  # what the database's own integers hold

_KEY = re.compile(rb'"[ \t\r\n]*:')
_LONG_NUMBER = re.compile(rb"\d{19}")


def read_object(body: bytes) -> dict[str, Any]:
    """Parse what must be a JSON object: UTF-8, no NUL, no lone surrogates, no NaN, bounded depth and size.

    What is not JSON at all is `Malformed`; a value that cannot be stored is `Invalid` and named by its place.
    """
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
        _refuse_values(json.loads(body, object_pairs_hook=_each_once, parse_int=_bounded))
    return data


def _inspect(data: Any) -> int:
    """Refuse what must not be inside; return how many keys there are."""
    level, seen, keys, storable = [data], 0, 0, True
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
                storable = storable and "\0" not in value
            elif kind is float:
                storable = storable and math.isfinite(value)
        seen += len(below)
        if seen > MOST_NODES:
            raise Malformed(f"The body holds more than {MOST_NODES} values.")
        if not below:
            if not storable:
                _refuse_values(data)
            return keys
        level = below
    raise Malformed(f"The body is nested deeper than {DEEPEST} levels.")


def _refuse_values(value: Any, *place: str) -> None:
    """Raise `Invalid` for the first value that cannot be stored, under its place: `items.0.name`."""
    match value:
        case dict():
            if any("\0" in key for key in value):
                raise Malformed("A key holds a NUL character.")
            for key, below in value.items():
                _refuse_values(below, *place, key)
        case list():
            for index, below in enumerate(value):
                _refuse_values(below, *place, str(index))
        case str() if "\0" in value:
            raise Invalid({".".join(place): "Text holds no NUL character."})
        case float() if not math.isfinite(value):
            raise Invalid({".".join(place): "This number is too large."})


def _each_once(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("The body names a key twice.")
    return found


def _bounded(digits: str) -> float:
    # Counted first: reading millions of digits takes quadratic time.
    return math.inf if len(digits) > 20 or abs(int(digits)) > LARGEST_INTEGER else int(digits)
