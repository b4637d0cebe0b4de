"""The whole product as `make demo` runs it, on servers of its own, whose parts a test may kill, freeze and start."""

import json
import os
import socket
import time
from collections.abc import Callable
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any, Self
from unittest.mock import patch
from uuid import uuid4

import psycopg

from devstack.postgres import PostgresServer
from devstack.process import Process, wait_until
from devstack.redis import RedisServer
from devstack.services import DATABASE, TemporaryDirectory
from devstack.supervisor import HOST, PROJECT, Supervised, Supervisor, ask
from tests.conftest import PASSWORD

# What the surrounding test run has set for its own servers.
NOT_OURS = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "CELERY_BROKER_URL", "PGHOST", "CRM_DATA_DIR")
START_SECONDS = 120.0


class Site:
    """PostgreSQL, Redis, two web processes, a worker and beat; mail goes to `mail_port`.

    `variables` are set in their environment, and `host` is what the site is asked for.
    """

    def __init__(self, mail_port: int, host: str = "localhost", **variables: str) -> None:
        self.temporary = TemporaryDirectory()
        self.port = free_port()
        with environment(PORT=str(self.port)):
            self.supervisor = Supervisor(self.temporary.path)
        self.services = self.supervisor.services
        self.host = host
        self.variables = {
            "RATE_LIMITS": "on",
            "RATE_LIMIT_AUTH": "100000",
            "RATE_LIMIT_GENERAL": "1000000",
            "RATE_LIMIT_MAILS_UNPROVEN": "1000000",
            "EMAIL_URL": f"smtp://{HOST}:{mail_port}",
            **variables,
            "PORT": str(self.port),
        }
        self.children: list[Supervised] = []
        self.owner: dict[str, Any] = {}

    @property
    def postgres(self) -> PostgresServer:
        """The database server."""
        assert self.services.postgres
        return self.services.postgres

    @property
    def redis(self) -> RedisServer:
        """Broker and cache."""
        assert self.services.redis
        return self.services.redis

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self) -> None:
        (self.temporary.path / "static").mkdir(parents=True, exist_ok=True)
        self.services.start()
        with environment(**self.variables):
            self.supervisor.environment = self.supervisor._environment()
        self.supervisor._manage("Migrating", "migrate", "--verbosity", "0")
        logs = self.temporary.path / "logs"
        for name, log, command, signals in self.supervisor._commands():
            process = Process(
                name, command, logs / f"{log}.log", cwd=PROJECT, env=self.supervisor.environment, **signals
            )
            child = Supervised(process)
            child.start()
            self.children.append(child)
        self.web, self.worker, self.beat = (child.process for child in self.children)
        if not self.wait(lambda: ask(self.port, self.host) == "200", START_SECONDS):
            raise RuntimeError(f"The site does not get healthy: {self.web.last_lines()}")
        self.owner = self.register()

    def stop(self) -> None:
        """End everything and leave no file behind."""
        for child in self.children:
            child.process.kill()
        self.services.stop()
        self.temporary.remove()

    def register(self) -> dict[str, Any]:
        """Make an organization, and return its owner's address and tokens."""
        body = {
            "email": f"{uuid4().hex}@example.com",
            "password": PASSWORD,
            "full_name": "Olga Owner",
            "company_name": f"Faults {uuid4().hex[:8]}",
        }
        client = SiteClient(self.port)
        status, _, answer = client.send("POST", "/api/v1/auth/register", body)
        assert status == 201, answer
        return {"email": body["email"]} | json.loads(answer)

    def client(self) -> "SiteClient":
        """Return a client of the owner, on a connection of its own."""
        return SiteClient(self.port, self.team_token())

    def team_token(self) -> str:
        """Return an access token that lasts the whole run."""
        if "team" not in self.owner:
            body = {"email": self.owner["email"], "password": PASSWORD}
            status, _, answer = SiteClient(self.port).send("POST", "/api/auth/login", body)
            assert status == 200, answer
            self.owner["team"] = json.loads(answer)["accessToken"]
        return str(self.owner["team"])

    def slug(self) -> str:
        """Return the shop's slug."""
        return str(self.rows("SELECT slug FROM accounts_organization")[0][0])

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the database as its administrator."""
        with psycopg.connect(self.postgres.url("postgres", DATABASE)) as connection:
            return connection.execute(statement).fetchall()

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait for a condition of the site; a child that ends is started again, as everywhere."""

        def holds() -> bool:
            for child in self.children:
                child.watch()
            return condition()

        return wait_until(holds, seconds, 0.1)

    def pass_time(self, seconds: float) -> None:
        """Let the site run."""
        self.wait(lambda: False, seconds)


class SiteClient:
    """One keep-alive connection."""

    def __init__(self, port: int, token: str = "") -> None:
        self.connection = HTTPConnection(HOST, port, timeout=30)
        self.token = token

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, str], bytes]:
        """Send a request and return status, headers and body; a connection that was closed is opened anew."""
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            self.connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = self.connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        except BaseException:
            self.connection.close()
            raise


@contextmanager
def environment(**variables: str) -> Any:
    """Stand in an environment without the test run's own servers."""
    kept = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
    with patch.dict(os.environ, kept | variables, clear=True):
        yield


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Tell whether somebody takes connections."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def now() -> float:
    """Return the clock that all times here are taken from."""
    return time.monotonic()
