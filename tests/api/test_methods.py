"""Methods: at every address what is not there is 405 with `Allow`, and OPTIONS is 204, token or none."""

from collections import defaultdict

import pytest
from django.test import Client

from tests.isolation.routes import SURFACES, routes

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE")
ID = "01a22fb8-855c-7fda-9ab0-15f17e943d4b"


def offered() -> dict[str, set[str]]:
    """Every address, with a value in the place of each parameter, and the methods it has."""
    found: dict[str, set[str]] = defaultdict(set)
    for route in routes():
        values = dict.fromkeys(route.parameters, ID)
        found[route.path("no-such-shop", values)].add(route.method)
    return found


@pytest.mark.parametrize("surface", SURFACES)
def test_a_method_that_an_address_does_not_have_is_405(surface: str) -> None:
    wrong = []
    for url, methods in offered().items():
        if not url.startswith(f"/{SURFACES[surface].base.split('<')[0]}"):
            continue
        has = methods | ({"HEAD"} if "GET" in methods else set())
        for method in set(METHODS) - has:
            response = Client().generic(method, url)
            allowed = set(response.get("Allow", "").split(", "))
            if response.status_code != 405 or allowed != has | {"OPTIONS"}:
                wrong.append(f"{method} {url}: {response.status_code} {allowed}")

    assert not wrong


def test_options_is_204_everywhere() -> None:
    wrong = []
    for url, methods in offered().items():
        response = Client().options(url)
        allowed = set(response.get("Allow", "").split(", ")) - {"HEAD"}
        if response.status_code != 204 or response.content or allowed != methods | {"OPTIONS"}:
            wrong.append(f"{url}: {response.status_code} {allowed}")

    assert not wrong


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_the_health_of_the_process_is_json_in_every_method(method: str) -> None:
    response = Client(enforce_csrf_checks=True).generic(method, "/health")

    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert response.json()["error"]["code"] == "METHOD_NOT_ALLOWED"
    assert Client().get("/health").json() == {"status": "ok"}
    assert Client().options("/health").status_code == 204
