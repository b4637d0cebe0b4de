"""Every field, query parameter, id and body of every operation against the values that broke servers before.

Whatever comes: no 5xx, one error shape a surface, JSON only, and a refusal stores nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from django.http import HttpResponse

from crm.api.viewsets import ApiViewSet
from crm.core import rate_limits
from crm.core.errors import Invalid
from tests.badinput import naughty_strings, stored
from tests.badinput.operations import Attacker, Operation, operations, query_of
from tests.isolation.tenants import Tenant

Shot = Callable[[], HttpResponse]

OPERATIONS = operations()
SHOWN = 8


@dataclass
class Range:
    """Fires batches of requests and notes what should not have happened."""

    surface: str
    signed_in: bool
    problems: list[str] = field(default_factory=list)

    def fire(self, shots: Iterable[tuple[str, Shot]]) -> None:
        """Send them all; where some were taken, send the refused ones again, alone. Nothing of theirs may be stored."""
        shots = list(shots)
        before = stored.reading()
        refused = [(name, shot) for name, shot in shots if self._sent(name, shot)]
        all_refused = len(refused) == len(shots)
        if not all_refused:
            before = stored.reading()
            for _, shot in refused:
                shot()
        changed = stored.changed(before, stored.reading(), signed_in=self.signed_in)
        if changed and not self._narrowed(refused) and all_refused:
            self.problems.append(f"one of {[name for name, _ in refused]} stored something in {changed}, once")

    def _sent(self, name: str, shot: Shot) -> bool:
        """Send one, check its answer, and tell whether it was a refusal."""
        response = shot()
        fault = fault_in(self.surface, response)
        if fault:
            self.problems.append(f"{name}: {response.status_code} {fault}")
        return 400 <= response.status_code < 500

    def _narrowed(self, refused: list[tuple[str, Shot]]) -> bool:
        """Find the refusal that stores something each time."""
        for name, shot in refused:
            before = stored.reading()
            response = shot()
            written = stored.changed(before, stored.reading(), signed_in=self.signed_in)
            if written and 400 <= response.status_code < 500:
                self.problems.append(f"{name}: {response.status_code} stored something in {written}")
                return True
        return False

    def report(self) -> str:
        """The first problems, a line each."""
        more = len(self.problems) - SHOWN
        return "\n".join([*self.problems[:SHOWN], *([f"… and {more} more"] if more > 0 else [])])


def fault_in(surface: str, response: HttpResponse) -> str:
    """Tell what is wrong with an answer; nothing where it is as the surface answers."""
    status = response.status_code
    error = error_of(surface, response) if status >= 400 else {}
    if status >= 500 and not str(error.get("code")).upper().endswith("_NOT_CONFIGURED"):
        return f"a failure: {response.content[:300]!r}"
    if status not in {204, 302} and response.get("Content-Type") != "application/json":
        return f"Content-Type {response.get('Content-Type')}"
    if status >= 400 and not is_shaped(error):
        return f"not the error shape: {response.content[:300]!r}"
    return ""


def is_shaped(error: dict[str, Any]) -> bool:
    """Tell whether an error has a code, a message and details that name fields."""
    texts = isinstance(error.get("code"), str) and isinstance(error.get("message"), str)
    return texts and all(set(detail) == {"field", "message"} for detail in error.get("details", [{}]))


def error_of(surface: str, response: HttpResponse) -> dict[str, Any]:
    """The error of an answer; empty where it is not in the surface's shape."""
    try:
        body = response.json()
    except ValueError:
        return {}
    if surface == "team" and body.pop("success", None) is not False:
        return {}
    found = body.get("error") if set(body) == {"error"} else None
    return found if isinstance(found, dict) else {}


def shown(value: Any) -> str:
    return ascii(value)[:60]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_whatever_comes_is_answered_and_a_refusal_stores_nothing(operation: Operation, tenant: Tenant):
    attacker = Attacker(operation, tenant)
    target = Range(operation.surface, signed_in=not operation.route.is_public)

    for name in operation.identifiers:
        target.fire(
            (f"path {name}={value[:40]}", partial(attacker.send, url=attacker.url(**{name: value})))
            for value in naughty_strings.PATHS
        )
    for name, schema in operation.queries:
        target.fire(
            (f"query {name}={shown(value)}", partial(attacker.send, query=query_of(name, value)))
            for value in naughty_strings.for_query(schema)
        )
    target.fire((f"query {query[:40]}", partial(attacker.send, query=query)) for query in naughty_strings.STRAY_QUERIES)
    if operation.body is not None:
        target.fire(
            (f"body {kind} {shown(body)}", partial(attacker.send, body, kind=kind))
            for kind, body in naughty_strings.BODIES
        )
    for place, schema in operation.fields():
        target.fire(
            (f"field {'.'.join(place)}={shown(value)}", partial(attacker.send, attacker.body_with(place, value)))
            for value in naughty_strings.for_field(schema)
        )

    assert not target.problems, target.report()


@pytest.fixture
def creation() -> Operation:
    """An operation to try the trial itself on."""
    return next(operation for operation in OPERATIONS if str(operation) == "team POST /api/contacts")


def test_a_server_that_breaks_would_be_noticed(creation: Operation, tenant: Tenant, monkeypatch: pytest.MonkeyPatch):
    attacker, target = Attacker(creation, tenant), Range("team", signed_in=True)
    monkeypatch.setattr(ApiViewSet, "validate", lambda *_: 1 / 0)

    target.fire([("broken", partial(attacker.send, b"{}"))])

    assert target.report().startswith("broken: 500 a failure")


def test_a_refusal_that_stores_would_be_noticed(creation: Operation, tenant: Tenant, monkeypatch: pytest.MonkeyPatch):
    attacker, target = Attacker(creation, tenant), Range("team", signed_in=True)

    def counting(self: ApiViewSet, *_: Any) -> Any:
        rate_limits.hit_durable(f"control:{tenant.slug}", 1, 1)
        raise Invalid({"email": "No."})

    monkeypatch.setattr(ApiViewSet, "handle", counting)

    target.fire([("refused", partial(attacker.send, b"{}"))])

    assert target.problems == ["refused: 400 stored something in ['core_ratecounter']"]
