"""The one door to plain prepared SQL, for the hot paths: values arrive as JSON can hold them, decoded in C."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import orjson
import psycopg
from django.conf import settings
from django.contrib.postgres.search import SearchVectorField
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import AutoField, Field, Func, JSONField, Model
from psycopg.adapt import Loader
from psycopg.pq import Format
from psycopg.types.json import Jsonb
from psycopg.types.string import TextLoader

from crm.core.tenancy import Question

NUMBERED = re.compile(r"\$\d+")  # parameters of a question, each used once and in order
MOST_PREPARED = 500  # statements a connection keeps; each list of each surface is a few


class _JsonLoader(Loader):
    """JSON columns go out as they came in, unparsed."""

    def load(self, data: Any) -> orjson.Fragment:
        return orjson.Fragment(bytes(data))


def fetch(statement: str, params: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a prepared statement in the current transaction and return its rows; parameters are `%s`, or `%(name)s`.

    Ids and decimals come as text and JSON as `orjson.Fragment`, ready for `orjson.dumps`.
    """
    return _run(statement, params).fetchall()


def answer(question: Question) -> list[tuple[Any, ...]]:
    """Return the rows of a question: what the transaction's BEGIN brought along, or else asked now."""
    opened = _connection().opened
    if opened is not None and opened[0] is question:
        rows: list[tuple[Any, ...]] = opened[1]
        return rows
    return fetch(NUMBERED.sub("%s", question.statement), question.ids)


def insert(row: Model) -> None:
    """Insert a new row as `save(force_insert=True)` would, at a fraction of its cost: one statement a model, prepared.

    For models without signals and parents; generated columns are the database's.
    """
    _run(_insertion(type(row)), _values(row))
    _saved(row)


def insert_unless_taken(row: Model) -> bool:
    """Insert as `insert` does and return True, or do nothing where a unique value of the row is taken."""
    if _run(f"{_insertion(type(row))} ON CONFLICT DO NOTHING", _values(row)).rowcount == 0:
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


def _run(statement: str, params: Sequence[Any] | Mapping[str, Any]) -> psycopg.Cursor[Any]:
    connection = _connection()
    connection.ensure_connection()
    reader: psycopg.Cursor[Any] | None = connection.reader
    if reader is None:
        reader = connection.reader = _reader(connection.connection)
    with connection.wrap_database_errors:
        if connection.force_debug_cursor:
            connection.queries_log.append({"sql": statement, "time": "0"})
        return reader.execute(statement, params, prepare=settings.PREPARED_STATEMENTS)


def _connection() -> Any:
    """Return the default connection; our back end (`crm.core.database`) brings what Django's does not know."""
    return connections[DEFAULT_DB_ALIAS]


def _reader(connection: psycopg.Connection[Any]) -> psycopg.Cursor[Any]:
    connection.prepared_max = MOST_PREPARED
    reader = psycopg.Cursor(connection)
    for name in ("uuid", "numeric"):
        reader.adapters.register_loader(name, TextLoader)
    for name in ("timestamptz", "date"):  # psycopg's own, in C, instead of Django's in Python
        oid = psycopg.adapters.types[name].oid
        if loader := psycopg.adapters.get_loader(oid, Format.TEXT):
            reader.adapters.register_loader(oid, loader)
    for name in ("json", "jsonb"):
        reader.adapters.register_loader(name, _JsonLoader)
    return reader
