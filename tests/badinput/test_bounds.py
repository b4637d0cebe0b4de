"""Everything that is written has an end: free objects and texts, on every surface and in the back office."""

import json
from typing import Any

import pytest

from crm.api.fields import JSONObjectField
from crm.core.fields import FreeObjectField
from crm.core.free_objects import DEEPEST, LARGEST, LONGEST_KEY, MOST_KEYS
from tests.badinput.declared import declared, pages
from tests.badinput.operations import Attacker, Operation, operations
from tests.isolation.tenants import Tenant

OF_A_CART = 4096
SHORT = ("uuid", "date", "date-time")
PLACES = [
    (operation, place)
    for operation in operations()
    for place, schema in operation.fields()
    if schema.get("maxProperties")
]


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


def large(size: int) -> dict[str, Any]:
    return {"a": "x" * (size - len('{"a":""}'))}


def named(response: Any) -> set[str]:
    """The fields that an answer finds fault with."""
    return {detail["field"] for detail in response.json().get("error", {}).get("details", [])}


WITHIN = (
    large(OF_A_CART),
    {str(number): {} for number in range(MOST_KEYS)},
    deep(DEEPEST),
    {"k" * LONGEST_KEY: 1},
    {"a": [[[[[[{}]]]]]]},
)
BEYOND = (
    large(LARGEST + 1),
    {"a": "ä" * (LARGEST // 2)},
    {str(number): {} for number in range(MOST_KEYS + 1)},
    {"a": [{str(number): 1} for number in range(MOST_KEYS)]},
    deep(DEEPEST + 1),
    {"a": [[[[[[[{}]]]]]]]},
    {"k" * (LONGEST_KEY + 1): 1},
    {"a": [{"b": {"k" * (LONGEST_KEY + 1): 1}}]},
)


def test_the_walk_finds_every_free_object_that_is_taken():
    taken = {
        found.key for found in declared() if isinstance(found.field, JSONObjectField) and not found.field.read_only
    }

    assert {place[-1].replace("customFields", "custom_fields") for _, place in PLACES} == taken
    assert taken == {"attributes", "custom_fields", "preferences", "settings"}


@pytest.mark.parametrize(("operation", "place"), PLACES, ids=[f"{op} {'.'.join(place)}" for op, place in PLACES])
def test_a_free_object_has_bounds(operation: Operation, place: tuple[str, ...], tenant: Tenant):
    attacker = Attacker(operation, tenant)
    invalid = 422 if operation.surface == "platform" else 400
    beyond = (*BEYOND, large(OF_A_CART + 1)) if operation.path.endswith("/cart/items") else BEYOND

    for value in WITHIN:  # what else the body lacks is not asked here
        response = attacker.send(attacker.body_with(place, value))
        assert place[0] not in named(response), f"{str(value)[:60]}: {response.content!r}"
    for value in beyond:
        response = attacker.send(attacker.body_with(place, value))
        assert (response.status_code, named(response)) == (invalid, {place[0]}), (
            f"{str(value)[:60]}: {response.content!r}"
        )
    nul = attacker.body_with(place, {"a": {"?": 1}}).replace(b"?", b"\\u0000")
    assert attacker.send(nul).status_code == 400


def test_a_free_object_has_bounds_in_the_back_office(tenant: Tenant, operator_email: str):
    walked = set()
    for page in pages(tenant, operator_email):
        columns = {field.name for field in page.form._meta.model._meta.fields if isinstance(field, FreeObjectField)}
        for name in columns & page.form.base_fields.keys():
            walked.add(f"{page.name} {name}")
            assert page.refusals(name, json.dumps(large(LARGEST))) == []
            for value in BEYOND:
                assert page.refusals(name, json.dumps(value)), f"{page.name} {name}: {str(value)[:60]}"
            for text in ('{"a": 1, "a": 2}', '{"a": NaN}', '{"a\\u0000": 1}', "[]", "{"):
                assert page.refusals(name, text), f"{page.name} {name}: {text}"

    assert walked == {
        "accounts.Organization change settings",
        "commerce.Product new attributes",
        "commerce.Product change attributes",
        "commerce.Product commerce.Variant attributes",
    }


def test_every_text_that_is_written_has_an_end():
    endless = {
        f"{operation} {'.'.join(place)}"
        for operation in operations()
        for place, schema in operation.fields()
        for told in (schema, operation.resolve(schema.get("items", {})))
        if told.get("type") == "string"
        and not (told.keys() & {"maxLength", "enum"})
        and told.get("format") not in SHORT
    }

    assert not endless, f"Give these a max_length: {endless}"
