"""The shop's switch, name and currency."""

import pytest

from crm.core.models import Event
from tests.clients import codes, fields


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
