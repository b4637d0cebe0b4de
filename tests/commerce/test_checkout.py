"""From a cart to an order: what it costs, what it takes, and that it happens once."""

from collections import Counter
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commerce.models import Order, OrderItem
from commerce.services import orders, stock
from contacts.models import Contact
from crm.core import clock
from crm.core.models import Event
from tests.commerce.shop import NEW_YORK, in_stock, order, put, refusal, sell, set_columns, vary

USD = "USD"


def usd(amount):
    return {"amount": amount, "currency": USD}


def made(response):
    assert response.status_code == 201, response.content
    return response.json()["data"]


def items_in_cart(client):
    return client.get("cart").json()["data"]["items"]


def number_of_orders(tenant):
    with tenant.inside():
        return Order.objects.of(tenant.id).count()


@pytest.fixture
def tax(seller):
    body = {"name": "New York", "country": "USA", "state": "New York", "rate": 8.75, "starts_on": "2020-01-01"}
    assert seller.post("tax-rates", body).status_code == 201


def test_the_documents_order_comes_out_to_the_cent(acme, shopper, laptop, tax):
    put(shopper, laptop)
    body = {
        "payment_method_id": "pm_123",
        "promotion_codes": [],
        "shipping_method_id": "ship_standard",
        "notes": "Please deliver after 5 PM",
    }

    answer = made(order(shopper, **body))

    assert answer == {
        "id": answer["id"],
        "order_number": answer["order_number"],
        "user_id": str(acme.customer.pk),
        "status": "pending",
        "items": [
            {
                "id": answer["items"][0]["id"],
                "product_id": str(laptop.pk),
                "sku": "LAPTOP-001",
                "name": "Professional Laptop",
                "unit_price": usd(99999),
                "quantity": 1,
                "discount_amount": usd(0),
                "tax_amount": usd(8750),
                "total": usd(108749),
            }
        ],
        "shipping_address": NEW_YORK,
        "billing_address": NEW_YORK,
        "subtotal": usd(99999),
        "discount_total": usd(0),
        "tax_total": usd(8750),
        "shipping_total": usd(0),
        "total": usd(108749),
        "notes": "Please deliver after 5 PM",
        "created_at": answer["created_at"],
        "updated_at": answer["updated_at"],
    }
    prefix, _, digits = answer["order_number"].partition("-")
    assert (prefix, len(digits), digits.isdigit()) == ("ORD", 8, True)
    assert items_in_cart(shopper) == []
    assert in_stock(acme, laptop) == [4]
    assert shopper.get(f"orders/{answer['id']}").json()["data"] == answer


def test_what_the_shop_sells_is_one_thing_everywhere(acme, client_for, shopper, seller, laptop):
    put(shopper, laptop, 2)
    placed = made(order(shopper, payment_method_id="pm_1"))

    seen = seller.get(f"orders/{placed['id']}").json()
    timeline = client_for(acme.owner).get(f"contacts/{seen['customer_id']}/timeline").json()["data"]["timeline"]

    assert (seen["order_number"], seen["total"], seen["currency"]) == (placed["order_number"], 1999.98, USD)
    assert (seen["customer_name"], seen["shipping_address"]) == (acme.customer.full_name, NEW_YORK)
    assert (timeline[0]["type"], timeline[0]["title"]) == (
        "order",
        f"Order {placed['order_number']} over 1,999.98 USD",
    )
    with acme.inside():
        kept = Order.objects.of(acme.id).get(pk=placed["id"])
        (event,) = Event.objects.of(acme.id).filter(subject_id=kept.pk)
        customer = Contact.objects.of(acme.id).get(user=acme.customer)
    assert (kept.payment_method, kept.created_by_id, kept.customer_id) == ("pm_1", None, customer.pk)
    assert (event.name, event.actor_id, event.contact_id) == ("order.created", acme.customer.pk, customer.pk)


def test_lines_always_add_up_to_the_order(acme, shopper, seller, laptop, tax):
    promotion = {"code": "SAVE10", "type": "percentage", "value": 10}
    fixed = {"code": "FIVE", "type": "fixed", "value": 5}
    express = {"code": "express", "name": "Express", "price": 12.34}
    for path, body in (("promotions", promotion), ("promotions", fixed), ("shipping-methods", express)):
        assert seller.post(path, body).status_code == 201
    red, pen = vary(acme, laptop, "RED", price=33333), sell(acme, "PEN", 1, units=100)
    put(shopper, laptop)
    put(shopper, laptop, 2, variant_id=str(red.pk))
    put(shopper, pen, 7)

    placed = made(order(shopper, promotion_codes=["save10", "FIVE", "SAVE10"], shipping_method_id="EXPRESS"))

    def total(of, key):
        return sum(item[key]["amount"] for item in of["items"])

    subtotal = 99999 + 2 * 33333 + 7
    discount = round(subtotal / 10) + 500
    assert (placed["subtotal"], placed["discount_total"]) == (usd(subtotal), usd(discount))
    assert placed["shipping_total"] == usd(1234)
    assert total(placed, "discount_amount") == discount
    assert total(placed, "tax_amount") == placed["tax_total"]["amount"] > 0
    assert total(placed, "total") + 1234 == placed["total"]["amount"]
    seen = seller.get(f"orders/{placed['id']}").json()
    assert (seen["promotion_codes"], seen["shipping_method"]) == (["SAVE10", "FIVE"], "express")
    assert seller.get("promotions").json()["items"][0]["uses"] == 1


