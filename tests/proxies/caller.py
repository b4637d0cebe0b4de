"""Requests from addresses of one's own choice, header by header."""

import json
import socket
import ssl
from collections.abc import Sequence
from http.client import HTTPConnection
from typing import Any, NamedTuple

from devstack.supervisor import HOST
from tests.proxies.nginx import NAME, Nginx

Headers = Sequence[tuple[str, str]]


class Answer(NamedTuple):
    """What came back; of headers that came several times, `headers` has all."""

    status: int
    headers: dict[str, list[str]]
    body: bytes

    def header(self, name: str) -> str:
        """The one value of a header, empty where there is none."""
        (value,) = self.headers.get(name.lower(), [""])
        return value

    def json(self) -> Any:
        """The body read."""
        return json.loads(self.body)


def call(
    port: int,
    method: str,
    path: str,
    body: Any = None,
    headers: Headers = (),
    address: str = HOST,
    context: ssl.SSLContext | None = None,
    host: str = NAME,
) -> Answer:
    """Send one request from a loopback address, with TLS where a context is given; a dict becomes JSON."""
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    connection = HTTPConnection(HOST, port, timeout=30)
    connection.sock = socket.create_connection((HOST, port), 30, source_address=(address, 0))
    if context:
        connection.sock = context.wrap_socket(connection.sock, server_hostname=NAME)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", host)
        if data is not None:
            if not any(name == "Content-Type" for name, _ in headers):
                connection.putheader("Content-Type", "application/json")
            connection.putheader("Content-Length", str(len(data)))
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders(data)
        answer = connection.getresponse()
        found: dict[str, list[str]] = {}
        for name, value in answer.getheaders():
            found.setdefault(name.lower(), []).append(value)
        return Answer(answer.status, found, answer.read())
    finally:
        connection.close()


def through(
    nginx: Nginx, method: str, path: str, body: Any = None, headers: Headers = (), address: str = HOST
) -> Answer:
    """Send a request through nginx, encrypted."""
    return call(nginx.encrypted, method, path, body, headers, address, nginx.context())
