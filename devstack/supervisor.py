"""`make demo`: the whole product under one process, started in order, kept alive, stopped in order."""

import contextlib
import http.client
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from devstack import announcement
from devstack.errors import EmbeddedError
from devstack.process import Process, die_with_parent
from devstack.progress import say, step
from devstack.services import Services

PROJECT = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"
HEALTH_PATH = "/api/v1/health"
HEALTH_TIMEOUT = 120.0
RESTART_DELAYS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
# A child that lived this long died of something new; its delays start over.
SETTLED_AFTER = 60.0
# Only a start counts these: later on a child may have to wait for something to come back.
STARTS_WITHOUT_HEALTH = 3
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequestedError(BaseException):
    """Ctrl-C or SIGTERM; not an Exception, so that nothing on the way takes it for a failure."""


class Supervised:
    """A child that is started again when it ends, a little later each time."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.failures = 0
        self.started_at = 0.0
        self.due_at: float | None = None

    def start(self) -> None:
        """Start it, or start it again."""
        self.process.start()
        self.started_at = time.monotonic()
        self.due_at = None

    def watch(self) -> None:
        """Notice an end and plan the next start; carry a planned start out."""
        now = time.monotonic()
        if self.due_at is not None:
            if now >= self.due_at:
                try:
                    self.start()
                except EmbeddedError as error:
                    self._plan(now, str(error))
        elif not self.process.running():
            if now - self.started_at > SETTLED_AFTER:
                self.failures = 0
            status = self.process.child.returncode if self.process.child else None
            self.process.sweep()
            self._plan(now, f"ended (exit status {status})")

    def _plan(self, now: float, reason: str) -> None:
        delay = RESTART_DELAYS[min(self.failures, len(RESTART_DELAYS) - 1)]
        self.failures += 1
        self.due_at = now + delay
        say(f"{self.process.name}: {reason}; starting it again in {delay:.0f} s. Log: {self.process.log}")


class Supervisor:
    """Services, web server, Celery worker and beat over one data directory."""

    def __init__(self, data: Path, *, stop_with_parent: bool = False) -> None:
        self.data = data
        self.port = read_port(os.environ.get("PORT", "8000"))
        self.address = f"http://localhost:{self.port}"
        self.services = Services(
            data, postgres=not os.environ.get("DATABASE_URL"), redis=not os.environ.get("REDIS_URL")
        )
        self.stop_with_parent = stop_with_parent
        self.children: list[Supervised] = []
        self.environment: dict[str, str] = {}

    def run(self) -> int:
        """Start everything, say where it is, keep it alive until asked to stop."""
        began = time.monotonic()
        for number in STOP_SIGNALS:
            signal.signal(number, self._request_stop)
        if self.stop_with_parent and (arm := die_with_parent(signal.SIGTERM, os.getppid())):
            arm()
        try:
            self._start()
            announcement.announce(self.address, self.data, time.monotonic() - began)
            while True:
                time.sleep(0.5)
                for child in self.children:
                    child.watch()
        except StopRequestedError:
            return 0
        finally:
            for number in STOP_SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            self._stop()

    def _request_stop(self, number: int, _: FrameType | None) -> None:
        raise StopRequestedError(number)

    def _start(self) -> None:
        # `static` stays empty here; the static files' middleware warns of a directory that does not exist.
        (self.data / "static").mkdir(parents=True, exist_ok=True)
        # Before the port is tried: a second start should hear about the first one, not about its port.
        self.services.lock.acquire(address=self.address)
        check_port(self.port)
        with step("Starting PostgreSQL and Redis"):
            self.services.start(address=self.address)
        self.environment = self._environment()
        self._manage("Migrating the database", "migrate", "--verbosity", "0")
        self._seed()
        logs = self.data / "logs"
        web, worker, beat = (
            Process(name, command, logs / f"{log}.log", cwd=PROJECT, env=self.environment, **signals)
            for name, log, command, signals in self._commands()
        )
        for log in (web.log, worker.log, beat.log):
            keep_one_older(log)
        servers = [server for server in (self.services.postgres, self.services.redis) if server]
        for server in servers:
            watched = Supervised(server)
            watched.started_at = time.monotonic()
            self.children.append(watched)
        for process in (web, worker, beat):
            child = Supervised(process)
            self.children.append(child)
            child.start()
        with step("Starting the web server, the Celery worker and beat"):
            self._wait_until_healthy(self.children[-3])

    def _stop(self) -> None:
        """Let go of the work first, then of what it stands on."""
        own = [child.process for child in self.children if child.process.child]
        mine = [process for process in own if process not in (self.services.postgres, self.services.redis)]
        if mine:
            say("Stopping.")
        for process in mine:
            process.signal_stop()
        for process in mine:
            process.stop(timeout=8)
        self.services.stop()

    def _environment(self) -> dict[str, str]:
        """The children's environment: what we were given, what the services add, and the demo's defaults."""
        environment = os.environ | self.services.environment()
        defaults = {
            "CRM_ENV": "demo",
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
            # Django wants the path after the scheme's two slashes to begin with two of its own.
            "EMAIL_URL": f"filemail:///{self.data / 'mail'}",
            "PORT": str(self.port),
            "PYTHONUNBUFFERED": "1",
            # Before the supervisor loses its patience.
            "WEB_STOP_SECONDS": "6",
        }
        for name, value in defaults.items():
            if not environment.get(name):
                environment[name] = value
        if not environment.get("SECRET_KEY"):
            environment["SECRET_KEY"] = kept_secret(self.data / "secret-key")
        return environment

    def _commands(self) -> list[tuple[str, str, list[str | Path], dict[str, signal.Signals]]]:
        """Name, log, command line and signals of each child."""
        python = sys.executable
        celery: list[str | Path] = [python, "-m", "celery", "-A", "crm"]
        web: list[str | Path] = [python, "-m", "crm.server", "--host", HOST, "--port", str(self.port)]
        worker = [*celery, "worker", "-c", "2", "--loglevel", "INFO", "--without-gossip", "--without-mingle"]
        # A signal that comes while a heartbeat is sent would deadlock the worker: its farewell takes the same lock.
        worker += ["--without-heartbeat", "--statedb", self.data / "celery-worker.state"]
        beat = [*celery, "beat", "-s", self.data / "celerybeat-schedule", "--pidfile=", "--loglevel", "INFO"]
        return [
            ("Web server", "web", web, {}),
            # Orphaned, a worker must not wait for a task whose database has gone: SIGQUIT ends it at once.
            ("Celery worker", "worker", worker, {"death_signal": signal.SIGQUIT}),
            ("Celery beat", "beat", beat, {}),
        ]

    def _manage(self, title: str, *arguments: str) -> None:
        """Run a management command to its end; its output is shown when it fails."""
        process = self._command("setup", *arguments)
        with step(title) as progress:
            status = finish(process, progress)
            if status:
                raise EmbeddedError(f"manage.py {arguments[0]} failed:\n{process.last_lines(20)}")

    def _seed(self) -> None:
        """Load the demo organization where there is none yet; a product without that command starts empty."""
        process = self._command("seed", "seed_demo", "--if-empty")
        with step("Loading the demo data") as progress:
            status = finish(process, progress)
            if status and "Unknown command" in process.last_lines(5):
                progress.note("there is no command seed_demo yet, starting without demo data")
            elif status:
                raise EmbeddedError(f"manage.py seed_demo failed:\n{process.last_lines(20)}")

    def _command(self, log: str, *arguments: str) -> Process:
        process = Process(
            f"manage.py {arguments[0]}",
            [sys.executable, str(PROJECT / "manage.py"), *arguments],
            self.data / "logs" / f"{log}.log",
            cwd=PROJECT,
            env=self.environment,
        )
        keep_one_older(process.log)
        return process

    def _wait_until_healthy(self, web: Supervised) -> None:
        deadline = time.monotonic() + HEALTH_TIMEOUT
        host = self.environment["ALLOWED_HOSTS"].split(",")[0].strip().lstrip(".").replace("*", "localhost")
        answer = "nothing"
        while (answer := ask(self.port, host)) != "200":
            if web.failures >= STARTS_WITHOUT_HEALTH or time.monotonic() > deadline:
                raise EmbeddedError(
                    f"The web server does not get healthy ({HEALTH_PATH} answers {answer}); "
                    f"the end of {web.process.log}:\n{web.process.last_lines()}"
                )
            time.sleep(0.1)
            for child in self.children:
                child.watch()


def finish(process: Process, tick: Callable[[], None]) -> int:
    """Run a process to its end and return its exit status; a stop on the way ends it."""
    process.start()
    try:
        while process.running():
            time.sleep(0.05)
            tick()
        return process.child.returncode if process.child else 1
    finally:
        process.stop()


def ask(port: int, host: str) -> str:
    """The status with which the health check answers, or why it does not."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", HEALTH_PATH, headers={"Host": host})
        return str(connection.getresponse().status)
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()


def read_port(text: str) -> int:
    """PORT as a number."""
    if not text.isdigit() or not 0 < int(text) < 1 << 16:
        raise EmbeddedError(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def check_port(port: int) -> None:
    """Refuse a port that somebody listens on, before anything slow begins."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise EmbeddedError(
                f"Port {port} cannot be used ({error.strerror}); choose another: PORT=8001 make demo"
            ) from None


def kept_secret(path: Path) -> str:
    """The secret in a file of ours, made on the first start so that sessions outlive a restart."""
    with contextlib.suppress(FileNotFoundError):
        if kept := path.read_text().strip():
            return kept
    secret = secrets.token_urlsafe(48)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{secret}\n")
    return secret


def keep_one_older(log: Path) -> None:
    """Begin a new log file at every start; the one before stays beside it."""
    with contextlib.suppress(FileNotFoundError):
        log.replace(log.with_suffix(".log.1"))
