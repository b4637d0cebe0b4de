"""Rows of the version that upgrades begin with, and the digests of its migrations.

`python -m devstack run --migrate -- sh -c "manage.py seed_demo && python -m tests.core.baseline"` writes them from a
database with demo data. That was done once; later versions only read them.
"""

import hashlib
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

PROJECT = Path(__file__).resolve().parents[2]
ROWS = Path(__file__).with_name("baseline.zip")
DIGESTS = Path(__file__).with_name("baseline.json")
# The last migration of each app at that version; the other apps of Django come along.
MIGRATIONS = (
    ("accounts", "0001"),
    ("contacts", "0001"),
    ("sales", "0001"),
    ("commerce", "0001"),
    ("core", "0001"),
)
RENAMED: frozenset[str] = frozenset()  # tables that later versions renamed or removed, each with its migration
APPS = ("accounts_", "contacts_", "sales_", "commerce_", "core_")


def tables() -> list[str]:
    """The tables that have rows, in the order of their names."""
    with zipfile.ZipFile(ROWS) as archive:
        return sorted(Path(name).stem for name in archive.namelist())


def load(connection: psycopg.Connection) -> None:
    """Copy the rows into the tables, as the administrator: triggers and references are not asked."""
    connection.execute("SET session_replication_role = replica")
    with zipfile.ZipFile(ROWS) as archive:
        for table in tables():
            header, _, rows = archive.read(f"{table}.csv").partition(b"\n")
            columns = sql.SQL(", ").join(map(sql.Identifier, header.decode().split(",")))
            statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(sql.Identifier(table), columns)
            with connection.cursor() as cursor, cursor.copy(statement) as copy:
                copy.write(rows)


def dump(connection: psycopg.Connection) -> None:
    """Write the rows of our tables, generated columns left out."""
    found = connection.execute(
        "SELECT table_name, string_agg(column_name, ',' ORDER BY ordinal_position) FROM information_schema.columns "
        "WHERE table_schema = 'public' AND is_generated = 'NEVER' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    with zipfile.ZipFile(ROWS, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for table, columns in found:
            if table.startswith(APPS):
                names = sql.SQL(", ").join(map(sql.Identifier, columns.split(",")))
                statement = sql.SQL("COPY (SELECT {} FROM {} ORDER BY 1) TO STDOUT (FORMAT csv)")
                with connection.cursor() as cursor, cursor.copy(statement.format(names, sql.Identifier(table))) as copy:
                    rows = b"".join(copy)
                if rows:
                    archive.writestr(f"{table}.csv", columns.encode() + b"\n" + rows)


def write_digests() -> None:
    """Write the digest of each migration that there is."""
    paths: list[Any] = [*PROJECT.glob("*/migrations/0*.py"), *PROJECT.glob("crm/*/migrations/0*.py")]
    digests = {str(path.relative_to(PROJECT)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(paths)}
    DIGESTS.write_text(json.dumps(digests, indent=1) + "\n")


if __name__ == "__main__":
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("SET ROLE crm_operator")
        dump(connection)
    write_digests()
