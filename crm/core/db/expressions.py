"""SQL that the ORM has no words for: amounts in major units, short changes, JSON whose keys keep their order."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.postgres.aggregates import JSONBAgg
from django.db.models import FloatField, Func, JSONField
from django.db.models.expressions import RawSQL

from crm.core.money import EXPONENTS, exponent

_SCALES = " ".join(f"WHEN '{currency}' THEN {10**places}" for currency, places in sorted(EXPONENTS.items()))


class Major(Func):
    """An amount in minor units and its currency as the number in major units; exact up to `LARGEST_MINOR`."""

    arity = 2
    template = f"(%(expressions)s {_SCALES} ELSE {10 ** exponent('')} END)"
    arg_joiner = "::float8 / CASE "
    output_field: Any = FloatField()


class ShortChanges(Func):
    """What an event keeps of changes (`{field: {"from", "to"}}`); of long values the beginnings, as text."""

    arity = 1
    template = """(CASE WHEN octet_length(%(expressions)s::text) <= 4000 THEN %(expressions)s ELSE (
        SELECT jsonb_object_agg(field, CASE WHEN octet_length(change::text) <= 1000 THEN change ELSE jsonb_build_object(
            'from', left(change ->> 'from', 200), 'to', left(change ->> 'to', 200), 'shortened', true
        ) END) FROM jsonb_each(%(expressions)s) AS changes (field, change)
    ) END)"""
    output_field: Any = JSONField()


class JsonList(JSONBAgg):
    """The list of a group's expressions, in an order of columns. `json`, for nobody asks into it."""

    function = "JSON_AGG"

    def __init__(self, row: Any, order: Sequence[str] = (), **extra: Any) -> None:
        super().__init__(row, order_by=order, **extra)


def json_object(members: Mapping[str, Any]) -> Func:
    """Return the SQL of a JSON object of expressions; its keys, our own words, are part of the statement's text."""
    pairs = [part for key, value in members.items() for part in (literal(f"'{key}'"), value)]
    return Func(*pairs, function="json_build_object", output_field=JSONField())


def literal(text: str) -> RawSQL:
    """Return SQL of our own that holds no value."""
    return RawSQL(text, ())  # noqa: S611 - written in the code
