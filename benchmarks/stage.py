"""What is measured, and where: throwaway services, a database of each size, and the two servers on each."""

import contextlib
import hashlib
import http.client
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Self

import django
import psycopg

from benchmarks import data, rows, sales, shop
from benchmarks.load import HOST, Generator
from crm.core.provision import provision
from devstack.errors import EmbeddedError
from devstack.process import Process, descendants
from devstack.progress import step
from devstack.services import DATABASE, Services

PROJECT = Path(__file__).resolve().parent.parent
# Rows of another recipe are loaded anew.
RECIPE = hashlib.sha256(b"".join(Path(part.__file__).read_bytes() for part in (data, rows, sales, shop))).hexdigest()[
    :8
]
BASE = f"bench_{RECIPE}"
BYTES_PER_CONTACT = 3000  # with indexes, log and room to build them
BYTES_PER_DEAL = 5000  # with its activities
READY_TIMEOUT = 60.0
TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
FOLD = """
WITH gone AS (DELETE FROM core_rowcounter WHERE organization_id = %s RETURNING *)
INSERT INTO core_rowcounter (organization_id, kind, owner_id, month, n)
SELECT organization_id, kind, owner_id, month, sum(n) FROM gone GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0
"""
TOKEN_LIFETIME = timedelta(hours=8)


@dataclass
class Server:
    """One server on one database: `python -m crm.server`, as the product is run."""

    name: str
    rows: int
    port: int
    process: Process
    generator: Generator | None = None

    @property
    def load(self) -> Generator:
        """Return the connections to it, opened on first use."""
        if self.generator is None:
            self.generator = Generator(self.port)
        return self.generator

    def stop(self) -> None:
        """Close the connections and end it."""
        if self.generator is not None:
            self.generator.close()
        self.process.stop(timeout=8)


