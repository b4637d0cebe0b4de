"""The outbound client: where it never connects, and what a slow, large or lying server can cost."""

import os
import socket
import time
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Never

import pytest

from crm.core import http
from crm.core.http import BadReply, Client, OutboundError, Refused, TimedOut, Unreachable
from tests.core.pipeline import Listener, answer, certificate, listening

# `{port}` is the port a canary listens on, on every address of this machine, and one that the client may use.
FORBIDDEN = [
    # loopback, in every spelling a resolver understands
    "https://127.0.0.1:{port}/",
    "https://127.0.0.1:{port}",
    "https://127.1:{port}/",
    "https://127.0.1:{port}/",
    "https://127.0.0.2:{port}/",
    "https://127.255.255.254:{port}/",
    "https://2130706433:{port}/",
    "https://0x7f000001:{port}/",
    "https://0x7f.1:{port}/",
    "https://0x7F.0x0.0x0.0x1:{port}/",
    "https://0177.0.0.1:{port}/",
    "https://017700000001:{port}/",
    "https://localhost:{port}/",
    "https://LOCALHOST:{port}/",
    "https://[::1]:{port}/",
    "https://[0:0:0:0:0:0:0:1]:{port}/",
    "https://①②⑦.⓪.⓪.①:{port}/",
    "https://127。0。0。1:{port}/",
    "https://１２７.0.0.1:{port}/",
    "https://%31%32%37.0.0.1:{port}/",
    # this host, by no address
    "https://0.0.0.0:{port}/",
    "https://0:{port}/",
    "https://[::]:{port}/",
    # IPv4 inside IPv6
    "https://[::ffff:127.0.0.1]:{port}/",
    "https://[::ffff:7f00:1]:{port}/",
    "https://[::127.0.0.1]:{port}/",
    "https://[::ffff:0:127.0.0.1]:{port}/",
    "https://[64:ff9b::127.0.0.1]:{port}/",
    "https://[64:ff9b:1::7f00:1]:{port}/",
    "https://[2002:7f00:1::1]:{port}/",
    "https://[2001:0:7f00:1::1]:{port}/",
    # private, shared, link-local, reserved
    "https://10.0.0.1:{port}/",
    "https://172.16.0.1:{port}/",
    "https://172.31.255.255:{port}/",
    "https://192.168.1.1:{port}/",
    "https://100.64.0.1:{port}/",
    "https://169.254.169.254:{port}/latest/meta-data/",
    "https://192.0.2.1:{port}/",
    "https://198.18.0.1:{port}/",
    "https://198.51.100.1:{port}/",
    "https://203.0.113.1:{port}/",
    "https://224.0.0.1:{port}/",
    "https://240.0.0.1:{port}/",
    "https://255.255.255.255:{port}/",
    "https://[fe80::1]:{port}/",
    "https://[fe80::1%25lo]:{port}/",
    "https://[fc00::1]:{port}/",
    "https://[ff02::1]:{port}/",
    "https://[2001:db8::1]:{port}/",
    # who is the host here?
    "https://example.com@127.0.0.1:{port}/",
    "https://example.com:443@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}@example.com/",
    "https://example.com\\@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}#@example.com/",
    "https://127.0.0.1:{port}?@example.com/",
    # other schemes and ports
    "http://127.0.0.1:{port}/",
    "http://example.com/",
    "ftp://127.0.0.1:{port}/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_PING",
    "javascript:alert(1)",
    "//127.0.0.1:{port}/",
    "127.0.0.1:{port}",
    "https://example.com:5432/",
    "https://example.com:6379/",
    "https://example.com:80/",
    "https://example.com:0/",
    "https://example.com:65536/",
    # not URLs
    "",
    "https://",
    "https:///path",
    "https://127.0.0.1:{port}\t/",
    "https://127.0.0.1:{port}/\r\nX-Injected: yes",
    "https://[::1:{port}/",
    "https://" + "a" * 3000 + "/",
]


@pytest.fixture
def canary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    with listening(answer()) as listener:
        monkeypatch.setattr(http, "PORTS", http.PORTS | {listener.port})
        yield listener


@pytest.fixture
def private(settings: Any) -> None:
    settings.OUTBOUND_ALLOW_PRIVATE = True


def names(**table: list[str]) -> http.Resolver:
    return lambda host, _: table[host.decode().replace(".", "_")]


