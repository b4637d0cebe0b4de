"""What is refused before a view sees it, on every surface: one JSON shape, the right status, never HTML."""

import json
from typing import Any

import pytest
from django.test import Client

from crm.settings import DATA_UPLOAD_MAX_MEMORY_SIZE
from tests.support.clients import fields

SURFACES = ("team", "platform", "storefront")
SIGN_IN = "auth/login"


def is_error_of(surface: str, response: Any, code: str | None = None) -> bool:
    """Tell whether the response is the surface's error shape, with this code."""
    assert response["Content-Type"] == "application/json", response.content
    body = response.json()
    if surface == "team":
        assert body.pop("success") is False
    assert list(body) == ["error"]
    error = body["error"]
    assert {"code", "message", "details"} <= set(error)
    assert all(set(detail) == {"field", "message"} for detail in error["details"])
    return code is None or error["code"] == (code.lower() if surface == "storefront" else code)


@pytest.fixture(params=SURFACES)
def anybody(request, client_for, acme):
    """A client of a surface, not signed in."""
    client = client_for(None, request.param, shop=acme.slug)
    client.surface = request.param
    return client


@pytest.mark.parametrize(
    "path", ["nothing-here", "", "contacts/", "contacts.json", "..", "%2e%2e", "a//b", "x%0d%0ay", "%ff%fe", "x%00y"]
)
def test_an_unknown_path_answers_404(anybody, path):
    response = anybody.request("GET", path)

    assert response.status_code == 404
    assert is_error_of(anybody.surface, response, "NOT_FOUND")


@pytest.mark.parametrize(
    ("path", "surface"),
    [
        ("/api", "team"),
        ("/api/", "team"),
        ("/api/v2/contacts", "team"),
        ("/api/v1x", "team"),
        ("//api/contacts", "team"),
        ("/api/v1", "platform"),
        ("/api/v1/", "platform"),
        ("/api/v1//contacts", "platform"),
        ("/shop", "storefront"),
        ("/shop/x", "storefront"),
        ("/shop/x/", "storefront"),
        ("/shop/x/api", "storefront"),
        ("/shop/x/api/v1", "storefront"),
        ("/shop/x/y/api/v1/health", "storefront"),
        ("/shop//api/v1/health", "storefront"),
    ],
)
def test_a_path_cut_short_answers_404_as_its_surface(path, surface):
    response = Client().get("/", PATH_INFO=path)

    assert response.status_code == 404
    assert is_error_of(surface, response, "NOT_FOUND")


def test_an_unknown_shop_answers_404():
    response = Client().get("/shop/no-such-shop/api/v1/health")

    assert response.status_code == 404
    assert is_error_of("storefront", response, "STORE_NOT_FOUND")


def test_an_unknown_path_outside_the_surfaces_is_json_where_json_was_asked_for():
    response = Client().get("/nothing-here", headers={"Accept": "application/json"})

    assert response.status_code == 404
    assert is_error_of("platform", response, "NOT_FOUND")


@pytest.mark.parametrize("host", ["evil.example", "localhost@evil.example", "local host", "[::1", "x" * 300])
def test_a_foreign_host_answers_400(anybody, host):
    response = anybody.request("GET", "health", headers={"Host": host})

    assert response.status_code == 400
    assert is_error_of(anybody.surface, response, "MALFORMED_REQUEST")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "TRACE", "READ", "ANSWER", "DISPATCH", "X" * 99])
def test_a_method_that_is_not_there_answers_405_and_says_which_are(anybody, method):
    response = anybody.request(method, SIGN_IN)

    assert response.status_code == 405
    assert is_error_of(anybody.surface, response, "METHOD_NOT_ALLOWED")
    assert response["Allow"] == "POST, OPTIONS"


def test_options_names_the_methods_and_needs_no_token(anybody):
    response = anybody.request("OPTIONS", SIGN_IN)

    assert response.status_code == 204
    assert response["Allow"] == "POST, OPTIONS"
    assert response.content == b""


