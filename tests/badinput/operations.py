"""What there is to attack: every operation of the three OpenAPI documents, with ids and bodies that reach its view."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

from django.http import HttpResponse
from django.test import Client

from crm.api.documents import SURFACES, document_of
from tests.badinput.naughty_strings import Raw, Repeat
from tests.isolation import calls
from tests.isolation.routes import PARAMETER, Route, routes
from tests.isolation.tenants import Tenant

Json = dict[str, Any]
Place = tuple[str, ...]

NAMED = re.compile(r"\{(\w+)\}")
SAMPLES: Json = {
    "password": "securePassword123",
    "new_password": "anotherPassword456",
    "newPassword": "anotherPassword456",
    "timezone": "Europe/Berlin",
    "currency": "EUR",
    "language": "en",
}
# By type and format.
PLAUSIBLE: dict[str, dict[str | None, Callable[[], Any]]] = {
    "string": {
        "email": lambda: f"{uuid4().hex}@example.com",
        "uuid": lambda: str(uuid4()),
        "date": lambda: "2030-01-01",
        "date-time": lambda: "2030-01-01T00:00:00Z",
        None: lambda: uuid4().hex,
    },
    "boolean": {None: lambda: True},
    "integer": {None: lambda: 1},
    "number": {None: lambda: 1},
}


@dataclass(frozen=True)
class Operation:
    """One method of one path in a document, and the route that serves it."""

    surface: str
    method: str
    path: str
    route: Route

    def __str__(self) -> str:
        return f"{self.surface} {self.method} {self.path}"

    @property
    def told(self) -> Json:
        """What the document says."""
        found: Json = document_of(self.surface)["paths"][self.path][self.method.lower()]
        return found

    @property
    def body(self) -> Json | None:
        """The schema of the JSON body, references resolved at the top."""
        content = self.told.get("requestBody", {}).get("content", {}).get("application/json")
        return self.resolve(content["schema"]) if content else None

    @property
    def queries(self) -> list[tuple[str, Json]]:
        """The query parameters with their schemas."""
        return [(part["name"], part["schema"]) for part in self.told.get("parameters", []) if part["in"] == "query"]

    @property
    def identifiers(self) -> list[str]:
        """The names in the path, but for the shop's."""
        return [name for name in NAMED.findall(self.path) if name != "shop"]

    def resolve(self, schema: Json) -> Json:
        """The schema itself where it is a reference, its parts in one where they are several."""
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return self.resolve(document_of(self.surface)["components"]["schemas"][name])
        if "allOf" in schema:
            merged: Json = {key: value for key, value in schema.items() if key != "allOf"}
            for part in schema["allOf"]:
                merged = {**self.resolve(part), **merged}
            return merged
        return schema

    def fields(self) -> list[tuple[Place, Json]]:
        """Every place in the body that takes a value, from the outside in; "0" is a list's first."""
        return list(self._fields(self.body, ())) if self.body else []

    def _fields(self, schema: Json, place: Place) -> Iterator[tuple[Place, Json]]:
        for key, declared in schema.get("properties", {}).items():
            inner, here = self.resolve(declared), (*place, key)
            yield here, inner
            yield from self._fields(inner, here)
            items = self.resolve(inner.get("items", {}))
            yield from self._fields(items, (*here, "0"))


@cache
def operations() -> tuple[Operation, ...]:
    """Every operation of the three documents."""
    served = {
        (route.surface.name, route.method, PARAMETER.sub("{}", f"/{route.surface.base}/{route.address}")): route
        for route in routes()
    }
    return tuple(
        Operation(name, method.upper(), path, served[name, method.upper(), NAMED.sub("{}", path)])
        for name in SURFACES
        for path, methods in document_of(name)["paths"].items()
        for method in methods
    )


@dataclass
class Attacker:
    """A member of an organization who sends an operation whatever they like."""

    operation: Operation
    tenant: Tenant
    person: str = "owner"
    http: Client = field(default_factory=lambda: Client(raise_request_exception=False))
    values: Json = field(default_factory=dict)
    token: str = ""

    def __post_init__(self) -> None:
        """Sign in, and make what the path names."""
        owner = self.tenant.person(self.person)
        found = calls.values_for(self.operation.route, self.tenant, owner, fresh=not self.operation.route.is_read)
        self.values = dict(zip(self.operation.identifiers, found.values(), strict=True))
        self.sign_in()

    def sign_in(self) -> None:
        """Open a session; an operation that ends it is no refusal of the next one."""
        self.token = self.tenant.token(self.tenant.person(self.person))

    def url(self, **instead: str) -> str:
        """The path with ids of the organization's own, or with other text (already quoted) in their place."""
        values = {name: str(value) for name, value in self.values.items()} | {"shop": self.tenant.slug} | instead
        return NAMED.sub(lambda found: values[found[1]], self.operation.path)

    def send(
        self, body: bytes = b"", *, query: str = "", kind: str = "application/json", url: str = ""
    ) -> HttpResponse:
        """Send one request; where the session is gone, once more in a new one."""
        for _ in range(2):
            headers = {"Authorization": f"Bearer {self.token}"}
            path = url or self.url()
            response = self.http.generic(
                self.operation.method, path, body, content_type=kind, headers=headers, QUERY_STRING=query
            )
            if response.status_code != 401 or self.operation.route.is_public:
                break
            self.sign_in()
        return response

    def good_body(self) -> Json:
        """A body that the operation may well accept."""
        made = calls.body_for(self.operation.route, self.tenant) or {}
        schema = self.operation.body or {}
        known = schema.get("properties", {})
        body = {key: value for key, value in made.items() if key in known}
        for key in schema.get("required", []):
            body.setdefault(key, self.sample(key, self.operation.resolve(known[key])))
        return body

    def body_with(self, place: Place, value: Any) -> bytes:
        """A good body with one value replaced, as JSON."""
        return text(placed(self.good_body(), place, value)).encode("utf-8", "surrogatepass")

    def sample(self, name: str, schema: Json) -> Any:
        """A plausible value of a field."""
        if name in SAMPLES:
            return SAMPLES[name]
        if schema.get("enum"):
            return schema["enum"][0]
        kind, form = schema.get("type"), schema.get("format")
        if kind == "array":
            return [self.sample(name, self.operation.resolve(schema.get("items", {})))]
        if kind in PLAUSIBLE:
            made = PLAUSIBLE[kind]
            return made.get(form, made[None])()
        needed = schema.get("required", [])
        return {key: self.sample(key, self.operation.resolve(schema["properties"][key])) for key in needed}


def placed(body: Any, place: Place, value: Any) -> Any:
    """The body with a value in a place."""
    key, *rest = place
    if key == "0":
        return [placed({}, tuple(rest), value) if rest else value]
    made = dict(body) if isinstance(body, dict) else {}
    made[key] = placed(made.get(key), tuple(rest), value) if rest else value
    return made


def text(value: Any) -> str:
    """The value as JSON text, raw parts as they stand."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{text(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(text, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def query_of(name: str, value: Any) -> str:
    """The query string that gives a parameter a value."""
    values = list(value) if isinstance(value, Repeat) else [value]
    return urlencode([(name, part) for part in values], quote_via=quote)