@pytest.mark.parametrize("form", FORBIDDEN)
def test_it_never_connects_to_what_is_not_public(form: str, canary: Listener) -> None:
    with pytest.raises(OutboundError):
        Client.guarded().send("POST", form.format(port=canary.port), body=b"{}")

    assert canary.connects == 0


def test_the_canary_sings_where_the_rule_is_off(canary: Listener, private: None) -> None:
    reply = Client.guarded().send("GET", f"http://127.1:{canary.port}/")

    assert reply.status == 200
    assert canary.connects == 1


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.1", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1"),
        *("169.254.0.1", "172.16.0.0", "172.31.255.255", "192.0.0.8", "192.0.2.255", "192.88.99.1", "192.168.0.0"),
        *("198.18.0.0", "198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.255"),
        *("240.0.0.0", "255.255.255.255", "::", "::1", "::ffff:8.8.8.8", "::8.8.8.8", "64:ff9b::808:808"),
        *("64:ff9b:1::1", "100::1", "2001::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1"),
        *("2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fdff::1", "fe80::1", "fec0::1", "ff0e::1"),
    ],
)
def test_it_calls_special_ranges_not_public(address: str) -> None:
    assert http.is_public(ip_address(address)) is False


@pytest.mark.parametrize(
    "address",
    [
        *("1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255"),
        *("128.0.0.0", "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0"),
        *("198.17.255.255", "198.20.0.0", "223.255.255.255", "2001:200::1", "2606:4700::1111", "2a00:1450::1"),
    ],
)
def test_it_calls_their_neighbours_public(address: str) -> None:
    assert http.is_public(ip_address(address)) is True


@pytest.mark.parametrize("url", ["https://10.0.0.1/", "http://example.com/", "https://u:p@example.com/", "nonsense"])
def test_checking_a_url_it_refuses_what_can_never_be_sent_to(url: str) -> None:
    with pytest.raises(Refused):
        Client.guarded().check(url)


def test_checking_a_url_it_asks_no_resolver() -> None:
    def resolver(host: bytes, port: int) -> Never:
        raise AssertionError("asked")

    Client.guarded(resolver=resolver).check("https://hooks.example.com:8443/in?x=1")


def test_a_name_that_turns_to_loopback_after_the_check_it_refuses(canary: Listener) -> None:
    client = Client.guarded(resolver=names(hooks_example_com=["127.0.0.1"]))
    url = f"https://hooks.example.com:{canary.port}/"

    client.check(url)
    with pytest.raises(Refused):
        client.send("POST", url)

    assert canary.connects == 0


def test_a_name_with_one_private_address_among_public_ones_it_refuses(canary: Listener) -> None:
    client = Client.guarded(resolver=names(hooks_example_com=["8.8.8.8", "127.0.0.1"]))

    with pytest.raises(Refused):
        client.send("POST", f"https://hooks.example.com:{canary.port}/")

    assert canary.connects == 0


def test_a_name_that_flips_between_look_ups_it_asks_once_and_keeps_to_the_answer(
    private: None, canary: Listener
) -> None:
    answers = [["127.0.0.2"], ["127.0.0.1"], ["127.0.0.1"]]
    asked = []

    def resolver(host: bytes, port: int) -> list[str]:
        asked.append(host)
        return answers[len(asked) - 1]

    with socket.create_server(("127.0.0.2", canary.port)) as other:
        other.settimeout(5)
        with pytest.raises(TimedOut):  # it accepts and never answers
            Client.guarded(resolver=resolver, seconds=0.5).send("GET", f"http://flip.example.com:{canary.port}/")
        connection, _ = other.accept()
        connection.close()

    assert asked == [b"flip.example.com"]
    assert canary.connects == 0


