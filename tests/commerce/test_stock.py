"""Stock: balances, the ledger that explains them, and what is refused."""

from decimal import Decimal
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from commerce.models import MovementType, Product, StockItem, StockMovement
from commerce.services import products, stock
from crm.core.db import operator
from crm.core.models import Event


@pytest.fixture
def api(acme, client_for):
    return client_for(acme.manager, "platform")


@pytest.fixture
def product(api):
    body = {"name": "Lamp", "sku": "L", "price": 10, "stock_quantity": 20, "reorder_level": 5}
    return api.post("products", body).json()


def adjust(api, product, adjustment, kind="correction", **more):
    return api.post(f"products/{product['id']}/stock", {"adjustment": adjustment, "type": kind, **more})


def told(tenant, name):
    with tenant.inside():
        return list(Event.objects.of(tenant.id).filter(name=name).order_by("id"))


def shelf(tenant, *quantities, level=0):
    """Products with so many units each, made by the service; the owner acts."""
    actor = tenant.actor("owner")
    with tenant.inside():
        return actor, [
            products.create_product(
                actor, name=f"P{number}", price=Decimal(1), stock_quantity=quantity, reorder_level=level
            )
            for number, quantity in enumerate(quantities)
        ]


def balances(tenant, rows):
    with tenant.inside():
        kept = dict(StockItem.objects.of(tenant.id).values_list("pk", "quantity"))
        assert stock.differences(tenant.id) == []
    return [kept[row.stock_id] for row in rows]


def test_an_adjustment_is_a_movement_and_the_product_as_it_now_stands(acme, api, product):
    response = adjust(api, product, 10, "restock", reason="Received new shipment", cost_per_unit=150.00)

    assert response.status_code == 200
    body = response.json()
    movement = body.pop("movement")
    assert (body["id"], body["stock_quantity"]) == (product["id"], 30)
    assert {key: movement[key] for key in ("type", "adjustment", "balance", "reason", "cost_per_unit")} == {
        "type": "restock",
        "adjustment": 10,
        "balance": 30,
        "reason": "Received new shipment",
        "cost_per_unit": 150.0,
    }
    assert movement["created_by"] == {"id": str(acme.manager.pk), "full_name": acme.manager.full_name}
    ledger = api.get(f"products/{product['id']}/stock").json()
    assert ledger["items"][0] == movement
    assert [entry["adjustment"] for entry in ledger["items"]] == [10, 20]
    (event,) = told(acme, "product.stock_adjusted")
    assert event.title == "Stock of Lamp adjusted by +10 (restock)"
    assert event.changes == {"stock_quantity": {"from": 20, "to": 30}}


def test_nothing_goes_below_zero(acme, api, product):
    refused = adjust(api, product, -21, "damage")

    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "INSUFFICIENT_STOCK")
    (detail,) = refused.json()["error"]["details"]
    assert (detail["field"], detail["message"]) == (
        "adjustment",
        "There are 20 in stock, 21 cannot be taken.",
    )
    assert api.get(f"products/{product['id']}").json()["stock_quantity"] == 20
    assert api.get(f"products/{product['id']}/stock").json()["total"] == 1
    assert told(acme, "product.stock_adjusted") == []
    assert adjust(api, product, -20, "sale").json()["stock_quantity"] == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"adjustment": 0, "type": "restock"}, "adjustment"),
        ({"adjustment": 1.5, "type": "restock"}, "adjustment"),
        ({"adjustment": 10**12, "type": "restock"}, "adjustment"),
        ({"adjustment": 1}, "type"),
        ({"adjustment": 1, "type": "gift"}, "type"),
        ({"adjustment": 1, "type": "restock", "reason": "x" * 501}, "reason"),
        ({"adjustment": 1, "type": "restock", "cost_per_unit": -1}, "cost_per_unit"),
        ({"adjustment": 1, "type": "restock", "cost_per_unit": 0.001}, "cost_per_unit"),
        ({"adjustment": 1, "type": "restock", "variant_id": "00000000-0000-4000-8000-000000000000"}, "variant_id"),
    ],
)
def test_a_bad_adjustment_names_its_field(api, product, body, field):
    refused = api.post(f"products/{product['id']}/stock", body)

    assert refused.status_code == 422
    assert [fault["field"] for fault in refused.json()["error"]["details"]] == [field]
    assert api.get(f"products/{product['id']}/stock").json()["total"] == 1


def test_falling_to_the_reorder_level_is_told_once_a_fall(acme, api, product):
    def low():
        return [event.metadata["stock_quantity"] for event in told(acme, "product.stock_low")]

    adjust(api, product, -14)
    assert low() == []
    adjust(api, product, -1)
    adjust(api, product, -1)
    assert low() == [5], "at the level, and not again below it"
    adjust(api, product, 1)
    assert low() == [5], "upwards to the level is no fall"
    adjust(api, product, 1)
    adjust(api, product, -6)
    assert low() == [5, 0]


