"""pytest plugin: a real PostgreSQL and Redis for every run, and a database of its own for every worker.

Tests run committed, as the role the application uses, and make an organization of their own each: nothing is rolled
back or flushed between them. The servers start before Django reads its settings and are gone when the run ends,
however it ends.

`TEST_DATABASE_ADMIN_URL` and `TEST_REDIS_URL` name servers to use instead.
"""

import atexit
import contextlib
import os
import re
import signal
import subprocess
import sys
import urllib.parse
from collections.abc import Callable, Generator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from crm.core.provision import APP, OWNER, provision
from devstack.errors import EmbeddedError
from devstack.process import die_with_parent
from devstack.services import Services, TemporaryDirectory, redis_environment

PROJECT = Path(__file__).resolve().parents[2]
TEMPLATE = "crm_template"
# What the run tells its workers, which inherit the environment.
ADMIN_URL = "CRM_TEST_ADMIN_URL"
REDIS_ROOT = "CRM_TEST_REDIS"
ROLE_PASSWORD = "crm-test"
NUMBERED_DATABASES = 256


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """Before Django reads its settings: the run starts the servers, each worker makes its database."""
    os.environ["CRM_ENV"] = "test"
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        _start_run()
    elif arm := die_with_parent(signal.SIGTERM, os.getppid()):
        # A killed run takes its workers along, and they what they started.
        arm()
    # A run with workers only directs; without any it tests by itself.
    if worker or not getattr(early_config.known_args_namespace, "numprocesses", None):
        _make_database(worker or "main")
    return (yield)


def pytest_configure(config: pytest.Config) -> None:
    """Register the fixtures after pytest-django's, so that they replace them."""
    config.pluginmanager.register(CommittedTests(), "committed-tests")


class CommittedTests:
    """pytest-django without test databases, rollbacks and flushes: the database is there and open to every test."""

    @pytest.fixture(scope="session")
    @classmethod
    def django_db_setup(cls) -> None:
        """The worker's database was made from the template."""

    @pytest.fixture
    def _django_db_helper(self) -> None:
        """`db`, `transactional_db` and the mark ask for what every test has."""

    @pytest.fixture(scope="session", autouse=True)
    @classmethod
    def _database_access(cls, django_db_blocker: pytest.FixtureRequest) -> Generator[None, None, None]:
        with django_db_blocker.unblock():  # type: ignore[attr-defined]  # pytest-django does not export its type
            yield
            from django.db import connections

            connections.close_all()


def _start_run() -> None:
    admin_url = os.environ.get("TEST_DATABASE_ADMIN_URL")
    redis_url = os.environ.get("TEST_REDIS_URL")
    directory = TemporaryDirectory()
    services = Services(directory.path, ephemeral=True, postgres=not admin_url, redis=not redis_url)
    _at_exit(directory.remove)
    _at_exit(services.stop)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        services.start()
    except EmbeddedError as error:
        pytest.exit(str(error), returncode=3)
    if services.postgres:
        admin_url = services.postgres.admin_url
        # For psql and for every connection that names no host.
        os.environ["PGHOST"] = str(services.postgres.sockets)
    os.environ[ADMIN_URL] = admin_url or ""
    os.environ[REDIS_ROOT] = str(services.redis.sockets) if services.redis else ""
    os.environ["CRM_DATA_DIR"] = str(directory.path)
    (directory.path / "static").mkdir()  # WhiteNoise warns of each site without it
    _make_template(os.environ[ADMIN_URL])


def _at_exit(function: Callable[[], None]) -> None:
    """Run at the end of this process, not of one forked from it."""
    owner = os.getpid()
    atexit.register(lambda: function() if os.getpid() == owner else None)


def _make_template(admin_url: str) -> None:
    """A migrated database to copy: the migrations run once, whatever the number of workers."""
    drop_database(TEMPLATE)
    _drop_at_exit(TEMPLATE)
    provision(admin_url, TEMPLATE, owner_password=ROLE_PASSWORD, app_password=ROLE_PASSWORD)
    # A process of its own: this one must not read Django's settings before its database is known.
    result = subprocess.run(
        [sys.executable, str(PROJECT / "manage.py"), "migrate", "--database", "owner", "--verbosity", "0"],
        env=os.environ | environment(TEMPLATE, 0),
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        pytest.exit(f"The migrations failed:\n{result.stdout}{result.stderr}", returncode=3)


def _make_database(worker: str) -> None:
    name = f"crm_{worker}"
    number = int("".join(re.findall(r"\d+", worker)) or 0)
    drop_database(name)
    with psycopg.connect(os.environ[ADMIN_URL], autocommit=True) as connection:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}")
        connection.execute(statement.format(*map(sql.Identifier, (name, TEMPLATE, OWNER))))
    _drop_at_exit(name)
    os.environ.update(environment(name, number))


def _drop_at_exit(name: str) -> None:
    """Leave a server that is not ours as it was; our own goes as a whole."""
    if os.environ.get("TEST_DATABASE_ADMIN_URL"):
        _at_exit(lambda: drop_database(name))


def drop_database(name: str) -> None:
    """Remove a database, whoever is connected to it."""
    with (
        contextlib.suppress(psycopg.OperationalError),
        psycopg.connect(os.environ[ADMIN_URL], autocommit=True) as connection,
    ):
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def environment(database: str, number: int) -> dict[str, str]:
    """The variables that lead to one database, and to the two numbered Redis databases of one worker."""
    broker = number * 2 % NUMBERED_DATABASES
    found = {
        "DATABASE_URL": _url(APP, database),
        "DATABASE_OWNER_URL": _url(OWNER, database),
    }
    if os.environ[REDIS_ROOT]:
        found |= redis_environment(Path(os.environ[REDIS_ROOT]), broker=broker, cache=broker + 1)
    else:
        base = os.environ["TEST_REDIS_URL"].rstrip("/")
        found |= {"CELERY_BROKER_URL": f"{base}/{broker}", "REDIS_URL": f"{base}/{broker + 1}"}
    return found


def admin_url(database: str) -> str:
    """The administrator's URL of a database."""
    return urllib.parse.urlsplit(os.environ[ADMIN_URL])._replace(path=f"/{database}").geturl()


def _url(role: str, database: str) -> str:
    """The administrator's URL with another role and database."""
    parts = urllib.parse.urlsplit(os.environ[ADMIN_URL])
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{role}:{ROLE_PASSWORD}@{host}", path=f"/{database}").geturl()