def test_it_verifies_the_certificate_of_the_name_and_sends_it_as_host(private: None, tmp_path: Path) -> None:
    server, client = certificate(tmp_path, "hooks.example.com")
    resolver = names(hooks_example_com=["127.0.0.1"], other_example_com=["127.0.0.1"])
    seen = []
    server.sni_callback = lambda _, name, __: seen.append(name)

    with listening(answer("201 Created", b'{"ok":true}', "X-Id: 7"), tls=server) as sink:
        reply = Client.guarded(resolver=resolver, tls=client).send(
            "POST",
            f"https://hooks.example.com:{sink.port}/in?x=1",
            headers={"X-Signature": "v1", "Content-Type": "application/json", "Host": "evil.example.com"},
            body=b'{"a":1}',
        )
        with pytest.raises(Unreachable):
            Client.guarded(resolver=resolver, tls=client).send("GET", f"https://other.example.com:{sink.port}/")

    assert (reply.status, reply.json(), reply.headers["x-id"], reply.succeeded) == (201, {"ok": True}, "7", True)
    assert seen == ["hooks.example.com", "other.example.com"]
    lines = sink.requests[0].decode().split("\r\n")
    assert lines[0] == "POST /in?x=1 HTTP/1.1"
    assert f"Host: hooks.example.com:{sink.port}" in lines
    assert not [line for line in lines if "evil" in line]


def test_a_certificate_nobody_signed_it_does_not_accept(private: None, tmp_path: Path) -> None:
    server, _ = certificate(tmp_path, "hooks.example.com")

    with listening(answer(), tls=server) as sink, pytest.raises(Unreachable):
        Client.guarded(resolver=names(hooks_example_com=["127.0.0.1"])).send(
            "GET", f"https://hooks.example.com:{sink.port}/"
        )

    assert sink.requests == []


def test_it_sends_nothing_of_ours(private: None, canary: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setitem(os.environ, name, "http://127.0.0.9:1")

    Client.guarded().send("GET", f"http://127.0.0.1:{canary.port}/hook")

    lines = canary.requests[0].decode().split("\r\n")
    assert sorted(line.partition(":")[0].lower() for line in lines[1:] if line) == [
        *("accept", "accept-encoding", "connection", "host", "user-agent")
    ]


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_it_reports_and_does_not_follow(status: str, private: None, canary: Listener) -> None:
    with listening(answer(status, b"", f"Location: http://127.0.0.1:{canary.port}/")) as sink:
        reply = Client.guarded().send("POST", f"http://127.0.0.1:{sink.port}/")

    assert (reply.status, reply.succeeded) == (int(status[:3]), False)
    assert canary.connects == 0


def test_a_reply_of_a_gigabyte_it_cuts_off(private: None) -> None:
    sent = 0

    def flood(connection: socket.socket, request: bytes) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        chunk = b"x" * 65536
        for _ in range(1 << 14):
            connection.sendall(chunk)
            sent += len(chunk)

    with listening(flood) as sink:
        began = time.monotonic()
        reply = Client.guarded().send("GET", f"http://127.0.0.1:{sink.port}/")
        took = time.monotonic() - began

    assert (reply.status, len(reply.body), reply.is_cut) == (200, 64 * 1024, True)
    assert took < 2
    assert sent < 32 * 1024 * 1024  # what the kernel's buffers hold


def test_a_compressed_bomb_it_does_not_unpack(private: None) -> None:
    with listening(answer("200 OK", b"\x1f\x8b" + b"\0" * 1000, "Content-Encoding: gzip")) as sink:
        reply = Client.guarded().send("GET", f"http://127.0.0.1:{sink.port}/")

    assert len(reply.body) == 1002
    with pytest.raises(BadReply):
        reply.json()


def dripping(connection: socket.socket, request: bytes, first: bytes) -> None:
    connection.sendall(first)
    for _ in range(200):
        time.sleep(0.05)
        connection.sendall(b"a")


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-Long: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
    ids=["status", "headers", "body", "chunk", "until-close"],
)
def test_a_server_that_drips_it_leaves_when_the_time_is_up(first: bytes, private: None) -> None:
    with listening(lambda connection, request: dripping(connection, request, first)) as sink:
        began = time.monotonic()
        with pytest.raises(TimedOut):
            Client.guarded(seconds=0.6).send("GET", f"http://127.0.0.1:{sink.port}/")

    assert 0.5 < time.monotonic() - began < 1.5


def test_endless_preliminary_answers_it_leaves_when_the_time_is_up(private: None) -> None:
    def chatter(connection: socket.socket, request: bytes) -> None:
        while True:
            connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\n")
            time.sleep(0.01)

    with listening(chatter) as sink, pytest.raises(TimedOut):
        Client.guarded(seconds=0.5).send("GET", f"http://127.0.0.1:{sink.port}/")


