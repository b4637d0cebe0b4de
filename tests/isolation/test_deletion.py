"""What was deleted softly is gone from everywhere it could be met, until it is restored."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import models

from tests.isolation import factories, request_bodies
from tests.isolation.calls import Persona, ask, values_for
from tests.isolation.routes import Route, routes
from tests.isolation.tenants import Tenant


def _deletions() -> list[Route]:
    return [route for route in routes() if route.method == "DELETE" and _is_soft(_target(route))]


def _target(route: Route) -> type[models.Model] | None:
    names = [name for name in route.parameters if name not in factories.VALUES]
    return factories.model_of(route, names[-1]) if names else None


def _is_soft(model: type[models.Model] | None) -> bool:
    return bool(getattr(model, "is_soft_deleted", False))


def test_there_are_deletions_to_look_at() -> None:
    assert len(_deletions()) >= 2


@pytest.mark.parametrize("deletion", _deletions(), ids=str)
def test_a_deleted_thing_is_met_nowhere_and_restored_whole(deletion: Route, ours: Tenant, seen: None) -> None:
    model = _target(deletion)
    owner = Persona("owner", ours, ours.person("owner"))
    values = values_for(deletion, ours, owner.user, fresh=True)
    pk = str(values[deletion.parameters[-1]])
    lists = list(_lists(model, deletion))
    before = {str(route): _list(route, owner, model, values) for route in lists}
    assert any(pk in ids for ids, _ in before.values()), "It is in no list to begin with."

    answer = ask(deletion, owner, values)

    assert answer.status_code < 300, answer.content
    for route in lists:
        ids, total = _list(route, owner, model, values)
        was_in, total_before = before[str(route)]
        assert pk not in ids, f"{route} still lists it"
        if pk in was_in and total is not None:
            assert total == total_before - 1, f"{route} still counts it"
    for route in _naming(model):
        if route.action != "restore" and not route.address.endswith("restore"):
            again = ask(route, owner, values_for(route, ours, owner.user, fresh=True) | {route.parameters[0]: pk}, {})
            assert again.status_code == 404, f"{route}: {again.status_code} {again.content[:200]!r}"
    assert ask(deletion, owner, values).status_code == 404

    restore = next(
        (route for route in _naming(model) if route.action == "restore" and route.surface is deletion.surface), None
    )
    if restore is not None:
        assert ask(restore, owner, {restore.parameters[0]: pk}).status_code == 200
        for route in lists:
            ids, _ = _list(route, owner, model, values)
            assert ids & {pk, f"searched {pk}"} == before[str(route)][0] & {pk, f"searched {pk}"}, route


def _lists(model: type[models.Model], deletion: Route) -> Iterator[Route]:
    """The lists of the model itself, on every surface; also those below what stands before it in the address."""
    above = set(deletion.parameters[:-1])
    for route in routes():
        if (
            route.is_read
            and above.issuperset(route.parameters)
            and not route.is_public
            and getattr(route.view, "model", None) is model
        ):
            yield route


def _naming(model: type[models.Model]) -> Iterator[Route]:
    """Every route whose address begins with one of the model."""
    for route in routes():
        first = next(iter(route.parameters), None)
        if (
            first
            and first not in factories.VALUES
            and not route.is_public
            and factories.model_of(route, first) is model
        ):
            yield route


def _list(
    route: Route, persona: Persona, model: type[models.Model], values: dict[str, Any]
) -> tuple[set[str], int | None]:
    """The ids in a list plain and searched for the thing's own words, and the plain list's total."""
    *_, pk = values.values()
    plain = json.loads(ask(route, persona, values).content)
    found = set(_items(plain))
    if route.surface.search[0] in request_bodies.PARAMETERS_SEEN.get((route.view, route.action), set()):
        with persona.tenant.scope():
            row = model._base_manager.get(pk=pk)
        words = str(row).replace("@", " ")
        found |= {
            f"searched {name}"
            for name in _items(
                json.loads(ask(route, persona, values, query=f"{route.surface.search[0]}={words}").content)
            )
        }
    return found, next(_totals(plain), None)


def _items(body: Any) -> Iterator[str]:
    if isinstance(body, dict):
        for value in body.values():
            if isinstance(value, list):
                yield from (str(item["id"]) for item in value if isinstance(item, dict) and "id" in item)
            else:
                yield from _items(value)


def _totals(body: Any) -> Iterator[int]:
    if isinstance(body, dict):
        for key, value in body.items():
            if key in {"total", "total_items"} and isinstance(value, int):
                yield value
            else:
                yield from _totals(value)
