"""A small HTTP client for tests: JSON out, JSON in, real URLs, one surface."""

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

BASES = {"team": "/api", "platform": "/api/v1"}


class ApiClient:
    """Speaks to one surface, signed in where it has a token; `address` is what the server takes for the client's."""

    def __init__(self, surface: str, *, shop: str = "", token: str = "", address: str = "127.0.0.1") -> None:
        self.base = BASES.get(surface) or f"/shop/{shop}/api/v1"
        self.token = token
        self.http = Client(raise_request_exception=False, REMOTE_ADDR=address)

    def request(self, method: str, path: str, body: Any = None, **options: Any) -> HttpResponse:
        """Send a request to a path under the base; a body becomes JSON, bytes go as they are."""
        headers = dict(options.pop("headers", None) or {})
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.generic(
            method, f"{self.base}/{path}", data, content_type="application/json", headers=headers, **options
        )

    def get(self, path: str, **query: Any) -> HttpResponse:
        """GET with a query."""
        return self.request("GET", path, query_params=query)

    def post(self, path: str, body: Any = None, **options: Any) -> HttpResponse:
        """POST a JSON body."""
        return self.request("POST", path, {} if body is None else body, **options)

    def patch(self, path: str, body: Any, **options: Any) -> HttpResponse:
        """PATCH with a JSON body."""
        return self.request("PATCH", path, body, **options)

    def put(self, path: str, body: Any, **options: Any) -> HttpResponse:
        """PUT a JSON body."""
        return self.request("PUT", path, body, **options)

    def delete(self, path: str, body: Any = None, **options: Any) -> HttpResponse:
        """DELETE."""
        return self.request("DELETE", path, body, **options)


def codes(response: Any) -> tuple[int, str]:
    """Status and code of an error."""
    return response.status_code, response.json()["error"]["code"]


def fields(response: Any) -> set[str]:
    """The fields that an error names."""
    return {detail["field"] for detail in response.json()["error"]["details"]}
