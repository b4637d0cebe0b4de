"""Web servers on the test run's own database, as each installation starts them, and clients that misbehave."""

import json
import os
import re
import socket
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Self

from devstack.process import Process, wait_until
from devstack.supervisor import HOST, PROJECT, Supervisor
from tests.faults.site import free_port

# For controls: WSGI reads bodies in the request's own thread. One process, so that chance decides nothing.
PLAIN_WSGI = [
    *(sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", "1", "--blocking-threads", "1"),
    "crm.wsgi:application",
]
READY_SECONDS = 60.0
SMALL_BUFFER = 4096


def command_of_demo() -> list[str]:
    """Return what `make demo` starts as its web server."""
    command = Supervisor(Path(tempfile.gettempdir()))._commands()[0][2]
    return [str(part) for part in command]


def command_of_image() -> list[str]:
    """Return what the image starts."""
    ((found,),) = [re.findall(r"^CMD (\[.*\])$", (PROJECT / "Dockerfile").read_text(), re.MULTILINE)]
    command: list[str] = json.loads(found)
    return [sys.executable if part == "python" else part for part in command]


class Web:
    """One web server, on a port of its own."""

    def __init__(self, command: list[str], log: Path, **variables: Any) -> None:
        self.port = free_port()
        environment = os.environ | {"RATE_LIMITS": "off"} | {name: str(value) for name, value in variables.items()}
        address = ["--host", HOST, "--port", str(self.port)]  # the last one given counts
        self.process = Process("web", [*command, *address], log, cwd=PROJECT, env=environment)

    def __enter__(self) -> Self:
        self.process.start()
        try:
            if not wait_until(self.answers, READY_SECONDS, 0.1):
                raise RuntimeError(f"The server does not start: {self.process.last_lines()}")
        except BaseException:
            self.process.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()

    def answers(self) -> bool:
        """Tell whether it answers a ping within a second."""
        with suppress(OSError, HTTPException):
            return self.timed("GET", "/api/v1/ping")[0] == 200
        return False

    def timed(
        self, method: str, path: str, body: Any = None, *, token: str = "", timeout: float = 1.0
    ) -> tuple[int, float]:
        """Send a request on a connection of its own; return the status and the seconds that it took."""
        connection = HTTPConnection(HOST, self.port, timeout=timeout)
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        began = time.monotonic()
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            answer.read()
        finally:
            connection.close()
        return answer.status, time.monotonic() - began

    def open(self, *, takes_little: bool = False) -> socket.socket:
        """Return a connection; one that takes little has the smallest buffer there is for answers."""
        made = socket.socket()
        made.settimeout(10)
        if takes_little:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        made.connect((HOST, self.port))
        return made

    def send(self, *parts: bytes, takes_little: bool = False) -> socket.socket:
        """Send bytes on a connection of its own and return it."""
        made = self.open(takes_little=takes_little)
        for part in parts:
            made.sendall(part)
        return made


def head(method: str, path: str, *lines: str) -> bytes:
    """Return the head of a request."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode("latin-1")


def received(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Read one answer: status, headers, body."""
    answer = Answer(connection)
    return answer.status, answer.headers, answer.body


class Answer:
    """One answer read from a socket, with nothing of what follows it."""

    def __init__(self, connection: socket.socket) -> None:
        file = connection.makefile("rb", buffering=0)
        self.line = _line(file)
        self.status = int(self.line.split()[1]) if self.line else 0
        self.headers: dict[str, str] = {}
        while line := _line(file):
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        self.body = b""
        while len(self.body) < int(self.headers.get("content-length", "0")):
            part = file.read(int(self.headers["content-length"]) - len(self.body))
            if not part:
                break
            self.body += part


def _line(file: Any) -> str:
    return bytes(file.readline()).decode("latin-1").strip()


def is_closed(connection: socket.socket) -> bool:
    """Tell whether the other side has closed the connection, after what is left to read."""
    try:
        while connection.recv(65536):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


@contextmanager
def many(connections: list[socket.socket]) -> Any:
    """Keep connections open for a block."""
    try:
        yield connections
    finally:
        for connection in connections:
            connection.close()