def test_head_answers_like_get_without_a_body(anybody):
    if anybody.surface == "team":
        pytest.skip("the Team surface has no public GET")

    response = anybody.request("HEAD", "health")

    assert response.status_code == 200
    assert response.content == b""


@pytest.mark.parametrize("query", ["x=%00", "%00=1", "search=a%00b&page=1"])
def test_nul_in_a_query_is_refused_and_named(anybody, query):
    response = anybody.http.get(f"{anybody.base}/health?{query}")

    assert response.status_code == (422 if anybody.surface == "platform" else 400)
    assert is_error_of(anybody.surface, response, "VALIDATION_ERROR")
    assert len(response.json()["error"]["details"]) == 1


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "nonsense",
        "application/xml",
    ],
)
def test_a_body_of_another_type_answers_415(anybody, kind):
    response = anybody.http.generic("POST", f"{anybody.base}/{SIGN_IN}", b'{"email": "a@b.c"}', content_type=kind)

    assert response.status_code == 415
    assert is_error_of(anybody.surface, response, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-16", "application/json; charset=bogus"])
def test_a_body_in_another_charset_answers_415(anybody, kind):
    response = anybody.http.generic("POST", f"{anybody.base}/{SIGN_IN}", b"{}", content_type=kind)

    assert response.status_code == 415


def test_a_compressed_body_answers_415(anybody):
    response = anybody.request("POST", SIGN_IN, b"\x1f\x8b\x08", headers={"Content-Encoding": "gzip"})

    assert response.status_code == 415


def test_json_with_a_charset_of_utf_8_is_taken(anybody):
    path = f"{anybody.base}/{SIGN_IN}"

    response = anybody.http.generic("POST", path, b"[]", content_type="application/json; charset=UTF-8")

    assert is_error_of(anybody.surface, response, "MALFORMED_REQUEST")


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"{", b"\xff", b'{"a": 1, "a": 1}'])
def test_a_malformed_body_answers_400(anybody, body):
    response = anybody.request("POST", SIGN_IN, body)

    assert response.status_code == 400
    assert is_error_of(anybody.surface, response, "MALFORMED_REQUEST")


def test_text_with_a_nul_is_an_error_of_its_field(anybody):
    response = anybody.request("POST", SIGN_IN, b'{"email": "a\\u0000@example.com", "password": "x"}')

    assert response.status_code == (422 if anybody.surface == "platform" else 400)
    assert fields(response) == {"email"}


def test_a_body_over_the_limit_answers_413_and_closes_the_connection(anybody):
    body = json.dumps({"email": "x" * DATA_UPLOAD_MAX_MEMORY_SIZE}).encode()

    response = anybody.request("POST", SIGN_IN, body)

    assert response.status_code == 413
    assert is_error_of(anybody.surface, response, "PAYLOAD_TOO_LARGE")
    assert response["Connection"] == "close"


@pytest.mark.parametrize(
    "authorization", ["Bearer", "Bearer ", "Bearer x", "Bearer \x80\xff", "Basic eDp5", "bearer a.b.c", "x" * 9000]
)
def test_a_bad_access_token_answers_401(anybody, authorization):
    path = {"team": "auth/me", "platform": "me", "storefront": "auth/profile"}[anybody.surface]

    response = anybody.request("GET", path, headers={"Authorization": authorization})

    assert response.status_code == 401
    assert is_error_of(anybody.surface, response, "UNAUTHENTICATED")
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "a\x7fb"])
def test_a_bad_idempotency_key_answers_400(acme, client_for, key):
    client = client_for(acme.owner, "team")
    before = client.get("contacts").json()["data"]["meta"]["pagination"]["total"]

    response = client.post("contacts", {"firstName": "Ada"}, headers={"Idempotency-Key": key})

    assert response.status_code == 400
    assert is_error_of("team", response, "MALFORMED_REQUEST")
    assert client.get("contacts").json()["data"]["meta"]["pagination"]["total"] == before
