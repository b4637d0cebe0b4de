"""An upgrade from the first migrations on: a database with data of that version takes every later one.

`baseline/` holds the rows of the demo as that version wrote them (`python -m tests.core.baseline` made it once), and
the digests of its migrations, which are never edited.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from crm.core.provision import provision
from tests.core import baseline
from tests.support import servers

DATABASE = "crm_upgrade"


def manage(*arguments: str, database: str) -> subprocess.CompletedProcess[str]:
    """Run a management command on a database."""
    return subprocess.run(
        [sys.executable, str(servers.PROJECT / "manage.py"), *arguments],
        env=os.environ | servers.environment(database, 0),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def empty() -> Iterator[str]:
    """A new database with the roles, and no table."""
    name = f"{DATABASE}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    servers.drop_database(name)
    passwords = {"owner_password": servers.ROLE_PASSWORD, "app_password": servers.ROLE_PASSWORD}
    provision(os.environ[servers.ADMIN_URL], name, **passwords)
    yield name
    servers.drop_database(name)


def counts(connection: psycopg.Connection, tables: list[str]) -> dict[str, int]:
    found = {}
    for table in tables:
        row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
        found[table] = row[0] if row else 0
    return found


def test_data_of_the_first_version_is_there_after_all_migrations(empty: str) -> None:
    for app, name in baseline.MIGRATIONS:
        done = manage("migrate", app, name, "--database", "owner", "--verbosity", "0", database=empty)
        assert done.returncode == 0, done.stderr
    with psycopg.connect(servers.admin_url(empty), autocommit=True) as connection:
        baseline.load(connection)
        before = counts(connection, baseline.tables())

    done = manage("migrate", "--database", "owner", "--verbosity", "0", database=empty)

    assert done.returncode == 0, done.stderr
    with psycopg.connect(servers.admin_url(empty), autocommit=True) as connection:
        after = counts(connection, [table for table in baseline.tables() if table not in baseline.RENAMED])
    assert {table: n for table, n in before.items() if n and after.get(table, 0) < n} == {}
    assert sum(before.values()) > 1000
    assert manage("makemigrations", "--check", "--dry-run", database=empty).returncode == 0


def test_migrations_that_were_released_are_not_edited() -> None:
    known = json.loads(baseline.DIGESTS.read_text())
    changed = [
        path
        for path, digest in known.items()
        if hashlib.sha256((servers.PROJECT / path).read_bytes()).hexdigest() != digest
    ]

    assert not changed, "Add a migration instead."


def test_a_database_from_before_the_squash_is_named_in_a_sentence(empty: str) -> None:
    with psycopg.connect(servers.admin_url(empty), autocommit=True) as connection:
        connection.execute("SET ROLE crm_owner")
        connection.execute(
            "CREATE TABLE django_migrations (id bigserial PRIMARY KEY, app text, name text, applied timestamptz)"
        )
        connection.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('core', '0002_walls', now())")

    done = manage("migrate", "--database", "owner", "--verbosity", "0", database=empty)

    assert done.returncode == 1
    assert "made by a version from before the migrations were squashed" in done.stderr
    assert "make reset" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_digests_are_those_of_every_first_migration() -> None:
    first = {str(path.relative_to(servers.PROJECT)) for path in Path(servers.PROJECT).glob("*/migrations/0001_*.py")}
    first |= {
        str(path.relative_to(servers.PROJECT)) for path in (servers.PROJECT / "crm/core/migrations").glob("0001_*")
    }

    assert first <= set(json.loads(baseline.DIGESTS.read_text()))
