"""JSON objects of the customers' own, such as custom fields and preferences: any keys and values, within bounds."""

from typing import Any

import orjson
from django.core.exceptions import ValidationError

LARGEST = 16 * 1024  # bytes of JSON
MOST_KEYS = 200
LONGEST_KEY = 100
DEEPEST = 8


def free_object(value: Any, *, largest: int = LARGEST) -> None:
    """Raise Django's ValidationError unless the value is an object within the bounds; `largest` is in bytes of JSON."""
    if not isinstance(value, dict):
        raise ValidationError("Expected an object.", code="not_an_object")
    if len(_written(value)) > largest:
        raise ValidationError(f"At most {largest} bytes of JSON.", code="too_large")
    level: list[Any] = [value]
    keys = depth = 0
    while level:
        depth += 1
        below: list[Any] = []
        for holder in level:
            below.extend(holder.values() if isinstance(holder, dict) else holder)
            if isinstance(holder, dict):
                keys += len(holder)
                _check_keys(holder)
        level = [inner for inner in below if isinstance(inner, dict | list)]
    if keys > MOST_KEYS:
        raise ValidationError(f"At most {MOST_KEYS} keys.", code="too_many_keys")
    if depth > DEEPEST:
        raise ValidationError(f"At most {DEEPEST} levels of objects and lists.", code="too_deep")


def _written(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError as error:  # a number beyond 64 bits, or nesting without end
        raise ValidationError("A value in it cannot be stored.", code="invalid") from error


def _check_keys(holder: dict[str, Any]) -> None:
    if any(len(key) > LONGEST_KEY for key in holder):
        raise ValidationError(f"A key has at most {LONGEST_KEY} characters.", code="long_key")
    if any("\0" in key for key in holder):
        raise ValidationError("A key holds no NUL character.", code="invalid")


def changed_keys(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return both objects without the keys under which they hold the same."""
    same = {key for key in before.keys() & after.keys() if before[key] == after[key]}
    return _without(same, before), _without(same, after)


def _without(keys: set[str], value: dict[str, Any]) -> dict[str, Any]:
    return {key: inner for key, inner in value.items() if key not in keys}
