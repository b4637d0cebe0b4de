"""The one door to plain prepared SQL, for the hot paths: values arrive as JSON can hold them, decoded in C."""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import orjson
from django.contrib.postgres.search import SearchVectorField
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import AutoField, Field, Func, JSONField, Model
from psycopg.types.json import Jsonb

from crm.core.database.wire import Answer, Params
from crm.core.tenancy import Question


def fetch(statement: str, params: Params) -> list[tuple[Any, ...]]:
    """Run a prepared statement in the current transaction and return its rows; parameters are `%s`, or `%(name)s`.

    Ids and decimals come as text and JSON as `orjson.Fragment`, ready for `orjson.dumps`.
    """
    return _run(statement, params).rows()


def answer(question: Question) -> list[tuple[Any, ...]]:
    """Return the rows of a question: what came with the first message of its transaction, or else asked now."""
    rows: list[tuple[Any, ...]] = _connection().answer(question)
    return rows


def insert(row: Model) -> None:
    """Insert a new row as `save(force_insert=True)` would, at a fraction of its cost: one statement a model, prepared.

    For models without signals and parents; generated columns are the database's.
    """
    _run(_insertion(type(row)), _values(row))
    _saved(row)


def insert_unless_taken(row: Model) -> bool:
    """Insert as `insert` does and return True, or do nothing where a unique value of the row is taken."""
    if _run(f"{_insertion(type(row))} ON CONFLICT DO NOTHING", _values(row)).count == 0:
        return False
    _saved(row)
    return True


def insert_all(rows: Sequence[Model]) -> None:
    """Insert new rows of one model, without arrays and search vectors, in one statement whatever their number."""
    if rows:
        columns = zip(*map(_values, rows), strict=True)
        _run(_mass_insertion(type(rows[0])), [list(column) for column in columns])
        for row in rows:
            _saved(row)


@cache
def _insertion(model: type[Model]) -> str:
    fields = _stored_fields(model)
    values = ", ".join("array_to_tsvector(%s)" if isinstance(field, SearchVectorField) else "%s" for field in fields)
    return f"{_into(model)} VALUES ({values})"


@cache
def _mass_insertion(model: type[Model]) -> str:
    columns = ", ".join(f"%s::{field.db_type(_connection())}[]" for field in _stored_fields(model))
    return f"{_into(model)} SELECT * FROM unnest({columns})"  # noqa: S608 - names of our own tables


def _into(model: type[Model]) -> str:
    columns = ", ".join(f'"{field.column}"' for field in _stored_fields(model))
    return f'INSERT INTO "{model._meta.db_table}" ({columns})'  # noqa: SLF001 - Django's documented model metadata


@cache
def _stored_fields(model: type[Model]) -> tuple["Field[Any, Any]", ...]:
    fields = model._meta.concrete_fields  # noqa: SLF001 - Django's documented model metadata
    return tuple(field for field in fields if not (isinstance(field, AutoField) or field.generated))


def _values(row: Model) -> list[Any]:
    return [_stored(field, field.pre_save(row, add=True)) for field in _stored_fields(type(row))]


def _saved(row: Model) -> None:
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS  # noqa: SLF001 - as save() leaves it


def _stored(field: "Field[Any, Any]", value: Any) -> Any:
    if isinstance(value, Func):  # a search vector: the words it is made of
        return value.get_source_expressions()[0].value
    if isinstance(field, JSONField) and value is not None:
        return Jsonb(value, dumps=_json)
    return value


def _json(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # PostgreSQL spells a float such as 1e22 as a whole number, which comes back beyond 64 bits
        return json.dumps(value).encode()


def _run(statement: str, params: Params) -> Answer:
    answer: Answer = _connection().run(statement, params)
    return answer


def _connection() -> Any:
    """Return the default connection; our back end (`crm.core.database`) brings what Django's does not know."""
    return connections[DEFAULT_DB_ALIAS]
