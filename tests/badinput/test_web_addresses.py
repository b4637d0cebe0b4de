"""Fields that hold web addresses hold nothing else, on every surface and in the back office."""

import re

import pytest

from crm.api.fields import OptionalURLField
from crm.core.fields import WebAddressField
from crm.core.web_addresses import web_address
from tests.badinput.declared import declared, pages
from tests.badinput.operations import Attacker, Operation, operations
from tests.isolation.tenants import Tenant

NAMED_SO = re.compile(r"(^|_)(url|website|web_?site|logo|avatar|images?|links?|picture|photo|homepage)(_|$)")
GOOD = (
    "https://example.com",
    "HTTP://Example.com:8080/a?b=c#d",
    "example.com/x",
    "example.com/x?next=https://a@b",
    "host:8000",
    "localhost:3000/x",
    "https://intranet/a.png",
    "https://bücher.example/ä",
    "http://[::1]:80/",
    "1.2.3.4",
)
BAD = (
    "javascript:1-alert(1)",
    "JavaScript:8000/alert(1)",
    "javascript://example.com/%0aalert(1)",
    "\x01javascript:alert(1)",
    "java\u200bscript:alert(1)",
    "java\tscript:alert(1)",
    "vbscript:1",
    "data:text/html,<script>alert(1)</script>",
    "data:80/html,x",
    "blob:https://example.com/1",
    "tel:911",
    "ftp://example.com/x",
    "//evil.example/x",
    "/x",
    "\\\\evil.example\\x",
    "http:\\\\evil.example",
    "http:evil.example",
    "http://",
    "https:///x",
    "http://a b",
    "http://user:password@example.com",
    "user@example.com",
    "http://example.com\nx",
    "http://example.com/\u202egpj",
    "http://exa\u00admple.com",
    "http://a..b",
    "http://-a.example",
    "http://999.1.1.1",
    "http://example.com:99999",
    "http://[::1",
    "acme",
    "3.5",
    "https://example.com/" + "x" * 3000,
)
PLACES = [
    (operation, place)
    for operation in operations()
    for place, _ in operation.fields()
    if NAMED_SO.search(re.sub(r"([A-Z])", r"_\1", place[-1]).lower())
]


@pytest.mark.parametrize("address", GOOD)
def test_a_web_address_is_taken(address: str):
    web_address(address)


def test_every_field_named_like_one_is_one():
    others = {
        str(found)
        for found in declared()
        if NAMED_SO.search(str(found.field.source or found.field.field_name or found.key).lower())
        and not isinstance(getattr(found.field, "child", None) or found.field, OptionalURLField)
    }

    assert not others, f"Declare these as WebAddress: {others}"


def test_the_walk_covers_what_is_known():
    told = {f"{operation} {'.'.join(place)}" for operation, place in PLACES}

    assert told >= {
        "team PATCH /api/settings/profile avatar",
        "team PATCH /api/settings/organization website",
        "team PATCH /api/settings/organization logo",
        "team POST /api/companies website",
        "platform POST /api/v1/accounts website",
        "platform PATCH /api/v1/users/{id} avatar",
        "platform POST /api/v1/products images",
        "platform POST /api/v1/categories image_url",
        "platform POST /api/v1/brands logo_url",
    }


@pytest.mark.parametrize(("operation", "place"), PLACES, ids=[f"{op} {'.'.join(place)}" for op, place in PLACES])
def test_nothing_else_is_taken(operation: Operation, place: tuple[str, ...], tenant: Tenant):
    attacker = Attacker(operation, tenant)
    is_list = dict(operation.fields())[place].get("type") == "array"
    invalid = 422 if operation.surface == "platform" else 400
    # The control: it is the address that is refused.
    taken = attacker.send(attacker.body_with(place, [GOOD[0]] if is_list else GOOD[0]))
    assert taken.status_code in {200, 201}, taken.content

    for address in BAD:
        response = attacker.send(attacker.body_with(place, [address] if is_list else address))
        found = {detail["field"].partition(".")[0] for detail in response.json()["error"]["details"]}
        assert (response.status_code, found) == (invalid, {place[0]}), f"{address!r}: {response.content!r}"


def test_the_back_office_takes_nothing_else(tenant: Tenant, operator_email: str):
    walked = set()
    for page in pages(tenant, operator_email):
        for name in page.form.base_fields:
            is_one = name in {field.name for field in page.form._meta.model._meta.fields if _holds_addresses(field)}
            assert is_one or not NAMED_SO.search(name), f"{page.name}: {name} holds no web addresses."
            if is_one:
                walked.add(f"{page.name} {name}")
                assert page.refusals(name, GOOD[0]) == []
                # A line break parts the addresses of a list, and the ends of text are trimmed.
                for address in (bad for bad in BAD if "\n" not in bad):
                    assert page.refusals(name, address), f"{page.name} {name}: {address!r}"

    assert walked == {
        "accounts.Organization change website",
        "accounts.Organization change logo",
        "contacts.Company new website",
        "contacts.Company change website",
        "commerce.Category new image_url",
        "commerce.Category change image_url",
        "commerce.Brand new logo_url",
        "commerce.Brand change logo_url",
        "commerce.Product new images",
        "commerce.Product change images",
    }


def _holds_addresses(field: object) -> bool:
    return isinstance(getattr(field, "base_field", field), WebAddressField)
