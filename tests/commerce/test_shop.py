"""The shop's switch, name and currency."""

import pytest

from crm.core.models import Event
from tests.commerce.shop import order, put, sell, set_columns
from tests.support.clients import codes, fields


def test_a_new_shop_is_open_under_the_organization_s_name(acme, client_for):
    shop = client_for(acme.manager, "platform").get("shop")

    assert shop.status_code == 200
    assert shop.json() == {"enabled": True, "currency": "USD", "name": acme.organization.name}


def test_a_manager_changes_the_shop(acme, client_for):
    manager = client_for(acme.manager, "platform")

    response = manager.patch("shop", {"enabled": False, "currency": "eur", "name": "The Corner"})

    assert response.status_code == 200
    assert response.json() == manager.get("shop").json() == {"enabled": False, "currency": "EUR", "name": "The Corner"}
    assert manager.patch("shop", {"name": None}).json()["name"] == acme.organization.name
    assert manager.patch("shop", {"enabled": False}).status_code == 200  # nothing changed
    with acme.inside():
        events = Event.objects.of(acme.id).filter(name="organization.updated").order_by("recorded_at")
        changes = [event.changes for event in events]
    assert changes[0]["shop_enabled"] == {"from": True, "to": False}
    assert changes[1:] == [{"shop_name": {"from": "The Corner", "to": ""}}]


def test_a_shop_switched_off_is_not_found_from_the_next_request_on(acme, client_for):
    shopper, manager = client_for(acme.customer, "storefront"), client_for(acme.manager, "platform")
    assert shopper.get("auth/profile").status_code == 200

    manager.patch("shop", {"enabled": False})
    assert codes(shopper.get("auth/profile")) == (404, "store_not_found")

    manager.patch("shop", {"enabled": True})
    assert shopper.get("auth/profile").status_code == 200


@pytest.mark.parametrize("role", ["staff", "customer_experience", "viewer", "customer"])
def test_nobody_else_has_to_do_with_it(acme, client_for, role):
    client = client_for(acme.users[role], "platform")

    assert codes(client.get("shop")) == codes(client.patch("shop", {"enabled": False})) == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    "body",
    [{"enabled": "perhaps"}, {"enabled": None}, {"currency": "XXX"}, {"currency": None}, {"name": "x" * 201}, {"a": 1}],
)
def test_a_bad_change_is_refused_and_changes_nothing(acme, client_for, body):
    manager = client_for(acme.manager, "platform")
    before = manager.get("shop").json()

    response = manager.patch("shop", body)

    assert (codes(response), fields(response)) == ((422, "VALIDATION_ERROR"), set(body))
    assert manager.get("shop").json() == before


def test_a_new_currency_converts_no_amount(acme, client_for):
    manager = client_for(acme.manager, "platform")
    method = {"code": "post", "name": "Post", "price": 4.5}
    path = f"shipping-methods/{manager.post('shipping-methods', method).json()['id']}"

    manager.patch("shop", {"currency": "EUR"})

    assert manager.get(path).json()["price"] == 4.5


def test_terms_in_another_currency_are_refused_at_the_checkout(acme, client_for, seller, shopper):
    pen = sell(acme, "PEN", 10000)
    express = {"code": "express", "name": "Express", "price": 12.5}
    method = seller.post("shipping-methods", express).json()
    offers = {
        code: seller.post("promotions", {"code": code, "type": kind, "value": 10, "minimum_total": least}).json()
        for code, kind, least in (("FIX", "fixed", 0), ("LEAST", "percentage", 5), ("ANY", "percentage", 0))
    }
    assert {method["currency"], *(offer["currency"] for offer in offers.values())} == {"USD"}
    seller.patch("shop", {"currency": "JPY"})
    set_columns(acme, pen, currency="JPY")
    put(shopper, pen)

    def refused(**more):
        answer = order(shopper, **more)
        assert answer.status_code == 400, answer.content
        return {detail["field"]: detail["message"] for detail in answer.json()["error"]["details"]}

    assert refused(shipping_method_id="express") == {"shipping_method_id": "express is in USD."}
    for code in ("FIX", "LEAST"):
        assert refused(promotion_codes=[code]) == {"promotion_codes": f"{code} is in USD."}
    placed = order(shopper, promotion_codes=["ANY"], shipping_method_id="ship_standard").json()["data"]
    assert placed["total"] == {"amount": 9000, "currency": "JPY"}

    path, offer = f"shipping-methods/{method['id']}", f"promotions/{offers['FIX']['id']}"
    assert seller.patch(path, {"price": 9.75}).json()["price"] == 9.75
    assert fields(seller.patch(path, {"currency": "JPY"})) == {"price"}
    assert fields(seller.patch(path, {"currency": "JPY", "price": 9.75})) == {"price"}
    assert fields(seller.patch(offer, {"currency": "JPY"})) == {"value"}
    assert fields(seller.patch(path, {"currency": "XXX", "price": 1})) == {"currency"}
    changed = seller.patch(path, {"currency": "jpy", "price": 1500}).json()
    assert (changed["currency"], changed["price"]) == ("JPY", 1500)
    assert seller.patch(offer, {"currency": "JPY", "value": 1000}).json()["value"] == 1000
    put(shopper, pen)
    placed = order(shopper, promotion_codes=["FIX"], shipping_method_id="express").json()["data"]
    assert (placed["shipping_total"]["amount"], placed["total"]["amount"]) == (1500, 10500)


@pytest.mark.parametrize(
    ("path", "found", "text"),
    [
        ("promotions", {"code": "SPRING", "type": "percentage", "value": 5}, "prin"),
        ("shipping-methods", {"code": "dhl", "name": "Parcel", "price": 1}, "DH"),
        ("shipping-methods", {"code": "dhl", "name": "Parcel", "price": 1}, "parc"),
        ("tax-rates", {"name": "Sales", "country": "US", "state": "NY", "rate": 8}, "sale"),
        ("tax-rates", {"name": "Sales", "country": "US", "state": "NY", "rate": 8}, "ny"),
        ("categories", {"name": "Garden"}, "ARD"),
        ("brands", {"name": "Garden"}, "ARD"),
    ],
)
def test_small_lists_are_searched_by_what_a_text_is_part_of(seller, path, found, text):
    made = seller.post(path, found).json()["id"]
    others = {
        "promotions": {"code": "X", "type": "fixed", "value": 1},
        "tax-rates": {"name": "VAT", "country": "FR", "rate": 20},
    }
    if path != "shipping-methods":  # which has one already
        assert seller.post(path, others.get(path, {"name": "Kitchen"})).status_code == 201

    for key in ("q", "search"):
        answer = seller.get(path, **{key: text}).json()
        assert ([item["id"] for item in answer["items"]], answer["total"]) == ([made], 1)
        assert seller.get(path, **{key: "100%"}).json()["items"] == []
    assert seller.get(path, q=" ").json()["total"] == 2