def test_a_server_that_reads_slowly_it_leaves_when_the_time_is_up(private: None) -> None:
    def sip(connection: socket.socket, request: bytes) -> None:
        while connection.recv(1024):
            time.sleep(0.02)

    with listening(sip) as sink:
        began = time.monotonic()
        with pytest.raises(TimedOut):
            Client.guarded(seconds=0.6).send("POST", f"http://127.0.0.1:{sink.port}/", body=b"x" * 30_000_000)

    assert time.monotonic() - began < 1.5


def test_a_handshake_that_never_ends_it_leaves_when_the_time_is_up(private: None) -> None:
    with listening(lambda *_: time.sleep(3)) as sink:
        began = time.monotonic()
        with pytest.raises(TimedOut):
            Client.guarded(seconds=0.5).send("GET", f"https://127.0.0.1:{sink.port}/")

    assert time.monotonic() - began < 1.5


def test_a_resolver_that_hangs_costs_no_more_than_the_deadline() -> None:
    def resolver(host: bytes, port: int) -> list[str]:
        time.sleep(3)
        return ["8.8.8.8"]

    began = time.monotonic()
    with pytest.raises(TimedOut):
        Client.guarded(resolver=resolver, seconds=0.4).send("GET", "https://hooks.example.com/")

    assert time.monotonic() - began < 1


def test_a_name_that_nobody_knows_is_unreachable() -> None:
    def resolver(host: bytes, port: int) -> Never:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    with pytest.raises(Unreachable):
        Client.guarded(resolver=resolver).send("GET", "https://hooks.example.com/")


def test_a_closed_port_is_unreachable(private: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    with pytest.raises(Unreachable):
        Client.guarded().send("GET", f"http://127.0.0.1:{port}/")


def test_the_second_address_of_a_name_it_tries_when_the_first_is_dead(private: None, canary: Listener) -> None:
    client = Client.guarded(resolver=names(two_example_com=["127.0.0.3", "127.0.0.1"]))

    assert client.send("GET", f"http://two.example.com:{canary.port}/").status == 200


@pytest.mark.parametrize("reply", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\0\1\2", b"HTTP/1.1 999999 no\r\n\r\n"])
def test_what_is_no_http_is_unreachable(reply: bytes, private: None) -> None:
    with listening(lambda connection, _: connection.sendall(reply)) as sink, pytest.raises(Unreachable):
        Client.guarded(seconds=2).send("GET", f"http://127.0.0.1:{sink.port}/")


def test_headers_without_end_are_unreachable(private: None) -> None:
    def flood(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000)

    with listening(flood) as sink, pytest.raises(Unreachable):
        Client.guarded(seconds=3).send("GET", f"http://127.0.0.1:{sink.port}/")


@pytest.mark.parametrize("headers", [{"X-A": "b\r\nX-C: d"}, {"X A": "b"}, {"X-A": "\0"}, {"Ä": "b"}, {"X": "☃"}])
def test_a_header_that_would_forge_another_it_refuses(headers: dict[str, str], private: None, canary: Listener) -> None:
    with pytest.raises(Refused):
        Client.guarded().send("GET", f"http://127.0.0.1:{canary.port}/", headers=headers)

    assert canary.requests in ([], [b""])


def test_where_private_is_allowed_the_cloud_metadata_still_is_not(private: None) -> None:
    with pytest.raises(Refused):
        Client.guarded().send("GET", "http://169.254.169.254/latest/meta-data/")


def test_a_trusted_endpoint_may_be_anywhere_under_the_same_limits(canary: Listener) -> None:
    assert Client.trusted().send("GET", f"http://127.0.0.1:{canary.port}/token").status == 200

    with listening(answer("200 OK", b"x" * 200)) as sink:
        reply = Client.trusted(largest_reply=100).send("GET", f"http://127.0.0.1:{sink.port}/")

    assert (len(reply.body), reply.is_cut) == (100, True)


def test_an_unknown_authority_stays_unknown_to_the_trusted_client_too(tmp_path: Path) -> None:
    server, _ = certificate(tmp_path, "127.0.0.1")

    with listening(answer(), tls=server) as sink, pytest.raises(Unreachable, match=r"127\.0\.0\.1"):
        Client.trusted().send("GET", f"https://127.0.0.1:{sink.port}/")
