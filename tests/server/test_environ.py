"""What of a request reaches the application."""

import contextvars
from types import SimpleNamespace
from typing import Any

import pytest

from crm.core.errors import Malformed
from crm.server.application import serving
from crm.server.environ import REFUSAL, environ_of


class Headers:
    """Headers as granian hands them on: names in lower case, values in ASCII or not at all."""

    def __init__(self, *pairs: tuple[str, str]) -> None:
        self.pairs = pairs

    def items(self) -> list[tuple[str, str]]:
        return [pair for pair in self.pairs if pair[1].isascii()]

    def keys(self) -> list[str]:
        return list(dict(self.pairs))

    def __len__(self) -> int:
        return len(self.keys())


def scope(*headers: tuple[str, str], **changes: Any) -> Any:
    given = {
        "http_version": "1.1",
        "server": "127.0.0.1:8000",
        "client": "192.0.2.7:50123",
        "scheme": "http",
        "method": "GET",
        "path": "/api",
        "query_string": "",
    }
    return SimpleNamespace(headers=Headers(*headers), **(given | changes))


def test_headers_become_variables_and_repeated_ones_are_joined():
    environ = environ_of(
        scope(("content-type", "application/json"), ("x-forwarded-for", "10.0.0.1"), ("x-forwarded-for", "10.0.0.2"))
    )

    assert environ["CONTENT_TYPE"] == "application/json"
    assert environ["HTTP_X_FORWARDED_FOR"] == "10.0.0.1,10.0.0.2"


@pytest.mark.parametrize("name", ["x_forwarded_for", "x-forwarded_for", "x_forwarded-for", "_", "content_length"])
def test_a_name_with_an_underscore_is_left_out(name):
    environ = environ_of(scope((name, "6.6.6.6"), ("x-forwarded-for", "10.0.0.1"), (name, "6.6.6.6")))

    assert "6.6.6.6" not in "".join(value for value in environ.values() if isinstance(value, str))
    assert environ["HTTP_X_FORWARDED_FOR"] == "10.0.0.1"


def test_a_chunked_body_gets_its_length():
    environ = environ_of(scope(("transfer-encoding", "chunked"), method="POST"), b"{}")

    assert environ["CONTENT_LENGTH"] == "2"
    assert "HTTP_TRANSFER_ENCODING" not in environ
    assert environ["wsgi.input"].read() == b"{}"


def test_addresses_of_both_kinds_lose_their_port():
    environ = environ_of(scope(client="[2001:db8::7]:50123", server="[::1]:8000"))

    assert (environ["REMOTE_ADDR"], environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("2001:db8::7", "::1", "8000")


def test_path_and_query_are_octets():
    environ = environ_of(scope(path="/é", query_string="q=ł"))

    assert environ["PATH_INFO"].encode("latin-1").decode() == "/é"
    assert environ["QUERY_STRING"].encode("latin-1").decode() == "q=ł"


def test_a_value_that_was_not_handed_on_refuses_the_request_unless_it_only_describes():
    assert isinstance(environ_of(scope(("idempotency-key", "ü")))[REFUSAL], Malformed)
    assert REFUSAL not in environ_of(scope(("user-agent", "ü")))


def test_no_request_finds_what_another_has_left_in_its_context():
    left = contextvars.ContextVar("left", default="nothing")
    found = []

    def leaves(_environ: Any, start_response: Any) -> list[bytes]:
        found.append(left.get())
        left.set("something")
        start_response("200 OK", [])
        return []

    proto = SimpleNamespace(response_bytes=lambda *_: None)
    for _ in range(2):
        serving(leaves)._respond(proto, {})  # type: ignore[arg-type] # stands in for granian's half of a request

    assert found == ["nothing", "nothing"]
