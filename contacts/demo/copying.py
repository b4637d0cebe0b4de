"""Bulk rows, as text: by COPY into a temporary table, and from there through row-level security into the real one."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, datetime
from functools import cache
from itertools import islice
from typing import Any, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import SearchVectorField
from django.db import connection, models

Row = Mapping[str, str | None]
Item = TypeVar("Item")


def insert(model: type[models.Model], rows: Iterable[Row]) -> None:
    """Insert rows, all of the same columns: lists joined by commas, words of a search column by spaces."""
    with _loaded(rows) as columns:
        if columns:
            names, values = ", ".join(columns), ", ".join(_values(model)[column] for column in columns)
            _execute(f"INSERT INTO {_table(model)} ({names}) SELECT {values} FROM loading")  # noqa: S608 - names of our own


def update(model: type[models.Model], rows: Iterable[Row]) -> None:
    """Change the rows of these ids, all of them in one statement, to the other columns' values."""
    with _loaded(rows) as columns:
        if columns:
            values = ", ".join(f"{column} = {_values(model)[column]}" for column in columns if column != "id")
            _execute(f"UPDATE {_table(model)} AS changed SET {values} FROM loading WHERE changed.id = loading.id::uuid")  # noqa: S608 - names of our own


@contextmanager
def _loaded(rows: Iterable[Row]) -> Iterator[list[str]]:
    """Keep the rows in the table `loading` meanwhile; yield their columns, none where there are no rows."""
    rows = list(rows)
    columns = list(rows[0]) if rows else []
    if columns:
        _execute(f"CREATE TEMPORARY TABLE loading ({', '.join(f'{column} text' for column in columns)}) ON COMMIT DROP")
        with connection.cursor() as cursor:
            copied: Any = cursor.cursor  # psycopg's own, which can COPY
            with copied.copy(f"COPY loading ({', '.join(columns)}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row([row[column] for column in columns])
    yield columns
    if columns:
        _execute("DROP TABLE loading")


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _table(model: type[models.Model]) -> str:
    return model._meta.db_table  # noqa: SLF001 - Django's documented model metadata


def row_of(instance: models.Model, columns: Iterable[str] | None = None) -> Row:
    """Return an unsaved instance as the text of its columns, of these or of all that can be written."""
    fields = _fields(type(instance))
    return {column: _text(fields[column], getattr(instance, fields[column].attname)) for column in columns or fields}


@cache
def _fields(model: type[models.Model]) -> Mapping[str, Any]:
    written = [field for field in model._meta.concrete_fields if not field.generated]  # noqa: SLF001 - as above
    return {str(field.column): field for field in written}


def _text(field: Any, value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(field, models.JSONField):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(field, ArrayField):
        return ",".join(value)
    if isinstance(field, SearchVectorField):
        (words,) = value.get_source_expressions()  # as `crm.core.search.vector` made it
        return " ".join(words.value)
    return value.isoformat() if isinstance(value, date) else str(value)


@cache
def _values(model: type[models.Model]) -> Mapping[str, str]:
    """Return the SQL that makes each column's value out of the text."""
    return {column: _value(field) for column, field in _fields(model).items()}


def _value(field: Any) -> str:
    text = f"loading.{field.column}"
    if isinstance(field, ArrayField):
        return f"string_to_array({text}, ',')"
    if isinstance(field, SearchVectorField):
        return f"array_to_tsvector(string_to_array({text}, ' '))"
    if isinstance(field, models.CharField | models.TextField):
        return text  # a cast would cut what is too long
    return f"{text}::{field.db_type(connection)}"


def id_at(moment: datetime) -> str:
    """Return an id, in hexadecimal, as `crm.core.ids.uuid7` would have made it at that moment."""
    value = int(moment.timestamp() * 1000) << 80
    value |= int.from_bytes(os.urandom(10), "big")
    value &= ~(0xF << 76 | 0b11 << 62)
    return f"{value | 0x7 << 76 | 0b10 << 62:032x}"


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield the items in lists of `size`."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Yield the items; while one is used, the next is made."""
    with ThreadPoolExecutor(1) as maker:
        coming = maker.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = maker.submit(next, items, None)
            yield item