def without(*names):
    return {name: part for name, part in NEW_YORK.items() if name not in names}


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"shipping_address": None}, ["shipping_address"]),
        ({"shipping_address": "here"}, ["shipping_address"]),
        (
            {"shipping_address": {}},
            [f"shipping_address.{name}" for name in sorted(without("company", "address2", "state", "phone_number"))],
        ),
        ({"shipping_address": without("city")}, ["shipping_address.city"]),
        ({"shipping_address": NEW_YORK | {"address1": " "}}, ["shipping_address.address1"]),
        ({"shipping_address": NEW_YORK | {"country": "Narnia"}}, ["shipping_address.country"]),
        ({"shipping_address": NEW_YORK | {"planet": "Earth"}}, ["shipping_address.planet"]),
        ({"billing_address": without("postal_code")}, ["billing_address.postal_code"]),
        ({"billing_address": NEW_YORK | {"country": "Narnia"}}, ["billing_address.country"]),
        ({"promotion_codes": ["NONE"]}, ["promotion_codes"]),
        ({"promotion_codes": "SAVE10"}, ["promotion_codes"]),
        ({"shipping_method_id": "rocket"}, ["shipping_method_id"]),
        ({"shipping_method_id": str(uuid4())}, ["shipping_method_id"]),
        ({"payment_method_id": "x" * 201}, ["payment_method_id"]),
        ({"total": 1}, ["total"]),
        ({"items": []}, ["items"]),
    ],
)
def test_what_cannot_be_ordered_is_named_and_nothing_happens(acme, shopper, laptop, change, fields):
    put(shopper, laptop)
    before = items_in_cart(shopper)

    code, named = refusal(order(shopper, **change))

    assert (code, sorted(named)) == ("validation_error", fields)
    assert items_in_cart(shopper) == before
    assert (number_of_orders(acme), in_stock(acme, laptop)) == (0, [5])


def test_an_empty_cart_is_no_order(acme, shopper, laptop):
    assert refusal(order(shopper)) == ("cart_empty", [])
    put(shopper, laptop)
    made(order(shopper))

    assert refusal(order(shopper)) == ("cart_empty", [])
    assert number_of_orders(acme) == 1


def test_short_stock_is_named_item_by_item_and_counted_over_all_lines(acme, shopper, laptop):
    shared, pen = vary(acme, laptop, "SHARED"), sell(acme, "PEN")
    put(shopper, pen)
    put(shopper, laptop, 2)
    put(shopper, laptop, 3, variant_id=str(shared.pk))
    with acme.inside():
        stock.take_stock(acme.actor("owner"), {laptop.stock_id: 1}, type="sale", reference=None)

    assert refusal(order(shopper)) == ("out_of_stock", ["items.1.quantity", "items.2.quantity"])
    assert (number_of_orders(acme), in_stock(acme, laptop, pen), len(items_in_cart(shopper))) == (0, [4, 10], 3)


def test_what_is_no_longer_sold_is_named(acme, shopper, laptop):
    pen, ink, euro = sell(acme, "PEN"), sell(acme, "INK"), sell(acme, "EURO")
    for product in (laptop, pen, ink, euro):
        put(shopper, product)
    set_columns(acme, pen, status="inactive")
    set_columns(acme, ink, deleted_at=clock.now())
    set_columns(acme, euro, currency="EUR")

    assert refusal(order(shopper)) == ("validation_error", ["items.1", "items.2", "items.3"])
    for item in items_in_cart(shopper)[1:]:
        shopper.delete(f"cart/items/{item['id']}")
    made(order(shopper))


def test_prices_are_those_of_the_checkout(acme, shopper, laptop):
    put(shopper, laptop)
    set_columns(acme, laptop, sale_price=50000)

    assert made(order(shopper))["total"] == usd(50000)


def test_one_idempotency_key_is_one_order(acme, shopper, laptop):
    put(shopper, laptop)
    first = order(shopper)
    put(shopper, laptop)
    body, key = {"shipping_address": NEW_YORK}, {"Idempotency-Key": "once"}
    second, third = (shopper.post("orders", body, headers=key) for _ in range(2))

    assert made(first)["id"] != made(second)["id"]
    assert third.content == second.content
    assert (number_of_orders(acme), in_stock(acme, laptop)) == (2, [3])
    assert refusal(shopper.post("orders", body | {"notes": "x"}, headers=key), 422)[0] == "idempotency_key_reused"


@pytest.mark.parametrize("written", ["billing", "nulls"])
def test_addresses_come_back_as_they_were_written(shopper, laptop, written):
    put(shopper, laptop)
    shipping = without("company") | ({"company": None, "state": ""} if written == "nulls" else {})
    billing = without("phone_number") | {"first_name": "Jane"} if written == "billing" else None

    placed = made(order(shopper, shipping_address=shipping, billing_address=billing))

    assert placed["shipping_address"] == shipping
    assert placed["billing_address"] == (billing or shipping)


