"""Bulk rows, as text: by COPY into a temporary table, and from there through row-level security into the real one."""

import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
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
    rows = list(rows)
    if not rows:
        return
    columns = list(rows[0])
    names = ", ".join(columns)
    values = ", ".join(_values(model)[column] for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE loading ({', '.join(f'{c} text' for c in columns)}) ON COMMIT DROP")
        copied: Any = cursor.cursor  # psycopg's own, which can COPY
        with copied.copy(f"COPY loading ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row([row[column] for column in columns])
        table = model._meta.db_table  # noqa: SLF001 - Django's documented model metadata
        cursor.execute(f"INSERT INTO {table} ({names}) SELECT {values} FROM loading")  # noqa: S608 - names of our own
        cursor.execute("DROP TABLE loading")


@cache
def _values(model: type[models.Model]) -> Mapping[str, str]:
    """Return the SQL that makes each column's value out of the text."""
    return {str(field.column): _value(field) for field in model._meta.concrete_fields}  # noqa: SLF001 - as above


def _value(field: Any) -> str:
    if isinstance(field, ArrayField):
        return f"string_to_array({field.column}, ',')"
    if isinstance(field, SearchVectorField):
        return f"array_to_tsvector(string_to_array({field.column}, ' '))"
    if isinstance(field, models.CharField | models.TextField):
        return str(field.column)  # a cast would cut what is too long
    return f"{field.column}::{field.db_type(connection)}"


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