@dataclass
class Stage:
    """Services, databases and servers; leaving the block stops and removes all of it.

    `directory` keeps the data for the next time, which is then not loaded again.
    """

    sizes: list[int]
    directory: Path | None = None
    with_sales: bool = True
    with_shop: bool = True
    servers: list[Server] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Start everything; what fails on the way leaves nothing behind."""
        self._undo = contextlib.ExitStack()
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything."""
        self._stop()

    def _stop(self) -> None:
        """Undo what was done, last first; an impatient Ctrl-C does not leave half of it running."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        self._undo.close()

    def _start(self) -> None:
        if self.directory is None:
            # On disk: a commit that waits for no disk is no commit.
            place = Path(tempfile.mkdtemp(prefix="crm-bench-"))
            self._undo.callback(shutil.rmtree, place, ignore_errors=True)
            place.chmod(0o711)  # PostgreSQL may run as another user and has to pass through
        else:
            place = self.directory.absolute()
            place.mkdir(parents=True, exist_ok=True)
        self.place = place
        needed = sum(self.sizes) * (BYTES_PER_CONTACT + BYTES_PER_DEAL * self.with_sales)
        if shutil.disk_usage(place).free < needed:
            raise EmbeddedError(f"{place} needs {needed >> 20:,} MB of free space for that many contacts.")
        self.services = Services(place)
        with step("Starting PostgreSQL and Redis"):
            self.services.start()
        self._undo.callback(self.services.stop)
        self.secret = secrets.token_urlsafe(48)
        self._setup_django()
        self._make_base()
        for size in self.sizes:
            self._make_size(size)
            if self.with_shop:
                with step("Making two shops"):
                    shop.load(self.admin_url(self.database(size)))
            if self.with_sales:
                with step(f"Making {size:,} deals and their activities"):
                    sales.load(self.admin_url(self.database(size)), data.READ, size)
        with step("Starting the servers"):
            for size in self.sizes:
                self._serve("product", size, "crm.rsgi:application", self.environment(self.database(size)))
                floor = {
                    "CRM_ENV": "demo",  # for the web server's settings
                    "FLOOR_SECRET": self.secret,
                    "FLOOR_DATABASE_URL": self.admin_url(self.database(size)),
                    "PATH": os.environ.get("PATH", ""),
                }
                self._serve("floor", size, "benchmarks.floor:served", floor)
            for server in self.servers:
                _wait_until_open(server)

    @property
    def postgres_log(self) -> Path:
        """Return where PostgreSQL writes its log."""
        return self._postgres.log

    @property
    def _postgres(self) -> Process:
        if self.services.postgres is None:
            raise EmbeddedError("The benchmark brings its own PostgreSQL.")
        return self.services.postgres

    def database(self, size: int) -> str:
        """Return the name of the database of a size."""
        return f"{BASE}_{size}"

    def admin_url(self, database: str) -> str:
        """Return the superuser's URL of a database."""
        if self.services.postgres is None:
            raise EmbeddedError("The benchmark brings its own PostgreSQL.")
        return self.services.postgres.url("postgres", database)

    def environment(self, database: str) -> dict[str, str]:
        """Return the product's environment: as in production, but nothing is limited."""
        found = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        for name, value in self.services.environment().items():
            found[name] = value.replace(f"/{DATABASE}?", f"/{database}?") if name.startswith("DATABASE") else value
        return found | {
            "CRM_ENV": "development",  # production takes neither switched-off limits nor http://
            "SECRET_KEY": self.secret,
            "ALLOWED_HOSTS": HOST,
            "PUBLIC_URL": f"http://{HOST}",
            "RATE_LIMITS": "off",
            "DJANGO_SETTINGS_MODULE": "crm.settings",
        }

    def token(self, tenant: data.Tenant, *, shopper: int | None = None) -> str:
        """Return an access token of the tenant's owner, or of one of its shoppers."""
        from crm.core import tokens  # noqa: PLC0415 - Django is set up by now

        return tokens.issue(
            user_id=tenant.user if shopper is None else tenant.id(shop.SHOPPER, shopper),
            session_id=tenant.session if shopper is None else tenant.id(shop.SESSION, shopper),
            organization_id=tenant.organization,
            lifetime=TOKEN_LIFETIME,
        )[0]

    def server(self, name: str, rows: int) -> Server:
        """Return one of the servers."""
        return next(server for server in self.servers if (server.name, server.rows) == (name, rows))

    def fold(self) -> None:
        """Do to the row counters what beat does twice a minute, one row for each sum, and fill the carts again."""
        for size in self.sizes:
            with psycopg.connect(self.admin_url(self.database(size))) as connection:
                connection.execute(FOLD, [data.WRITTEN.organization])
                if self.with_shop:
                    connection.execute(shop.REFILL)

    def postgres_cpu(self) -> dict[int, int]:
        """Return the ticks that each process of PostgreSQL has used."""
        return cpu(self._postgres)

    def _setup_django(self) -> None:
        os.environ.update(self.environment(BASE) | {"DATABASE_URL": self.admin_url(BASE)})
        django.setup()

    def _make_base(self) -> None:
        with psycopg.connect(self.admin_url("postgres"), autocommit=True) as connection:
            names = [row[0] for row in connection.execute("SELECT datname FROM pg_database WHERE datname ~ '^bench_'")]
            for name in names:
                if not name.startswith(BASE) or name.endswith("_loading"):
                    connection.execute(f"DROP DATABASE {name}")
        provision(self.admin_url("postgres"), BASE)
        self._migrate(BASE)
        with psycopg.connect(self.admin_url(BASE)) as connection:
            if connection.execute(
                "SELECT 1 FROM accounts_organization WHERE id = %s", [data.READ.organization]
            ).fetchone():
                return
        with step("Making organizations, users and companies"):
            from django.db import connections  # noqa: PLC0415 - Django is set up by now

            data.make_people()
            connections.close_all()

    def _migrate(self, database: str) -> None:
        with step(f"Migrating {database}"):
            result = subprocess.run(
                [sys.executable, str(PROJECT / "manage.py"), "migrate", "--verbosity", "0"],
                env=self.environment(database),
                capture_output=True,
                text=True,
                check=False,
            )
        if result.returncode:
            raise EmbeddedError(f"The migrations failed:\n{result.stdout}{result.stderr}")

    def _make_size(self, size: int) -> None:
        name = self.database(size)
        with psycopg.connect(self.admin_url("postgres"), autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                with psycopg.connect(self.admin_url(name)) as inside:
                    inside.execute(
                        "DELETE FROM contacts_contact WHERE organization_id = %s AND user_id IS NULL",
                        [data.WRITTEN.organization],
                    )
                    inside.execute(
                        "DELETE FROM core_rowcounter WHERE organization_id = %s", [data.WRITTEN.organization]
                    )
                    inside.execute("TRUNCATE core_event")
                with psycopg.connect(self.admin_url(name), autocommit=True) as inside:
                    inside.execute("VACUUM ANALYZE")
                self._migrate(name)
                return
            # Complete under its own name only: a load that broke off is never taken for a whole one.
            connection.execute(f"CREATE DATABASE {name}_loading TEMPLATE {BASE} OWNER crm_owner STRATEGY file_copy")
            with step(f"Loading {size:,} contacts"):
                data.load_contacts(self.admin_url(f"{name}_loading"), data.READ, size)
            connection.execute(f"ALTER DATABASE {name}_loading RENAME TO {name}")
        provision(self.admin_url("postgres"), name)  # a copy has the template's tables, not its privileges

    def _serve(self, name: str, rows: int, application: str, environment: dict[str, str]) -> None:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = probe.getsockname()[1]
        command = [
            *(sys.executable, "-m", "crm.server", "--host", HOST, "--port", str(port), "--application", application)
        ]
        log = self.place / "logs" / f"{name}-{rows}.log"
        process = Process(f"{name} ({rows:,})", command, log, cwd=PROJECT, env=environment)
        server = Server(name, rows, port, process)
        self.servers.append(server)
        self._undo.callback(server.stop)
        process.start()


def cpu(process: Process) -> dict[int, int]:
    """Return the processor ticks used so far by a process and everything below it."""
    found = {}
    pid = process.pid
    for each in (pid, *descendants(pid)) if pid else ():
        with contextlib.suppress(OSError, IndexError):
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            found[each] = int(fields[11]) + int(fields[12])
    return found


def spent(before: dict[int, int], after: dict[int, int]) -> float:
    """Return the milliseconds of processor time between two readings."""
    return sum(ticks - before.get(pid, 0) for pid, ticks in after.items()) * TICK_MS


def _wait_until_open(server: Server) -> None:
    deadline = time.monotonic() + READY_TIMEOUT
    while True:
        if not server.process.running() or time.monotonic() > deadline:
            raise EmbeddedError(f"{server.process.name} does not start:\n{server.process.last_lines(30)}")
        connection = http.client.HTTPConnection(HOST, server.port, timeout=5)
        try:
            connection.request("GET", "/health", headers={"Authorization": "Bearer none"})
            connection.getresponse()
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
        else:
            return
        finally:
            connection.close()
