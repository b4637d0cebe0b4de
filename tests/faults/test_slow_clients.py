"""Clients that send or read slowly, or badly: nobody else notices. The control is the server of before, plain WSGI."""

import json
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Session
from contacts.models import Contact
from crm.settings import DATA_UPLOAD_MAX_MEMORY_SIZE
from devstack.process import wait_until
from tests.conftest import PASSWORD, Tenant, sign_in
from tests.faults.web import PLAIN_WSGI, Web, command_of_demo, command_of_image, head, is_closed, many, received

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(180)]

BODY_SECONDS = 1
READER_SECONDS = 1
STATIC = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"
JSON = "Content-Type: application/json"
PROXY = {"TRUSTED_PROXIES": 1}
LARGE = DATA_UPLOAD_MAX_MEMORY_SIZE * 3 // 2


@pytest.fixture(scope="module", params=[command_of_demo, command_of_image])
def web(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """The web server of `make demo` and that of the image, with the deadlines they have."""
    with Web(request.param(), tmp_path_factory.mktemp("web") / "log", **PROXY) as web:
        yield web


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """The same with short deadlines."""
    deadlines = {"WEB_BODY_SECONDS": BODY_SECONDS, "WEB_READER_SECONDS": READER_SECONDS}
    with Web(command_of_demo(), tmp_path_factory.mktemp("hasty") / "log", **deadlines) as web:
        yield web


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """Control: the same application on a WSGI server that reads bodies in the request's own thread."""
    with Web(PLAIN_WSGI, tmp_path_factory.mktemp("plain") / "log", **PROXY) as web:
        yield web


def half_sent(web: Web, path: str, *lines: str) -> socket.socket:
    return web.send(head("POST", path, JSON, "Content-Length: 1000", *lines), b"{")


def half_chunked(web: Web, path: str) -> socket.socket:
    return web.send(head("POST", path, JSON, "Transfer-Encoding: chunked"), b"5\r\n{")


def stalled_reader(web: Web) -> socket.socket:
    """Ask for more than any buffer holds, and read nothing."""
    return web.send(head("GET", STATIC) * 5, takes_little=True)


def quickest(web: Web, *request: Any, token: str = "") -> tuple[set[int], float]:
    """Send a request three times; return the statuses and the shortest time: the machine may be busy otherwise."""
    answers = [web.timed(*request, token=token, timeout=3) for _ in range(3)]
    return {status for status, _ in answers}, min(seconds for _, seconds in answers)


def test_slow_clients_hold_up_nobody(web: Web, acme: Tenant) -> None:
    token = sign_in(acme.owner, "team")
    slow = [
        half_sent(web, "/api/contacts"),
        half_sent(web, "/api/auth/login"),
        half_sent(web, "/api/v1/contacts", f"Authorization: Bearer {token}"),
        half_chunked(web, f"/shop/{acme.slug}/api/v1/auth/login"),
        *(stalled_reader(web) for _ in range(2)),
        *(half_sent(web, "/api/v1/auth/login") for _ in range(40)),
    ]
    with many(slow):
        ping = quickest(web, "GET", "/api/v1/ping")
        listed = quickest(web, "GET", "/api/contacts", token=token)
        signed_in = quickest(web, "POST", "/api/auth/login", {"email": acme.owner.email, "password": PASSWORD})

    assert [statuses for statuses, _ in (ping, listed, signed_in)] == [{200}] * 3
    assert max(seconds for _, seconds in (ping, listed, signed_in)) < 1


@pytest.mark.parametrize(
    "slow", [lambda web: half_sent(web, "/api/v1/auth/login"), stalled_reader], ids=["bodies", "readers"]
)
def test_control_two_slow_clients_stop_a_plain_wsgi_server(plain: Web, slow: Callable[[Web], socket.socket]) -> None:
    with many([slow(plain) for _ in range(2)]):
        time.sleep(0.3)
        answers = [plain.answers() for _ in range(2)]

    assert answers == [False, False]
    assert plain.answers()


def test_a_body_that_does_not_come_in_time_is_408_in_the_surfaces_shape(hasty: Web, acme: Tenant) -> None:
    shop = f"/shop/{acme.slug}/api/v1/auth/login"
    began = time.monotonic()
    connections = [half_sent(hasty, path) for path in ("/api/contacts", "/api/v1/auth/login", shop, "/admin/login/")]
    connections.append(half_chunked(hasty, "/api/v1/auth/login"))
    drips = half_sent(hasty, "/api/v1/auth/login", "Origin: http://localhost:3000")
    for _ in range(9):
        time.sleep(BODY_SECONDS / 10)
        drips.send(b" ")
    connections.append(drips)

    with many(connections):
        answers = [received(connection) for connection in connections]
        took = time.monotonic() - began
        closed = [is_closed(connection) for connection in connections]

    assert [status for status, _, _ in answers] == [408] * 6
    assert BODY_SECONDS <= took < BODY_SECONDS + 2
    assert all(closed)
    assert [set(json.loads(body)) for _, _, body in answers] == [{"success", "error"}] + [{"error"}] * 5
    codes = [json.loads(body)["error"]["code"] for _, _, body in answers]
    assert codes == ["REQUEST_TIMEOUT"] * 2 + ["request_timeout"] + ["REQUEST_TIMEOUT"] * 3
    assert answers[-1][1]["access-control-allow-origin"] == "http://localhost:3000"


def test_control_a_longer_deadline_waits(web: Web) -> None:
    connection = half_sent(web, "/api/v1/auth/login")
    connection.settimeout(BODY_SECONDS + 0.5)

    with many([connection]), pytest.raises(TimeoutError):
        connection.recv(1)


def is_dropped(connection: socket.socket, seconds: float) -> bool:
    """Tell whether the server gives the connection up: nothing says so but its answer to what is sent afterwards."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.2)
        try:
            connection.send(b"\r\n")
        except ConnectionError:
            return True
    return False


def test_a_reader_who_stops_is_dropped(hasty: Web) -> None:
    with many([stalled_reader(hasty)]) as (reader,):
        # The kernel looks when it probes the reader, at intervals that double.
        assert is_dropped(reader, READER_SECONDS * 4 + 2)


def test_control_without_that_deadline_it_is_kept(web: Web) -> None:
    with many([stalled_reader(web)]) as (reader,):
        assert not is_dropped(reader, READER_SECONDS + 0.5)


def test_a_body_too_large_is_413_without_being_read_to_the_end(hasty: Web) -> None:
    path, began = "/api/auth/login", time.monotonic()
    announced = hasty.send(head("POST", path, JSON, f"Content-Length: {10**9}"), b"{")
    asked_first = hasty.send(head("POST", path, JSON, f"Content-Length: {LARGE}", "Expect: 100-continue"))
    with many([announced, asked_first]):
        answers = [received(announced), received(asked_first)]
        took = time.monotonic() - began

    assert took < BODY_SECONDS
    # Who sends everything before looking for the answer finds it.
    sent = hasty.send(head("POST", path, JSON, f"Content-Length: {LARGE}"), b" " * LARGE)
    chunked = hasty.send(head("POST", path, JSON, "Transfer-Encoding: chunked"), b"%x\r\n" % LARGE, b" " * LARGE)
    chunked.sendall(b"\r\n0\r\n\r\n")
    with many([sent, chunked]):
        answers += [received(sent), received(chunked)]

    assert [status for status, _, _ in answers] == [413] * 4
    assert {json.loads(body)["error"]["code"] for _, _, body in answers} == {"PAYLOAD_TOO_LARGE"}


def test_one_connection_serves_one_request_after_the_other(web: Web, acme: Tenant) -> None:
    """Unread bodies, HEAD, chunks, 100-continue and pipelined requests leave it in order."""
    signed_in = f"Authorization: Bearer {sign_in(acme.owner, 'team')}"
    body = b'{"firstName": "Ada"}'
    sized = f"Content-Length: {len(body)}"
    with many([web.open()]) as (connection,):

        def answer_to(*parts: bytes) -> tuple[int, dict[str, str], bytes]:
            connection.sendall(b"".join(parts))
            return received(connection)

        assert answer_to(head("POST", "/api/contacts", JSON, sized), body)[0] == 401
        assert answer_to(head("POST", "/nothing", JSON, sized), body)[0] == 404
        connection.sendall(head("HEAD", "/api/v1/ping"))
        assert b"200 OK" in connection.recv(4096)
        chunks = b"8\r\n" + body[:8] + b"\r\n%x\r\n" % len(body[8:]) + body[8:] + b"\r\n0\r\n\r\n"
        status, _, made = answer_to(
            head("POST", "/api/contacts", JSON, signed_in, "Transfer-Encoding: chunked"), chunks
        )
        assert (status, json.loads(made)["data"]["firstName"]) == (201, "Ada")
        assert answer_to(head("POST", "/api/contacts", JSON, signed_in, sized, "Expect: 100-continue"))[0] == 100
        assert answer_to(body)[0] == 201
        post = head("POST", "/api/contacts", JSON, signed_in, sized) + body
        connection.sendall(post + head("GET", "/api/v1/ping") + post)
        assert [received(connection)[0] for _ in range(3)] == [201, 200, 201]
        # What comes of a file is what lies there, whole.
        status, headers, script = answer_to(head("GET", STATIC))
        assert (status, len(script)) == (200, int(headers["content-length"]))
        assert answer_to(head("GET", "/api/v1/ping"))[0] == 200


def test_a_client_that_goes_away_in_the_middle_of_a_body_changes_nothing(web: Web, acme: Tenant) -> None:
    signed_in = f"Authorization: Bearer {sign_in(acme.owner, 'team')}"
    whole = b'{"firstName": "Gone"}'
    for lines, part in (
        (["Transfer-Encoding: chunked"], b"%x\r\n%s\r\n" % (len(whole), whole)),
        ([f"Content-Length: {len(whole) + 1}"], whole),
    ):
        web.send(head("POST", "/api/contacts", JSON, signed_in, *lines), part).close()
    time.sleep(0.3)

    with acme.inside():
        assert not Contact.objects.of(acme.id).filter(first_name="Gone").exists()


PROXYS, CLIENTS = "X-Forwarded-For: 10.55.1.1", "X_Forwarded_For: 6.6.6.6"


def address_of_sign_in(web: Web, tenant: Tenant, *forwarded: str) -> str:
    """Sign in with these headers; return the address that the session keeps."""
    body = json.dumps({"email": tenant.owner.email, "password": PASSWORD}).encode()
    request = head("POST", "/api/auth/login", JSON, f"Content-Length: {len(body)}", *forwarded)
    with many([web.send(request, body)]) as (connection,):
        assert received(connection)[0] == 200
    with tenant.inside():
        return str(Session.objects.of(tenant.id).latest("created_at").address)


def test_a_header_with_an_underscore_never_replaces_the_proxys(web: Web, acme: Tenant) -> None:
    for forwarded in ([PROXYS, CLIENTS], [CLIENTS, PROXYS]):
        assert address_of_sign_in(web, acme, *forwarded) == "10.55.1.1"
    assert address_of_sign_in(web, acme, CLIENTS) == "127.0.0.1"


def test_control_on_a_plain_wsgi_server_it_does(plain: Web, acme: Tenant) -> None:
    addresses = {address_of_sign_in(plain, acme, *lines) for lines in ([PROXYS, CLIENTS], [CLIENTS, PROXYS], [CLIENTS])}

    assert "6.6.6.6" in addresses


def test_a_value_that_cannot_be_read_is_refused(web: Web) -> None:
    key = head("POST", "/api/v1/contacts", "Content-Length: 0", "Idempotency-Key: \xfc")
    name = head("GET", "/api/v1/ping", "User-Agent: \xfc")

    with many([web.send(key), web.send(name)]) as connections:
        assert [received(connection)[0] for connection in connections] == [400, 200]


def test_beyond_the_queue_it_is_503_and_a_stop_finishes_what_is_in_progress(tmp_path: Path) -> None:
    slow = {"email": "nobody@example.com"}  # answered after a time that tells nothing, whoever asks
    statuses: list[int] = []

    def ask() -> None:
        with suppress(OSError):  # came after the stop
            statuses.append(web.timed("POST", "/api/auth/forgot-password", slow, timeout=20)[0])

    with Web(command_of_demo(), tmp_path / "log", WEB_WORKERS=1, WEB_THREADS=3, WEB_QUEUE=2) as web:
        threads = [threading.Thread(target=ask) for _ in range(12)]
        for thread in threads:
            thread.start()
        assert wait_until(lambda: 503 in statuses, 20, 0.001)
        web.process.signal_stop()
        for thread in threads:
            thread.join()
        ended = web.process.child
        assert ended is not None
        assert ended.wait(10) in {0, -signal.SIGTERM}

    # Three at work and two that waited for them.
    assert set(statuses) == {200, 503}
    assert statuses.count(200) >= 5
