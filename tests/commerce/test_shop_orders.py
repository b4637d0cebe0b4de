"""A shopper's orders in the shop: own, listed, shown to those who may see them, cancelled."""

from uuid import uuid4

import pytest

from commerce.models import Promotion
from tests.commerce.shop import in_stock, order, put, refusal

USD = "USD"


@pytest.fixture
def placed(shopper, laptop):
    put(shopper, laptop, 2)
    return order(shopper).json()["data"]


def move(client, pk, status):
    answer = client.put(f"orders/{pk}/status", {"status": status})
    assert answer.status_code == 200, answer.content


def test_the_list_is_ones_own_newest_first_in_pages(acme, client_for, shopper, laptop):
    placed = []
    for _ in range(3):
        put(shopper, laptop)
        placed.append(order(shopper).json()["data"])
    owner = client_for(acme.owner, "storefront")

    page = shopper.get("orders", page=1, page_size=2).json()

    assert page["data"] == [placed[2], placed[1]]
    assert page["meta"] == {
        "page": 1,
        "page_size": 2,
        "total_items": 3,
        "total_pages": 2,
        "has_next": True,
        "has_prev": False,
    }
    assert shopper.get("orders", page=2, page_size=2).json()["data"] == placed[:1]
    assert shopper.get("orders", page=9).json()["data"] == []
    assert shopper.get("orders", sort="created_at").json()["data"] == placed
    assert refusal(shopper.get("orders", sort="secret")) == ("validation_error", ["sort"])
    assert owner.get("orders").json()["data"] == []


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("owner", 200),
        ("manager", 200),
        ("customer_experience", 200),
        ("staff", 403),
        ("viewer", 403),
        ("customer", 403),
    ],
)
def test_who_may_see_anothers_order(acme, client_for, placed, role, status):
    user = acme.add("customer") if role == "customer" else acme.users[role]
    answer = client_for(user, "storefront").get(f"orders/{placed['id']}")

    assert answer.status_code == status
    if status == 200:
        assert answer.json()["data"] == placed
    else:
        assert answer.json()["error"]["message"] == "You don't have permission to view this order."
        assert client_for(user, "storefront").post(f"orders/{placed['id']}/cancel").status_code == 403


def test_unknown_and_foreign_orders_are_not_there(other, client_for, placed):
    stranger = client_for(other.owner, "storefront")
    for pk in (placed["id"], uuid4(), "7"):
        assert refusal(stranger.get(f"orders/{pk}"), 404)[0] == "not_found"
        assert refusal(stranger.post(f"orders/{pk}/cancel"), 404)[0] == "not_found"


def test_an_order_is_cancelled_once_and_all_of_it_goes_back(acme, shopper, seller, laptop):
    seller.post("promotions", {"code": "ONCE", "type": "fixed", "value": 1, "max_uses": 1})
    put(shopper, laptop, 2)
    placed = order(shopper, promotion_codes=["once"]).json()["data"]
    assert in_stock(acme, laptop) == [3]

    cancelled = shopper.post(f"orders/{placed['id']}/cancel").json()["data"]

    assert (cancelled["status"], cancelled["total"]) == ("cancelled", placed["total"])
    assert in_stock(acme, laptop) == [5]
    assert refusal(shopper.post(f"orders/{placed['id']}/cancel"), 409) == ("invalid_transition", [])
    assert in_stock(acme, laptop) == [5]
    with acme.inside():
        assert Promotion.objects.of(acme.id).get().uses == 0
    put(shopper, laptop)
    assert order(shopper, promotion_codes=["ONCE"]).status_code == 201


@pytest.mark.parametrize("status", ["shipped", "delivered", "refunded"])
def test_what_was_shipped_is_not_cancelled(acme, shopper, seller, laptop, placed, status):
    for step in ("shipped", status) if status != "shipped" else ("shipped",):
        move(seller, placed["id"], step)

    assert refusal(shopper.post(f"orders/{placed['id']}/cancel"), 409) == ("invalid_transition", [])
    assert in_stock(acme, laptop) == [3]


def test_those_who_work_orders_cancel_a_shoppers(acme, client_for, placed, laptop):
    helper = client_for(acme.customer_experience, "storefront")

    assert helper.post(f"orders/{placed['id']}/cancel").json()["data"]["status"] == "cancelled"
    assert in_stock(acme, laptop) == [5]


def test_a_customer_who_is_a_shopper_finds_the_back_offices_order_in_the_shop(acme, shopper, seller, laptop):
    (customer,) = seller.get("customers", search=acme.customer.last_name).json()["items"]
    body = {"customer_id": customer["id"], "items": [{"product_id": str(laptop.pk), "quantity": 1}]}
    entered = seller.post("orders", body).json()

    (found,) = shopper.get("orders").json()["data"]

    assert (found["id"], found["user_id"]) == (entered["id"], str(acme.customer.pk))
    assert found["total"] == {"amount": 99999, "currency": USD}
    assert (found["shipping_address"], found["billing_address"], found["notes"]) == (None, None, "")
