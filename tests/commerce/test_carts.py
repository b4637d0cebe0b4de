"""Carts: what goes in, what it costs today, and whose it is."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commerce.services import stock
from crm.core.models import Event
from tests.commerce.shop import put, refusal, sell, set_columns, vary


def cart(response, status=200):
    assert response.status_code == status, response.content
    return response.json()["data"]


def test_a_cart_is_there_from_the_first_look(acme, shopper):
    first = cart(shopper.get("cart"))

    assert list(first) == ["id", "user_id", "session_id", "items", "created_at", "updated_at"]
    assert (first["user_id"], first["session_id"], first["items"]) == (str(acme.customer.pk), "", [])
    assert first["created_at"].endswith("Z")
    assert cart(shopper.get("cart")) == first


def test_an_item_is_shown_as_the_document_does(shopper, laptop):
    attributes = {"color": "Black", "size": "15-inch"}
    body = {"product_id": str(laptop.pk), "variant_id": None, "quantity": 2, "attributes": attributes}

    shown = cart(shopper.post("cart/items", body))

    (item,) = shown["items"]
    assert list(item) == [
        "id",
        "product_id",
        "variant_id",
        "sku",
        "name",
        "price",
        "quantity",
        "attributes",
        "available",
    ]
    assert item == {
        "id": item["id"],
        "product_id": str(laptop.pk),
        "variant_id": None,
        "sku": "LAPTOP-001",
        "name": "Professional Laptop",
        "price": {"amount": 99999, "currency": "USD"},
        "quantity": 2,
        "attributes": attributes,
        "available": True,
    }
    assert cart(shopper.get("cart")) == shown
    assert shown["updated_at"] >= shown["created_at"]


def test_the_same_choice_adds_up_and_another_stands_beside_it(acme, shopper, laptop):
    red = vary(acme, laptop, "LAPTOP-RED")
    put(shopper, laptop)
    put(shopper, laptop, attributes={"a": 1, "b": 2})
    put(shopper, laptop, attributes={"b": 2, "a": 1})
    put(shopper, laptop, variant_id=str(red.pk))

    items = cart(put(shopper, laptop, attributes={}))["items"]

    assert [(item["variant_id"], item["attributes"], item["quantity"]) for item in items] == [
        (None, {}, 2),
        (None, {"a": 1, "b": 2}, 2),
        (str(red.pk), {}, 1),
    ]


def test_prices_are_todays(acme, shopper, laptop):
    small, large = vary(acme, laptop, "S", price=50000), vary(acme, laptop, "L")
    for variant in (None, small, large):
        put(shopper, laptop, variant_id=str(variant.pk) if variant else None)

    def prices():
        return [(item["sku"], item["name"], item["price"]["amount"]) for item in cart(shopper.get("cart"))["items"]]

    name = "Professional Laptop"
    assert prices() == [("LAPTOP-001", name, 99999), ("S", f"{name} S", 50000), ("L", f"{name} L", 99999)]
    set_columns(acme, laptop, sale_price=80000, name="Laptop")
    assert prices() == [("LAPTOP-001", "Laptop", 80000), ("S", "Laptop S", 50000), ("L", "Laptop L", 80000)]


def test_no_more_than_is_in_stock_counting_every_line_on_it(acme, shopper, laptop):
    shared, own = vary(acme, laptop, "SHARED"), vary(acme, laptop, "OWN", units=1)
    put(shopper, laptop, 3)

    assert refusal(put(shopper, laptop, 3)) == ("out_of_stock", ["quantity"])
    assert refusal(put(shopper, laptop, 3, variant_id=str(shared.pk))) == ("out_of_stock", ["quantity"])
    items = cart(put(shopper, laptop, 2, variant_id=str(shared.pk)))["items"]
    assert refusal(put(shopper, laptop, attributes={"a": 1})) == ("out_of_stock", ["quantity"])
    assert refusal(shopper.patch(f"cart/items/{items[0]['id']}", {"quantity": 4})) == ("out_of_stock", ["quantity"])
    assert len(cart(put(shopper, laptop, 1, variant_id=str(own.pk)))["items"]) == 3
    assert refusal(put(shopper, laptop, 1, variant_id=str(own.pk))) == ("out_of_stock", ["quantity"])
    assert [item["quantity"] for item in cart(shopper.get("cart"))["items"]] == [3, 2, 1]


def test_what_ran_out_meanwhile_can_still_be_lowered_and_removed(acme, shopper, laptop):
    (item,) = cart(put(shopper, laptop, 5))["items"]
    pen = cart(put(shopper, sell(acme, "PEN"), 2))["items"][1]
    with acme.inside():
        laptop.stock.__class__.objects.filter(pk=laptop.stock_id).update(quantity=2)

    assert refusal(shopper.patch(f"cart/items/{item['id']}", {"quantity": 3})) == ("out_of_stock", ["quantity"])
    assert cart(shopper.patch(f"cart/items/{pen['id']}", {"quantity": 9}))["items"][1]["quantity"] == 9
    assert cart(shopper.patch(f"cart/items/{item['id']}", {"quantity": 2}))["items"][0]["quantity"] == 2
    assert [left["id"] for left in cart(shopper.delete(f"cart/items/{item['id']}"))["items"]] == [pen["id"]]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": -1}, "quantity"),
        ({"quantity": 1000}, "quantity"),
        ({"quantity": 1.5}, "quantity"),
        ({"quantity": "many"}, "quantity"),
        ({"quantity": None}, "quantity"),
        ({"product_id": "laptop"}, "product_id"),
        ({"product_id": None}, "product_id"),
        ({"product_id": str(uuid4())}, "product_id"),
        ({"variant_id": str(uuid4())}, "variant_id"),
        ({"attributes": ["red"]}, "attributes"),
        ({"attributes": {"a": "x" * 5000}}, "attributes"),
        ({"price": 1}, "price"),
    ],
)
def test_what_cannot_be_put_in_is_named_and_changes_nothing(shopper, laptop, body, field):
    before = cart(put(shopper, laptop))

    assert refusal(shopper.post("cart/items", {"product_id": str(laptop.pk), "quantity": 1} | body)) == (
        "validation_error",
        [field],
    )
    assert cart(shopper.get("cart")) == before


def test_only_what_the_shop_sells_goes_in(acme, other, shopper, laptop):
    gone, off, foreign = sell(acme, "GONE"), sell(acme, "OFF"), sell(other, "FOREIGN")
    euro, pen = sell(acme, "EURO", currency="EUR"), sell(acme, "PEN")
    set_columns(acme, gone, deleted_at=gone.created_at)
    set_columns(acme, off, status="discontinued")
    red, blue = vary(acme, laptop, "RED"), vary(acme, laptop, "BLUE", active=False)

    for product in (gone, off, foreign, euro):
        assert refusal(put(shopper, product)) == ("validation_error", ["product_id"])
    assert refusal(put(shopper, pen, variant_id=str(red.pk))) == ("validation_error", ["variant_id"])
    assert refusal(put(shopper, laptop, variant_id=str(blue.pk))) == ("validation_error", ["product_id"])
    assert cart(shopper.get("cart"))["items"] == []


def test_an_item_no_longer_sold_stays_until_it_is_removed(acme, shopper, laptop):
    (item,) = cart(put(shopper, laptop))["items"]
    set_columns(acme, laptop, deleted_at=laptop.created_at)

    assert cart(shopper.get("cart"))["items"] == [item | {"available": False}]
    assert refusal(shopper.patch(f"cart/items/{item['id']}", {"quantity": 2})) == ("validation_error", ["product_id"])
    assert cart(shopper.delete(f"cart/items/{item['id']}"))["items"] == []


def test_an_item_that_cannot_be_ordered_now_says_so(acme, shopper, laptop):
    shared, pen, euro = vary(acme, laptop, "SHARED"), sell(acme, "PEN"), sell(acme, "EURO")
    put(shopper, laptop, 3)
    put(shopper, laptop, 2, variant_id=str(shared.pk))
    put(shopper, pen)
    put(shopper, euro)

    def available():
        return [item["available"] for item in cart(shopper.get("cart"))["items"]]

    assert available() == [True] * 4
    set_columns(acme, euro, currency="EUR")
    with acme.inside():
        stock.take_stock(acme.actor("owner"), {laptop.stock_id: 1}, type="sale", reference=None)
    assert available() == [False, False, True, False]


def test_a_quantity_is_changed_and_a_cart_emptied(shopper, laptop):
    (item,) = cart(put(shopper, laptop, 2))["items"]

    assert cart(shopper.patch(f"cart/items/{item['id']}", {"quantity": 3}))["items"] == [item | {"quantity": 3}]
    assert cart(shopper.delete("cart"))["items"] == []
    assert cart(shopper.get("cart"))["items"] == []
    assert refusal(shopper.patch(f"cart/items/{item['id']}", {"quantity": 1}), 404) == ("not_found", [])
    assert refusal(shopper.delete(f"cart/items/{item['id']}"), 404) == ("not_found", [])


def test_at_most_999_of_one_and_200_items(acme, shopper):
    pen = sell(acme, "PEN", units=100_000)
    put(shopper, pen, 999)

    assert refusal(put(shopper, pen)) == ("validation_error", ["quantity"])
    for number in range(199):
        assert put(shopper, pen, attributes={"n": number}).status_code == 200
    assert refusal(put(shopper, pen, attributes={"one": "more"})) == ("validation_error", ["product_id"])


def test_a_cart_is_its_users_own(acme, client_for, shopper, laptop):
    (item,) = cart(put(shopper, laptop))["items"]
    member = client_for(acme.owner, "storefront")

    assert cart(member.get("cart"))["items"] == []
    assert member.patch(f"cart/items/{item['id']}", {"quantity": 3}).status_code == 404
    assert member.delete(f"cart/items/{item['id']}").status_code == 404
    assert cart(member.delete("cart"))["items"] == []
    assert cart(shopper.get("cart"))["items"] == [item]
    assert client_for(None, "storefront", shop=acme.slug).get("cart").status_code == 401


def test_every_change_is_one_event_and_no_change_none(acme, shopper, laptop):
    (item,) = cart(put(shopper, laptop, 2))["items"]
    for quantity in (3, 3):
        shopper.patch(f"cart/items/{item['id']}", {"quantity": quantity})
    shopper.delete(f"cart/items/{item['id']}")
    shopper.delete("cart")
    put(shopper, laptop)
    put(shopper, laptop, 9)
    shopper.delete("cart")

    with acme.inside():
        told = Event.objects.of(acme.id).filter(subject_type="cart").order_by("id")
        found = [(event.name, event.changes.get("quantity")) for event in told]

    assert found == [
        ("cart.item_added", {"from": 0, "to": 2}),
        ("cart.item_changed", {"from": 2, "to": 3}),
        ("cart.item_removed", {"from": 3, "to": 0}),
        ("cart.item_added", {"from": 0, "to": 1}),
        ("cart.emptied", None),
    ]


def test_adding_takes_five_statements_however_full_the_cart(acme, shopper):
    pen = sell(acme, "PEN", units=1000)

    def statements(number):
        with CaptureQueriesContext(connection) as queries:
            put(shopper, pen, attributes={"n": number})
        return len([query for query in queries if not query["sql"].startswith(("BEGIN", "COMMIT"))])

    first = statements(0)
    for number in range(1, 20):
        put(shopper, pen, attributes={"n": number})

    assert (first, statements(20)) == (5, 5)