def test_an_order_is_a_snapshot(acme, shopper, seller, laptop, tax):
    red = vary(acme, laptop, "RED", price=5000)
    put(shopper, laptop, attributes={"engraving": "Ada"})
    put(shopper, laptop, variant_id=str(red.pk))
    placed = made(order(shopper))

    changed = {"name": "Old laptop", "sku": "OLD", "price": 1, "sale_price": 0.5}
    assert seller.put(f"products/{laptop.pk}", changed).status_code == 200
    assert seller.patch(f"products/{laptop.pk}/variants/{red.pk}", {"name": "Blue", "price": 2}).status_code == 200
    (rate,) = seller.get("tax-rates").json()["items"]
    assert seller.patch(f"tax-rates/{rate['id']}", {"rate": 20}).status_code == 200
    assert seller.delete(f"products/{laptop.pk}").status_code == 200

    assert shopper.get(f"orders/{placed['id']}").json()["data"] == placed
    with acme.inside():
        kept = OrderItem.objects.of(acme.id).get(order_id=placed["id"], position=1)
    assert (kept.name, kept.attributes) == ("Professional Laptop", {"engraving": "Ada"})


def test_the_number_of_statements_does_not_depend_on_the_number_of_lines(acme, shopper):
    products = [sell(acme, f"P{number}", units=100) for number in range(50)]

    def statements(count):
        for product in products[:count]:
            assert put(shopper, product).status_code == 200
        with CaptureQueriesContext(connection) as queries:
            assert len(made(order(shopper))["items"]) == count
        return len(queries)

    statements(1)  # what is compiled and looked up once

    assert {count: statements(count) for count in (1, 5, 50)} == dict.fromkeys((1, 5, 50), statements(2))
    assert statements(1) <= 14


def test_a_member_of_the_team_shops_as_a_contact_of_their_own(acme, client_for, laptop):
    client = client_for(acme.staff, "storefront")
    with acme.inside():
        earlier = Contact.objects.create(
            organization_id=acme.id, email=acme.staff.email, email_normalized=acme.staff.email.lower()
        )
    for _ in range(2):
        put(client, laptop)
        made(order(client))
    unproven = customers_of(acme)
    acme.staff.email_verified_at = clock.now()
    set_columns(acme, acme.staff, email_verified_at=clock.now())
    with acme.inside():
        Contact.objects.of(acme.id).filter(user=acme.staff).update(user=None)
    put(client, laptop)
    made(order(client))

    assert unproven == {acme.staff.email: 2}  # one of their own, for nobody proved the address
    with acme.inside():
        standing = Contact.objects.of(acme.id).alive().get(user=acme.staff)
        last = Order.objects.of(acme.id).latest("id")
    assert (standing.pk, last.customer_id) == (earlier.pk, earlier.pk)


def test_a_shopper_whose_contact_was_deleted_gets_it_back_with_the_next_order(acme, shopper, seller, laptop):
    put(shopper, laptop)
    first = made(order(shopper))
    pk = seller.get(f"orders/{first['id']}").json()["customer_id"]
    assert seller.delete(f"contacts/{pk}").status_code == 200

    put(shopper, laptop)
    second = made(order(shopper))

    assert seller.get(f"orders/{second['id']}").json()["customer_id"] == pk
    assert seller.get(f"contacts/{pk}").status_code == 200
    assert seller.post(f"contacts/{pk}/restore").status_code == 200
    for placed in (first, second):
        assert shopper.get(f"orders/{placed['id']}").status_code == 200
    with acme.inside():
        assert Contact.objects.of(acme.id).filter(user=acme.customer).count() == 1
        assert Event.objects.of(acme.id).filter(name="contact.restored", subject_id=pk).count() == 1


def customers_of(tenant):
    with tenant.inside():
        found = Order.objects.of(tenant.id).values_list("customer__email", "customer_id")
        per_customer = Counter(found)
    return {email: count for (email, _), count in per_customer.items()}


def test_a_number_that_is_taken_is_drawn_again(acme, shopper, laptop, monkeypatch):
    put(shopper, laptop)
    taken = made(order(shopper))["order_number"]
    drawn = iter([taken, taken, "ORD-00000007"])
    monkeypatch.setattr(orders, "new_number", lambda: next(drawn))
    put(shopper, laptop)

    assert made(order(shopper))["order_number"] == "ORD-00000007"
    assert number_of_orders(acme) == 2


def test_the_same_number_in_another_organization_is_free(acme, other, client_for, laptop, monkeypatch):
    monkeypatch.setattr(orders, "new_number", lambda: "ORD-00000001")
    theirs = sell(other, "THEIRS")
    for client, product in (
        (client_for(acme.customer, "storefront"), laptop),
        (client_for(other.customer, "storefront"), theirs),
    ):
        put(client, product)
        assert made(order(client))["order_number"] == "ORD-00000001"
