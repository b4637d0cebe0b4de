"""Shipping methods: how they are set up, and how a checkout finds one."""

import pytest

from commerce.services import order_terms
from commerce.services.pricing import Shipping
from crm.core.errors import Invalid
from crm.core.models import Event
from tests.support.clients import codes, fields

EXPRESS = {"code": "Express", "name": "Express", "price": 12.5, "free_from": 200, "active": True}


@pytest.fixture
def manager(acme, client_for):
    return client_for(acme.manager, "platform")


def chosen(tenant, asked):
    with tenant.inside():
        return order_terms.shipping_for(tenant.actor("owner"), asked)


def test_an_organization_starts_with_standard_shipping_at_no_charge(acme, manager):
    (method,) = manager.get("shipping-methods").json()["items"]

    told = ("code", "name", "price", "free_from", "active")
    assert [method[key] for key in told] == ["ship_standard", "Standard shipping", 0, None, True]
    assert chosen(acme, "ship_standard") == Shipping("ship_standard", 0, None, "Standard shipping")


def test_a_method_is_made_found_changed_and_deleted(acme, manager):
    created = manager.post("shipping-methods", EXPRESS)
    assert created.status_code == 201
    made = created.json()
    assert {key: made[key] for key in EXPRESS} == EXPRESS
    assert set(made) == {*EXPRESS, "id", "currency", "created_at", "updated_at"}
    for asked in (made["id"], made["id"].upper(), "Express", "EXPRESS", " express "):
        assert chosen(acme, asked) == Shipping("Express", 1250, 20000, "Express")

    path = f"shipping-methods/{made['id']}"
    assert manager.patch(path, {"free_from": None, "price": 9}).json()["price"] == 9
    assert chosen(acme, "express") == Shipping("Express", 900, None, "Express")
    manager.patch(path, {"active": False})
    with pytest.raises(Invalid):
        chosen(acme, "express")
    assert manager.delete(path).json() == {"message": "Shipping method deleted successfully"}
    assert manager.get(path).status_code == 404
    with acme.inside():
        events = Event.objects.of(acme.id).filter(subject_id=made["id"]).order_by("recorded_at")
        assert [event.name.partition(".")[2] for event in events] == ["created", "updated", "updated", "deleted"]


@pytest.mark.parametrize(
    "asked", ["nothing", "", "5d7a1c52-0d3e-4c56-9c3e-0d6a1f6d7f10", "ship_standard2", "\N{SNOWMAN}"]
)
def test_an_unknown_method_is_refused(acme, asked):
    with pytest.raises(Invalid) as refused:
        chosen(acme, asked)

    assert list(refused.value.details) == ["shipping_method_id"]


def test_another_organization_s_method_is_unknown(acme, other, manager):
    made = manager.post("shipping-methods", EXPRESS).json()

    for asked in ("express", made["id"]):
        with pytest.raises(Invalid):
            chosen(other, asked)


def test_a_code_stands_once(manager):
    assert codes(manager.post("shipping-methods", EXPRESS | {"code": "SHIP_standard"})) == (409, "CONFLICT")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"code": ""}, "code"),
        ({"code": "x" * 41}, "code"),
        ({"name": None}, "name"),
        ({"price": -1}, "price"),
        ({"price": 1.005}, "price"),
        ({"price": 10**14}, "price"),
        ({"price": None}, "price"),
        ({"free_from": -1}, "free_from"),
        ({"free_from": "much"}, "free_from"),
        ({"active": 3}, "active"),
    ],
)
def test_a_bad_method_is_refused_by_field(manager, body, field):
    made = manager.post("shipping-methods", EXPRESS).json()

    for response in (
        manager.post("shipping-methods", EXPRESS | {"code": "other"} | body),
        manager.patch(f"shipping-methods/{made['id']}", body),
    ):
        assert (codes(response), fields(response)) == ((422, "VALIDATION_ERROR"), {field})
    assert manager.get("shipping-methods").json()["total"] == 2


def test_amounts_have_the_currency_s_decimals(acme, client_for, manager):
    client_for(acme.owner, "platform").patch("shop", {"currency": "JPY"})

    assert fields(manager.post("shipping-methods", EXPRESS)) == {"price"}
    made = manager.post("shipping-methods", EXPRESS | {"price": 500}).json()
    assert (made["price"], made["free_from"]) == (500, 200)
    assert chosen(acme, "express") == Shipping("Express", 500, 200, "Express")


def test_finding_a_method_is_one_statement(acme, manager, django_assert_num_queries):
    pk, actor = manager.post("shipping-methods", EXPRESS).json()["id"], acme.actor("owner")

    for asked in (pk, "express"):
        with acme.inside(), django_assert_num_queries(1):
            order_terms.shipping_for(actor, asked)
