"""The load generator: one thread, a few keep-alive connections, requests made beforehand, as little work as possible.

It shares the processors with what it measures, so it parses nothing but the length of an answer.
"""

import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

HOST = "127.0.0.1"
CONNECTIONS = 8
ANSWER_TIMEOUT = 30.0


class WrongAnswerError(Exception):
    """A server answered something else than asked for, or nothing."""


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one slice of load."""

    requests: int
    seconds: float

    @property
    def milliseconds(self) -> float:
        """Return the wall time that each request cost, all connections together."""
        return self.seconds * 1000 / self.requests


def get(path: str, token: str = "") -> bytes:
    """Return the bytes of a GET; without a token it is anybody's."""
    shown = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n{shown}\r\n".encode()


def post(path: str, token: str, body: bytes) -> bytes:
    """Return the bytes of a POST."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    )
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Connection:
    """One keep-alive connection and the answer that is on its way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port), timeout=ANSWER_TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answer = b""
        self.length = 0

    def send(self, request: bytes) -> None:
        """Send a request; the answer to the one before must have come."""
        self.answer, self.length = b"", 0
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Take what has come; tell whether the answer is complete."""
        received = self.socket.recv(262_144)
        if not received:
            raise WrongAnswerError("The server closed the connection.")
        self.answer = self.answer + received if self.answer else received
        if not self.length:
            end = self.answer.find(b"\r\n\r\n")
            if end < 0:
                return False
            head = self.answer[:end].lower()
            at = head.find(b"\r\ncontent-length:")
            self.length = -1 if at < 0 else end + 4 + int(head[at + 17 :].split(b"\r\n", 1)[0])
        if self.length < 0:  # chunked
            return self.answer.endswith(b"\r\n0\r\n\r\n")
        return len(self.answer) >= self.length

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()


class Generator:
    """Keeps the same number of requests on the way to one server: as one is answered, the next is sent."""

    def __init__(self, port: int, connections: int = CONNECTIONS) -> None:
        self.selector = selectors.DefaultSelector()
        self.connections = [Connection(port) for _ in range(connections)]
        for connection in self.connections:
            self.selector.register(connection.socket, selectors.EVENT_READ, connection)

    def run(self, requests: Iterator[bytes], status: bytes, *, seconds: float, most: int) -> Run:
        """Send requests for so long, at most so many, and wait for the last answer; any other status is an error."""
        expected = b"HTTP/1.1 " + status
        width = len(expected)
        clock = time.perf_counter
        began = clock()
        until, hopeless = began + seconds, began + seconds + ANSWER_TIMEOUT
        sent = done = 0
        for connection in self.connections:
            connection.send(next(requests))
            sent += 1
        while done < sent:
            ready = self.selector.select(ANSWER_TIMEOUT)
            now = clock()
            if not ready or now > hopeless:
                raise WrongAnswerError("A request was not answered in time.")
            for key, _ in ready:
                connection = key.data
                if not connection.receive():
                    continue
                if connection.answer[:width] != expected:
                    raise WrongAnswerError(connection.answer[:600].decode(errors="replace"))
                done += 1
                if now < until and sent < most:
                    connection.send(next(requests))
                    sent += 1
        return Run(done, clock() - began)

    def close(self) -> None:
        """Close all connections."""
        self.selector.close()
        for connection in self.connections:
            connection.close()


def ask(port: int, request: bytes) -> tuple[int, bytes]:
    """Send one request on a connection of its own; return status and body."""
    connection = Connection(port)
    try:
        connection.send(request)
        while not connection.receive():
            pass
    finally:
        connection.close()
    head, _, body = connection.answer.partition(b"\r\n\r\n")
    if connection.length < 0:
        body = _joined(body)
    return int(head.split(b" ", 2)[1]), body


def _joined(chunked: bytes) -> bytes:
    body = b""
    while chunked:
        size, _, chunked = chunked.partition(b"\r\n")
        length = int(size, 16)
        body, chunked = body + chunked[:length], chunked[length + 2 :]
    return body
