"""How far an order is: which steps there are, what goes back, and what is told."""

import pytest

from commerce.models import OrderStatus, Promotion, StockMovement
from crm.core.models import Event
from tests.commerce.shop import in_stock, refusal, sell, vary

# From each status on, where an order may go.
STEPS = {
    "pending": "confirmed processing shipped delivered cancelled",
    "confirmed": "processing shipped delivered cancelled",
    "processing": "shipped delivered cancelled",
    "shipped": "delivered refunded",
    "delivered": "refunded",
    "cancelled": "",
    "refunded": "",
}
# The shortest way there.
WAYS = {status: (status,) for status in STEPS} | {"pending": (), "refunded": ("shipped", "refunded")}


@pytest.fixture
def chair(acme):
    return sell(acme, "CHAIR", 29999, units=10, name="Chair")


@pytest.fixture
def enter(seller):
    """Enter orders of so many of a product and its variants; return their ids."""
    customer = seller.post("customers", {"name": "Ada"}).json()["id"]

    def entered(product, *quantities, variant=None, **more):
        items = [
            {"product_id": str(product.pk), "quantity": quantity, "variant_id": variant and str(variant.pk)}
            for quantity in quantities
        ]
        response = seller.post("orders", {"customer_id": customer, "items": items, **more})
        assert response.status_code == 201, response.content
        return response.json()["id"]

    return entered


def move(client, pk, status, **more):
    return client.put(f"orders/{pk}/status", {"status": status, **more})


def moved(client, pk, status, **more):
    response = move(client, pk, status, **more)
    assert response.status_code == 200, response.content
    return response.json()


@pytest.mark.parametrize("start", OrderStatus.values)
def test_every_step_there_is_and_no_other(seller, enter, chair, start):
    for to in OrderStatus.values:
        pk = enter(chair, 1)
        for step in WAYS[start]:
            moved(seller, pk, step)
        answer = move(seller, pk, to)

        if to in STEPS[start].split():
            assert (answer.status_code, answer.json()["status"]) == (200, to)
        else:
            assert refusal(answer, 409) == ("INVALID_TRANSITION", [])
            assert seller.get(f"orders/{pk}").json()["status"] == start


def test_the_documents_example(acme, client_for, seller, enter, chair):
    pk = enter(chair, 1)
    told = {"tracking_number": "1Z999AA1234567890", "notes": "Shipped via UPS"}

    order = moved(seller, pk, "shipped", **told)

    assert (order["status"], order["tracking_number"], order["notes"]) == ("shipped", "1Z999AA1234567890", None)
    timeline = client_for(acme.owner).get(f"contacts/{order['customer_id']}/timeline").json()["data"]["timeline"]
    assert timeline[0]["title"] == f"Order {order['order_number']} is shipped"
    assert (timeline[0]["type"], timeline[0]["content"]) == ("order", "Shipped via UPS")
    assert timeline[0]["metadata"]["changes"] == {
        "status": {"from": "pending", "to": "shipped"},
        "trackingNumber": {"from": "", "to": "1Z999AA1234567890"},
    }
    assert moved(seller, pk, "delivered")["tracking_number"] == "1Z999AA1234567890"
    with acme.inside():
        names = Event.objects.of(acme.id).filter(subject_id=pk).order_by("id").values_list("name", flat=True)
        assert list(names) == ["order.created", "order.status_changed", "order.status_changed"]


def test_a_cancelled_order_gives_back_each_stock_what_it_took(acme, seller, enter, chair):
    red, blue = vary(acme, chair, "RED"), vary(acme, chair, "BLUE", units=3)
    shared, own = enter(chair, 2, 1, variant=red), enter(chair, 2, variant=blue)
    assert in_stock(acme, chair, blue) == [7, 1]
    assert seller.delete(f"products/{chair.pk}").status_code == 200

    moved(seller, shared, "cancelled")
    moved(seller, own, "cancelled", restock=True)

    assert in_stock(acme, chair, blue) == [10, 3]
    assert refusal(move(seller, shared, "cancelled"), 409)[0] == "INVALID_TRANSITION"
    assert in_stock(acme, chair, blue) == [10, 3]
    with acme.inside():
        ledger = StockMovement.objects.of(acme.id).filter(reference_id=shared).order_by("id")
        assert [(entry.type, entry.change) for entry in ledger] == [("sale", -3), ("return", 3)]


@pytest.mark.parametrize(("told", "left"), [({}, 8), ({"restock": False}, 8), ({"restock": True}, 10)])
def test_a_refund_returns_stock_only_where_the_goods_came_back(acme, seller, enter, chair, told, left):
    pk = enter(chair, 2)
    moved(seller, pk, "delivered")

    moved(seller, pk, "refunded", **told)

    assert in_stock(acme, chair) == [left]


def test_restock_is_for_what_comes_back(acme, seller, enter, chair):
    pk = enter(chair, 2)

    assert refusal(move(seller, pk, "shipped", restock=True), 422) == ("VALIDATION_ERROR", ["restock"])
    assert (seller.get(f"orders/{pk}").json()["status"], in_stock(acme, chair)) == ("pending", [8])


def test_a_cancelled_order_gives_its_promotions_uses_back_and_a_refunded_one_does_not(acme, seller, enter, chair):
    for code in ("ONE", "TWO"):
        seller.post("promotions", {"code": code, "type": "fixed", "value": 1})
    cancelled, refunded = (enter(chair, 1, promotion_codes=["ONE", "TWO"]) for _ in range(2))

    moved(seller, cancelled, "cancelled")
    moved(seller, refunded, "shipped")
    moved(seller, refunded, "refunded")

    with acme.inside():
        assert list(Promotion.objects.of(acme.id).values_list("uses", flat=True)) == [1, 1]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "status"),
        ({"status": "lost"}, "status"),
        ({"status": None}, "status"),
        ({"status": "shipped", "tracking_number": "x" * 201}, "tracking_number"),
        ({"status": "shipped", "restock": "perhaps"}, "restock"),
        ({"status": "shipped", "total": 1}, "total"),
    ],
)
def test_a_bad_change_is_named_and_changes_nothing(seller, enter, chair, body, field):
    pk = enter(chair, 1)

    assert refusal(seller.put(f"orders/{pk}/status", body), 422) == ("VALIDATION_ERROR", [field])
    assert seller.get(f"orders/{pk}").json()["status"] == "pending"


def test_the_history_tells_each_step_with_its_notes(acme, seller, client_for, enter, chair):
    pk = enter(chair, 1, notes="Rush order")
    moved(seller, pk, "confirmed")
    moved(client_for(acme.manager, "platform"), pk, "shipped", notes="Left at noon", tracking_number="1Z9")

    items = seller.get(f"orders/{pk}/history").json()["items"]

    keys = ["id", "from_status", "to_status", "changed_by", "changed_at", "notes", "tracking_number"]
    assert [list(item) for item in items] == [keys] * 3
    assert [[item[key] for key in ("from_status", "to_status", "notes", "tracking_number")] for item in items] == [
        [None, "pending", "Rush order", None],
        ["pending", "confirmed", None, None],
        ["confirmed", "shipped", "Left at noon", "1Z9"],
    ]
    assert [item["changed_by"]["full_name"] for item in items] == [acme.owner.full_name] * 2 + [acme.manager.full_name]
    assert client_for(acme.staff, "platform").get(f"orders/{pk}/history").status_code == 404
