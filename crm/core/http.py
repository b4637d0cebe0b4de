"""The one outbound HTTP client. Whatever address a customer gives us, a request reaches the public internet or nothing.

A host name is resolved once, every address it has is checked, and the connection goes to a checked address: a name
that answers differently a moment later changes nothing. One deadline covers name, connection, TLS and reply.
"""

import math
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import httpcore2
import httpx2
import orjson
from django.conf import settings

CONNECT_SECONDS = 2.0  # for each address that is tried
NAME_SECONDS = 5.0
TOTAL_SECONDS = 15.0
LARGEST_REPLY = 64 * 1024
LONGEST_URL = 2000
MOST_ADDRESSES = 3
WRITE_BYTES = 16 * 1024
PORTS = frozenset({443, 8443})
STANDARD_PORTS = {"https": 443, "http": 80}

# `ipaddress.is_global` calls NAT64, 6to4 and multicast global on some Pythons, so the ranges are named here.
NOT_PUBLIC = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # shared by carriers (CGNAT)
            "127.0.0.0/8",  # loopback
            "169.254.0.0/16",  # link-local, where clouds keep their metadata
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112
            "192.52.193.0/24",  # multicast tunnelling
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
            "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4: an IPv4 address inside
            "2620:4f:8000::/48",  # AS112
            "3fff::/20",  # documentation
        ),
    )
)
# All that is given out of IPv6. Outside: loopback, mapped and compatible IPv4, NAT64 (64:ff9b::/96 and
# 64:ff9b:1::/48), discard, segment routing, unique local, link- and site-local, multicast.
UNICAST = ip_network("2000::/3")
# What OUTBOUND_ALLOW_PRIVATE opens: this machine and its private networks, never link-local.
PRIVATE = tuple(
    map(ip_network, ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"))
)

Address = IPv4Address | IPv6Address
Resolver = Callable[[bytes, int], Sequence[str]]


class OutboundError(Exception):
    """A request that got no reply. The message may be shown to whoever gave the address."""


class Refused(OutboundError):
    """We do not send this: the address is not allowed, or the request is malformed. Trying again is no use."""


class Unreachable(OutboundError):
    """Nobody answered, or not in HTTP: name, connection, TLS or protocol failed."""


class TimedOut(Unreachable):
    """The time was up."""


class BadReply(OutboundError):
    """There is a reply, but not the JSON that was asked for."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, headers by lower-case name, and the body as sent: at most the client's limit, then `is_cut`."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_cut: bool = False

    @property
    def succeeded(self) -> bool:
        """Tell whether the status is a 2xx; a redirect is not followed and is no success."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """Return the body as JSON, or raise `BadReply`."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise BadReply("The reply is not JSON.") from error


class Deadline:
    """The moment by which all must be done."""

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds

    def left(self, most: float = math.inf) -> float:
        """Return the seconds left, `most` at most; raise `TimedOut` where there are none."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimedOut("The reply took too long.")
        return min(left, most)


def is_public(address: Address) -> bool:
    """Tell whether an address belongs to somebody on the public internet."""
    if any(address in network for network in NOT_PUBLIC):
        return False
    return address.version == 4 or address in UNICAST


def look_up(host: bytes, port: int) -> Sequence[str]:
    """Return the addresses that the system's resolver knows for a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Client:
    """Sends one request at a time and follows nothing. Make it by `guarded()` or `trusted()`."""

    def __init__(
        self,
        *,
        is_guarded: bool,
        seconds: float = TOTAL_SECONDS,
        largest_reply: int = LARGEST_REPLY,
        resolver: Resolver = look_up,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.is_guarded, self.seconds, self.largest_reply = is_guarded, seconds, largest_reply
        self.resolver, self.tls = resolver, tls

    @classmethod
    def guarded(cls, **options: Any) -> "Client":
        """Return the client for addresses that customers give: https on 443 or 8443, to public addresses."""
        return cls(is_guarded=True, **options)

    @classmethod
    def trusted(cls, **options: Any) -> "Client":
        """Return the client for endpoints that the operator configured: the same limits, any address."""
        return cls(is_guarded=False, **options)

    def check(self, url: str) -> None:
        """Raise `Refused` for a URL that could never be sent to, without asking for its name."""
        parsed = self._parsed(url)
        literal = _literal(parsed.raw_host)
        if literal is not None:
            self._require_allowed([literal])

    def send(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Reply:
        """Send a request and return the reply, whatever its status; raise an `OutboundError` where there is none.

        Nothing of ours goes along: no cookies, no proxies or credentials of the environment, only `headers`.
        """
        deadline = Deadline(self.seconds)
        parsed = self._parsed(url)
        target = httpcore2.URL(
            scheme=parsed.raw_scheme, host=parsed.raw_host, port=parsed.port, target=parsed.raw_path or b"/"
        )
        try:
            with (
                httpcore2.ConnectionPool(
                    ssl_context=self.tls or _tls(), network_backend=_Network(self, deadline), max_connections=1
                ) as pool,
                pool.stream(method, target, headers=_headers(parsed, headers or {}), content=body) as response,
            ):
                received, is_cut = self._received(response.iter_stream())
        except httpcore2.TimeoutException as error:
            raise TimedOut("The reply took too long.") from error
        except (httpcore2.UnsupportedProtocol, httpcore2.LocalProtocolError) as error:
            raise Refused("The request is malformed.") from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError, OSError) as error:
            raise Unreachable(f"{parsed.host} could not be reached.") from error
        names = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        return Reply(response.status, names, received, is_cut)

    def addresses(self, host: bytes, port: int, deadline: Deadline) -> list[Address]:
        """Return the addresses of a host, all of which are allowed, or raise an `OutboundError`."""
        literal = _literal(host)
        found = [literal] if literal is not None else self._resolved(host, port, deadline)
        self._require_allowed(found)
        return found

    def _parsed(self, url: str) -> httpx2.URL:
        if len(url) > LONGEST_URL:
            raise Refused(f"The URL is longer than {LONGEST_URL} characters.")
        try:
            parsed = httpx2.URL(url)
        except (httpx2.InvalidURL, UnicodeError, ValueError) as error:
            raise Refused("This is not a URL.") from error
        private = settings.OUTBOUND_ALLOW_PRIVATE or not self.is_guarded
        if parsed.scheme != "https" and not (private and parsed.scheme == "http"):
            raise Refused("The URL must begin with https://.")
        if not parsed.raw_host:
            raise Refused("The URL names no host.")
        if parsed.userinfo:
            raise Refused("The URL must not hold a user name or password.")
        if not private and (parsed.port or STANDARD_PORTS["https"]) not in PORTS:
            raise Refused("The port must be 443 or 8443.")
        return parsed

    def _require_allowed(self, addresses: Iterable[Address]) -> None:
        """Refuse a host as a whole when any address of it is out of bounds: nobody honest mixes them."""
        if not self.is_guarded:
            return
        for address in addresses:
            private = settings.OUTBOUND_ALLOW_PRIVATE and any(address in network for network in PRIVATE)
            if not (private or is_public(address)):
                raise Refused("The URL must lead to a public address.")

    def _resolved(self, host: bytes, port: int, deadline: Deadline) -> list[Address]:
        """Ask the resolver in a thread of its own: it knows no deadline."""
        answers: queue.SimpleQueue[Sequence[str] | Exception] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put(self.resolver(host, port))
            except Exception as error:  # noqa: BLE001 - handed to the thread that waits
                answers.put(error)

        threading.Thread(target=ask, name="look-up", daemon=True).start()
        try:
            answer = answers.get(timeout=deadline.left(NAME_SECONDS))
        except queue.Empty:
            raise TimedOut("The host name could not be resolved in time.") from None
        if isinstance(answer, Exception):
            raise Unreachable("The host name could not be resolved.") from answer
        found = [ip_address(text.partition("%")[0]) for text in answer]
        if not found:
            raise Unreachable("The host name has no address.")
        return found

    def _received(self, chunks: Iterable[bytes]) -> tuple[bytes, bool]:
        received = bytearray()
        for chunk in chunks:
            received += chunk
            if len(received) > self.largest_reply:
                return bytes(received[: self.largest_reply]), True
        return bytes(received), False


class _Network(httpcore2.NetworkBackend):
    """Connects to checked addresses alone; the name stays what TLS verifies and the Host header says."""

    def __init__(self, client: Client, deadline: Deadline) -> None:
        self._client, self._deadline = client, deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first address that takes the connection."""
        addresses = self._client.addresses(host.encode("ascii"), port, self._deadline)[:MOST_ADDRESSES]
        for number, address in enumerate(addresses, 1):
            try:
                stream = httpcore2.SyncBackend().connect_tcp(
                    str(address), port, self._deadline.left(CONNECT_SECONDS), None, socket_options or []
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if number == len(addresses):
                    raise
            else:
                return _Stream(stream, self._deadline)
        raise Unreachable("The host name has no address.")


class _Stream(httpcore2.NetworkStream):
    """A connection whose every step has what is left of one deadline, however small the steps are."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what has come."""
        return self._stream.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write in pieces, so that a slow reader meets the deadline too."""
        for start in range(0, len(buffer), WRITE_BYTES):
            self._stream.write(buffer[start : start + WRITE_BYTES], self._deadline.left())

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        """Go on encrypted."""
        stream = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left())
        return _Stream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks of a connection."""
        return self._stream.get_extra_info(info)


def _literal(host: bytes) -> Address | None:
    try:
        return ip_address(host.decode("ascii").partition("%")[0])
    except ValueError:
        return None


def _headers(url: httpx2.URL, given: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Return the request's headers; what frames the message is not the caller's to set. No compression: no bombs."""
    framing = {"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "upgrade", "te"}
    headers = {"user-agent": f"CRM/{settings.VERSION}", "accept": "*/*"}
    headers |= {name.lower(): value for name, value in given.items() if name.lower() not in framing}
    try:
        encoded = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
    except UnicodeEncodeError as error:
        raise Refused("A header holds characters that HTTP does not carry.") from error
    fixed = [(b"Host", url.netloc), (b"Accept-Encoding", b"identity"), (b"Connection", b"close")]
    return [*fixed, *encoded]


@cache
def _tls() -> ssl.SSLContext:
    return httpcore2.default_ssl_context()
