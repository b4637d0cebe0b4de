"""Many rows at once, made by SQL in the columns of the product's models."""

from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb


def insert(
    connection: psycopg.Connection[Any], model: Any, columns: dict[str, str], source: str, asked: dict[str, Any]
) -> None:
    """Insert the rows of a query, each column by its expression over them or the model's default.

    The indexes are made afterwards; `asked` are the query's parameters, `organization` among them.
    """
    table = model._meta.db_table  # noqa: SLF001 - Django's documented model metadata
    values = {column: expression.replace("%", "%%") for column, expression in columns.items()}
    values["organization_id"] = "%(organization)s"
    for field in model._meta.concrete_fields:  # noqa: SLF001 - the same
        if field.column not in values and not field.null and not field.generated:
            default = field.get_default()
            literal = sql.Literal(Jsonb(default) if isinstance(default, dict) else default)
            values[field.column] = literal.as_string(connection).replace("%", "%%")
    indexes = connection.execute(
        "SELECT i.indexname, i.indexdef FROM pg_indexes i WHERE tablename = %s AND NOT EXISTS "
        "(SELECT FROM pg_constraint c WHERE c.conname = i.indexname)",
        [table],
    ).fetchall()
    for name, _ in indexes:
        connection.execute(f'DROP INDEX "{name}"')
    connection.execute(
        f"INSERT INTO {table} ({', '.join(values)}) SELECT {', '.join(values.values())} FROM ({source}) AS row", asked
    )
    for _, definition in indexes:
        connection.execute(definition)
