"""Stock under a crowd: no unit is sold twice, no change is lost; each with a control that fails unprotected."""

from collections import Counter
from decimal import Decimal
from threading import Barrier

import pytest

from commerce.models import MovementType, StockItem, StockMovement
from commerce.services import products, stock
from crm.core.models import Event
from tests.races.concurrency import crowd

pytestmark = pytest.mark.races

CROWD = 50
ROUNDS = 20
SIZE = 12


def make(tenant, quantity, count=1, level=0):
    actor = tenant.actor("manager")
    with tenant.inside():
        made = [
            products.create_product(
                actor, name=f"Lamp {number}", price=Decimal(5), stock_quantity=quantity, reorder_level=level
            )
            for number in range(count)
        ]
    return actor, made


def balance(tenant, product):
    """The balance, which its ledger must explain, movement by movement."""
    with tenant.inside():
        item = StockItem.objects.of(tenant.id).get(pk=product.stock_id)
        ledger = list(StockMovement.objects.of(tenant.id).filter(stock=item).order_by("created_at", "id"))
    assert sum(movement.change for movement in ledger) == item.quantity
    running = 0
    for movement in ledger:
        running += movement.change
        assert movement.balance == running >= 0
    return item.quantity


def test_a_thousand_adjustments_at_once_add_up(acme):
    actor, (product,) = make(acme, 0)

    def work(number):
        for turn in range(ROUNDS):
            with acme.inside():
                change = 3 if (number + turn) % 2 else 1
                stock.adjust_stock(actor, product, adjustment=change, type="restock")

    crowd(CROWD, work)

    assert balance(acme, product) == CROWD * ROUNDS * 2
    with acme.inside():
        assert StockMovement.objects.of(acme.id).filter(stock_id=product.stock_id).count() == CROWD * ROUNDS


def test_control_read_then_written_adjustments_are_lost(acme):
    _, (product,) = make(acme, 0)
    all_have_read = Barrier(SIZE)

    def work(number):
        with acme.inside():
            before = StockItem.objects.of(acme.id).get(pk=product.stock_id).quantity
            all_have_read.wait(60)
            StockItem.objects.of(acme.id).filter(pk=product.stock_id).update(quantity=before + 1)

    crowd(SIZE, work)

    with acme.inside():
        assert StockItem.objects.of(acme.id).get(pk=product.stock_id).quantity == 1


def take_last(tenant, actor, product, units=1):
    """Fifty want what is there for fewer; return how many got it, were refused in words, or failed otherwise."""

    def work(number):
        try:
            with tenant.inside():
                stock.take_stock(actor, {product.stock_id: units}, type=MovementType.SALE, reference=product)
        except stock.InsufficientStock:
            return "refused"
        except Exception as error:  # noqa: BLE001 - told to the test by its name
            return type(error).__name__
        return "sold"

    return Counter(crowd(CROWD, work))


def test_the_last_units_go_to_as_many_buyers(acme):
    actor, (product,) = make(acme, 7)

    assert take_last(acme, actor, product) == {"sold": 7, "refused": CROWD - 7}
    assert balance(acme, product) == 0


def test_control_without_the_lock_only_the_constraint_keeps_stock_from_going_below_zero(acme, monkeypatch):
    all_have_read = Barrier(CROWD)

    def read_only(actor, pks):
        rows = StockItem.objects.of(actor).filter(pk__in=set(pks))
        found = {row.pk: stock.Balance(row.quantity, row.reorder_level) for row in rows}
        all_have_read.wait(60)
        return found

    actor, (product,) = make(acme, 1)
    monkeypatch.setattr(stock, "_held", read_only)

    # All but one were told that there is enough: a refusal that is ours would have named what is short.
    assert take_last(acme, actor, product) == {"sold": 1, "IntegrityError": CROWD - 1}
    assert balance(acme, product) == 0


def test_buyers_of_the_same_things_in_different_orders_never_wait_in_a_circle(acme):
    actor, rows = make(acme, CROWD, count=6)

    def work(number):
        turned = rows[number % 6 :] + rows[: number % 6]
        if number % 2:
            turned.reverse()
        with acme.inside():
            stock.take_stock(actor, {row.stock_id: 1 for row in turned}, type=MovementType.SALE, reference=None)

    crowd(CROWD, work)

    assert [balance(acme, row) for row in rows] == [0] * 6


def test_control_unordered_locks_meet_in_a_circle(acme):
    actor, rows = make(acme, 9, count=2)
    both_hold_one = Barrier(2)

    def work(number):
        try:
            with acme.inside():
                for row in rows if number else reversed(rows):
                    stock.lock_row(StockItem.objects.of(actor), row.stock_id)
                    if row is (rows[0] if number else rows[1]):
                        both_hold_one.wait(60)
        except Exception as error:  # noqa: BLE001 - told to the test by its name
            return type(error).__name__
        return "done"

    assert Counter(crowd(2, work)) == {"done": 1, "OperationalError": 1}


def test_a_fall_to_the_reorder_level_is_told_once_however_many_take(acme):
    actor, (product,) = make(acme, CROWD, level=10)

    take_last(acme, actor, product)

    with acme.inside():
        low = Event.objects.of(acme.id).filter(name="product.stock_low", subject_id=product.pk)
        assert [event.metadata["stock_quantity"] for event in low] == [10]
