"""Prepared SQL without cursors, for the hot paths. Values arrive as JSON holds them, decoded in C."""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import orjson
from django.contrib.postgres.search import SearchVectorField
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import AutoField, Field, Func, JSONField, Model
from psycopg.types.json import Jsonb

from crm.core.db.scope import Params, PiggybackQuery


def fetch(statement: str, params: Params) -> list[tuple[Any, ...]]:
    """Run a prepared statement in the current transaction and return its rows; parameters are `%s`, or `%(name)s`.

    Ids and decimals come as text and JSON as `orjson.Fragment`, ready for `orjson.dumps`.
    """
    rows: list[tuple[Any, ...]] = connection().run(statement, params).rows()
    return rows


def piggyback_rows(query: PiggybackQuery) -> list[tuple[Any, ...]]:
    """Return the rows of a query that was sent with its transaction's first message, or run it now."""
    rows: list[tuple[Any, ...]] = connection().piggyback_rows(query)
    return rows


def insert(row: Model) -> None:
    """Insert a new row as `save(force_insert=True)` would, at a fraction of its cost: one statement a model, prepared.

    For models without signals and parents; generated columns are the database's.
    """
    connection().run(_insert_sql(type(row)), _row_values(row))
    _mark_saved(row)


def insert_or_ignore(row: Model) -> bool:
    """Insert as `insert` does and return True, or do nothing where a unique value of the row is taken."""
    if connection().run(f"{_insert_sql(type(row))} ON CONFLICT DO NOTHING", _row_values(row)).count == 0:
        return False
    _mark_saved(row)
    return True


def insert_many(rows: Sequence[Model]) -> None:
    """Insert new rows of one model, without arrays and search vectors, in one statement whatever their number."""
    if rows:
        columns = zip(*map(_row_values, rows), strict=True)
        connection().run(_insert_many_sql(type(rows[0])), [list(column) for column in columns])
        for row in rows:
            _mark_saved(row)


@cache
def _insert_sql(model: type[Model]) -> str:
    fields = _columns(model)
    values = ", ".join("array_to_tsvector(%s)" if isinstance(field, SearchVectorField) else "%s" for field in fields)
    return f"{_insert_into(model)} VALUES ({values})"


@cache
def _insert_many_sql(model: type[Model]) -> str:
    columns = ", ".join(f"%s::{field.db_type(connection())}[]" for field in _columns(model))
    return f"{_insert_into(model)} SELECT * FROM unnest({columns})"  # noqa: S608 - names of our own tables


def _insert_into(model: type[Model]) -> str:
    columns = ", ".join(f'"{field.column}"' for field in _columns(model))
    return f'INSERT INTO "{model._meta.db_table}" ({columns})'  # noqa: SLF001 - Django's documented model metadata


@cache
def _columns(model: type[Model]) -> tuple["Field[Any, Any]", ...]:
    fields = model._meta.concrete_fields  # noqa: SLF001 - Django's documented model metadata
    return tuple(field for field in fields if not (isinstance(field, AutoField) or field.generated))


def _row_values(row: Model) -> list[Any]:
    return [_to_sql(field, field.pre_save(row, add=True)) for field in _columns(type(row))]


def _mark_saved(row: Model) -> None:
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS  # noqa: SLF001 - as save() leaves it


def _to_sql(field: "Field[Any, Any]", value: Any) -> Any:
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


def connection() -> Any:
    """Return the default connection, whose back end (`crm.core.db.backend`) can do more than Django's."""
    return connections[DEFAULT_DB_ALIAS]