def test_a_variant_with_a_stock_of_its_own_has_its_own_ledger(api, product):
    path = f"products/{product['id']}/variants"
    own = api.post(path, {"name": "Red", "stock_quantity": 3}).json()
    shared = api.post(path, {"name": "Blue"}).json()
    assert (own["stock_quantity"], shared["stock_quantity"]) == (3, None)

    assert adjust(api, product, -2, variant_id=own["id"]).json()["movement"]["balance"] == 1
    assert adjust(api, product, -2, variant_id=shared["id"]).json()["stock_quantity"] == 18
    assert adjust(api, product, -2, variant_id=own["id"]).status_code == 409

    ledger = api.get(f"products/{product['id']}/stock", variant_id=own["id"]).json()["items"]
    assert [entry["balance"] for entry in ledger] == [1, 3]
    assert api.get(f"products/{product['id']}/stock", variant_id=shared["id"]).json()["total"] == 2
    assert api.get(f"products/{product['id']}/stock", type="restock").json()["total"] == 1
    for nobody in ("x", product["id"]):
        assert api.get(f"products/{product['id']}/stock", variant_id=nobody).status_code == 422


def test_taking_is_all_or_nothing_and_names_every_short_item(acme):
    actor, (one, two, three) = shelf(acme, 5, 1, 0)
    unknown = uuid4()

    with acme.inside(), pytest.raises(stock.InsufficientStock) as refused:
        stock.take_stock(
            actor,
            {one.stock_id: 5, two.stock_id: 2, three.stock_id: 1, unknown: 1},
            type=MovementType.SALE,
            reference=None,
        )
    assert set(refused.value.short) == {(two.stock_id, 2, 1), (three.stock_id, 1, 0), (unknown, 1, 0)}
    assert balances(acme, (one, two, three)) == [5, 1, 0]

    with acme.inside():
        movements = stock.take_stock(
            actor, {one.stock_id: 5, two.stock_id: 1}, type=MovementType.SALE, reference=one, reason="ORD-1"
        )
    assert [(row.balance, row.reference_type, row.reference_id) for row in movements] == [(0, "product", one.pk)] * 2
    assert balances(acme, (one, two, three)) == [0, 0, 0]

    with acme.inside():
        stock.return_stock(actor, {one.stock_id: 2}, reference=one)
    assert balances(acme, (one,)) == [2]


def test_a_ledger_is_searched_by_reason(api, product):
    adjust(api, product, -1, "damage", reason="Broken in transit")
    path = f"products/{product['id']}/stock"

    for text, found in (("TRANSIT", [-1]), ("nothing", [])):
        assert [entry["adjustment"] for entry in api.get(path, q=text).json()["items"]] == found


def test_units_are_whole_and_positive(acme):
    actor, (one,) = shelf(acme, 5)
    for units in (0, -1):
        with acme.inside(), pytest.raises(ValueError, match="units of 1"):
            stock.take_stock(actor, {one.stock_id: units}, type=MovementType.SALE, reference=None)


@pytest.mark.parametrize("move", ["take", "return"])
def test_many_items_take_as_many_statements_as_one(acme, move):
    actor, rows = shelf(acme, *[9] * 30)

    def statements(some):
        wanted = {row.stock_id: 1 for row in some}
        with acme.inside(), CaptureQueriesContext(connection) as asked:
            if move == "take":
                stock.take_stock(actor, wanted, type=MovementType.SALE, reference=None)
            else:
                stock.return_stock(actor, wanted, reference=None)
        return len(asked)

    assert statements(rows[:1]) == statements(rows) == 2
    assert balances(acme, rows[1:]) == [8 if move == "take" else 10] * 29


def test_nobody_else_s_stock_can_be_taken(acme, other):
    _, (theirs,) = shelf(other, 5)
    actor = acme.actor("owner")

    with acme.inside(), pytest.raises(stock.InsufficientStock):
        stock.take_stock(actor, {theirs.stock_id: 1}, type=MovementType.SALE, reference=None)
    assert balances(other, (theirs,)) == [5]


def test_the_database_holds_the_balance_and_the_ledger_by_itself(acme):
    _, (one,) = shelf(acme, 5)
    for change in (
        lambda: StockItem.objects.of(acme.id).filter(pk=one.stock_id).update(quantity=-1),
        lambda: StockMovement.objects.of(acme.id).update(change=7),
        lambda: StockMovement.objects.of(acme.id).delete(),
    ):
        with acme.inside(), pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert balances(acme, (one,)) == [5]


def check(*arguments):
    out = StringIO()
    call_command("check_stock", *arguments, stdout=out)
    return out.getvalue()


def test_check_stock_finds_a_balance_that_its_ledger_does_not_explain(acme, other):
    _, (one,) = shelf(acme, 5)
    shelf(other, 3)
    assert "Every balance" in check("--organization", acme.slug)

    with operator("command"):
        StockItem.objects.filter(pk=one.stock_id).update(quantity=6)
    with pytest.raises(CommandError, match="1 balances differ"):
        check("--organization", acme.slug)
    assert "Every balance" in check("--organization", other.slug)
    with pytest.raises(CommandError, match="no organization"):
        check("--organization", "nobody")


def test_a_deleted_product_has_no_stock_to_adjust(api, product):
    api.delete(f"products/{product['id']}")

    assert adjust(api, product, 1).status_code == 404
    assert api.get(f"products/{product['id']}/stock").status_code == 404


def test_selling_rewrites_no_product(acme):
    actor, (one,) = shelf(acme, 5)
    with acme.inside():
        before = Product.objects.of(acme.id).get(pk=one.pk).updated_at
        stock.take_stock(actor, {one.stock_id: 1}, type=MovementType.SALE, reference=None)
        assert Product.objects.of(acme.id).get(pk=one.pk).updated_at == before
