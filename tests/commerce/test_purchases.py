"""What customers have bought: the figures beside them, and whose orders they are after two contacts became one."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.services import shoppers
from commerce.models import Order, PromotionUse
from contacts.models import Contact
from tests.commerce.shop import order, put, sell, set_columns


@pytest.fixture
def pen(acme):
    return sell(acme, "PEN", 1050, units=1000)


def buy(client, customer_id, product, quantity=1, **more):
    body = {"customer_id": customer_id, "items": [{"product_id": str(product.pk), "quantity": quantity}], **more}
    response = client.post("orders", body)
    assert response.status_code == 201, response.content
    return response.json()["id"]


def figures(client, customer_id):
    shown = client.get(f"customers/{customer_id}").json()
    (listed,) = [row for row in client.get("customers", limit=100).json()["items"] if row["id"] == customer_id]
    assert (shown["total_orders"], shown["total_value"]) == (listed["total_orders"], listed["total_value"])
    return shown["total_orders"], shown["total_value"]


def test_every_order_counts_but_the_cancelled_and_refunded(seller, pen):
    customer, nobody = (seller.post("customers", {"name": name}).json()["id"] for name in ("Ada", "Bea"))
    kept, cancelled, refunded = (buy(seller, customer, pen, quantity) for quantity in (1, 2, 4))
    assert figures(seller, customer) == (3, 73.5)

    for pk, *steps in [(kept, "delivered"), (cancelled, "cancelled"), (refunded, "shipped", "refunded")]:
        for status in steps:
            assert seller.put(f"orders/{pk}/status", {"status": status}).status_code == 200

    assert figures(seller, customer) == (1, 10.5)
    assert figures(seller, nobody) == (0, 0)


def test_orders_in_a_former_currency_are_counted_but_not_added(acme, seller, pen):
    customer = seller.post("customers", {"name": "Ada"}).json()["id"]
    euro = sell(acme, "EURO", 200, currency="EUR")
    buy(seller, customer, pen)
    set_columns(acme, acme.organization, currency="EUR")
    buy(seller, customer, euro)

    assert figures(seller, customer) == (2, 2)


def test_figures_cost_no_statement_per_customer(acme, seller, pen):
    def statements():
        with CaptureQueriesContext(connection) as queries:
            assert seller.get("customers", limit=25).status_code == 200
        return len(queries)

    buy(seller, seller.post("customers", {"name": "Ada"}).json()["id"], pen)
    statements()
    one = statements()
    for number in range(20):
        customer = seller.post("customers", {"name": f"Customer {number}"}).json()["id"]
        for _ in range(2):
            buy(seller, customer, pen)

    assert statements() == one


def test_orders_and_uses_follow_the_contact_that_stays(acme, client_for, seller, shopper, pen):
    seller.post("promotions", {"code": "ONCE", "type": "fixed", "value": 1, "max_uses_per_user": 1})
    earlier = seller.post("customers", {"name": "Ada", "email": acme.customer.email}).json()["id"]
    with acme.inside():
        Contact.objects.of(acme.id).filter(pk=earlier).update(created_at="2020-01-01T00:00:00Z")
    entered = buy(seller, earlier, pen)
    put(shopper, pen)
    bought = order(shopper, promotion_codes=["ONCE"]).json()["data"]["id"]
    assert [row["id"] for row in shopper.get("orders").json()["data"]] == [bought]

    with acme.inside():
        acme.customer.email_verified_at = None
        shoppers.mark_verified(acme.customer)

    assert [row["id"] for row in shopper.get("orders").json()["data"]] == [bought, entered]
    assert figures(seller, earlier) == (2, 20)
    with acme.inside():
        assert {str(row.customer_id) for row in Order.objects.of(acme.id)} == {earlier}
        assert str(PromotionUse.objects.of(acme.id).get().customer_id) == earlier
    put(shopper, pen)
    assert order(shopper, promotion_codes=["ONCE"]).status_code == 400
    titles = [
        entry["title"]
        for entry in client_for(acme.owner).get(f"contacts/{earlier}/timeline").json()["data"]["timeline"]
        if entry["type"] == "order"
    ]
    assert len(titles) == 2
