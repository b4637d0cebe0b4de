"""Orders of many at once: nothing is sold, given back or made twice; each with a control without the lock."""

from collections import Counter
from threading import Barrier

import pytest

from commerce.models import CartItem, Order, OrderItem, Promotion, StockItem
from commerce.services import carts, checkout, order_terms, orders, stock
from tests.commerce.shop import NEW_YORK, in_stock, order, put, sell, vary
from tests.races.concurrency import crowd

pytestmark = pytest.mark.races

ROUNDS = 20
SHOPPERS = 50
CHECKOUTS = 500
AT_ONCE = 25
SIZE = 12
MEETING_SECONDS = 60
SOLD, SHORT, EMPTY = (201, ""), (400, "out_of_stock"), (400, "cart_empty")


@pytest.fixture
def shoppers(acme, client_for):
    """Return clients of so many shoppers of acme."""

    def make(count):
        return [client_for(acme.add("customer"), "storefront") for _ in range(count)]

    return make


def outcomes(answers):
    """Count answers by status and error code."""
    return Counter((answer.status_code, answer.json().get("error", {}).get("code", "")) for answer in answers)


def count(tenant, model, **filters):
    with tenant.inside():
        return model.objects.of(tenant.id).filter(**filters).count()


def restock(tenant, product, units):
    with tenant.inside():
        stock.return_stock(tenant.actor("owner"), {product.stock_id: units}, reference=None)


def order_at_once(clients, **more):
    return crowd(len(clients), lambda number: order(clients[number], **more))


def test_the_last_unit_goes_to_exactly_one_of_fifty_in_twenty_rounds(acme, shoppers):
    clients, pen = shoppers(SHOPPERS), sell(acme, "PEN", units=1)
    for client in clients:
        put(client, pen)

    for sold in range(1, ROUNDS + 1):
        answers = order_at_once(clients)

        assert outcomes(answers) == {SOLD: 1, SHORT: SHOPPERS - 1}
        assert (in_stock(acme, pen), count(acme, Order), count(acme, OrderItem)) == ([0], sold, sold)
        restock(acme, pen, 1)
        (winner,) = [client for client, answer in zip(clients, answers, strict=True) if answer.status_code == 201]
        put(winner, pen)


def test_control_read_then_written_balances_sell_it_to_everybody(acme, shoppers, monkeypatch):
    clients, pen = shoppers(SIZE), sell(acme, "PEN", units=1)
    for client in clients:
        put(client, pen)
    all_have_read = Barrier(SIZE)

    def read_then_write(actor, wanted, **told):
        ((stock_id, units),) = wanted.items()
        before = StockItem.objects.of(actor).get(pk=stock_id).quantity
        all_have_read.wait(MEETING_SECONDS)
        StockItem.objects.of(actor).filter(pk=stock_id).update(quantity=before - units)

    monkeypatch.setattr(orders, "take_stock", read_then_write)

    assert outcomes(order_at_once(clients)) == {SOLD: SIZE}


def fill(tenant, clients, products):
    """Put one of each product into the carts of these shoppers, every second one's in the other order."""
    for number, client in enumerate(clients):
        for product in products if number % 2 else products[::-1]:
            put(client, product)


def test_carts_in_opposite_order_sell_every_unit_once_and_never_block_each_other(acme, shoppers):
    clients = shoppers(AT_ONCE)
    pens, inks = sell(acme, "PEN", units=100), sell(acme, "INK", units=100)
    fill(acme, clients, [pens, inks])
    found = Counter()

    for _ in range(CHECKOUTS // AT_ONCE):
        answers = order_at_once(clients)
        found += outcomes(answers)
        emptied = [client for client, answer in zip(clients, answers, strict=True) if answer.status_code == 201]
        fill(acme, emptied, [pens, inks])

    assert found == {SOLD: 100, **unsold(found)}
    assert in_stock(acme, pens, inks) == [0, 0]
    assert (count(acme, Order), count(acme, OrderItem)) == (100, 200)


def unsold(found):
    """The checkouts that found too little or, once nothing could be put in any more, an empty cart."""
    return {outcome: found[outcome] for outcome in (SHORT, EMPTY) if found[outcome]}


def test_control_balances_taken_in_the_order_of_the_lines_block_each_other(acme, shoppers, monkeypatch):
    clients = shoppers(2)
    fill(acme, clients, [sell(acme, "PEN"), sell(acme, "INK")])
    both_hold_one = Barrier(2)

    def one_by_one(actor, wanted, **told):
        first, second = wanted
        stock.take_stock(actor, {first: wanted[first]}, **told)
        both_hold_one.wait(MEETING_SECONDS)
        stock.take_stock(actor, {second: wanted[second]}, **told)

    monkeypatch.setattr(orders, "take_stock", one_by_one)

    assert outcomes(order_at_once(clients)) == {SOLD: 1, (409, "conflict"): 1}


def test_lines_on_the_same_stock_are_counted_together(acme, shoppers):
    clients, pen = shoppers(SIZE), sell(acme, "PEN", units=7)
    red = vary(acme, pen, "RED")
    for client in clients:
        put(client, pen)
        put(client, pen, variant_id=str(red.pk))

    assert outcomes(order_at_once(clients)) == {SOLD: 3, SHORT: SIZE - 3}
    assert (in_stock(acme, pen), count(acme, OrderItem)) == ([1], 6)


def test_the_last_use_of_a_promotion_is_had_by_one(acme, shoppers, client_for):
    clients, pen = shoppers(20), sell(acme, "PEN", units=100)
    promotion = {"code": "LAST", "type": "fixed", "value": 1, "max_uses": 1}
    assert client_for(acme.owner, "platform").post("promotions", promotion).status_code == 201
    for client in clients:
        put(client, pen)

    answers = order_at_once(clients, promotion_codes=["LAST"])

    assert outcomes(answers) == {SOLD: 1, (400, "validation_error"): 19}
    assert (in_stock(acme, pen), count(acme, Order), count(acme, Promotion, uses=1)) == ([99], 1, 1)


def test_control_a_use_looked_up_then_counted_is_had_by_everybody(acme, shoppers, client_for, monkeypatch):
    clients, pen = shoppers(SIZE), sell(acme, "PEN", units=100)
    promotion = {"code": "LAST", "type": "fixed", "value": 1, "max_uses": 1}
    assert client_for(acme.owner, "platform").post("promotions", promotion).status_code == 201
    for client in clients:
        put(client, pen)
    all_have_looked = Barrier(SIZE)

    def look_then_count(actor, promotions, order, customer_id):
        all_have_looked.wait(MEETING_SECONDS)
        Promotion.objects.of(actor).update(uses=1)

    monkeypatch.setattr(order_terms, "redeem", look_then_count)

    assert outcomes(order_at_once(clients, promotion_codes=["LAST"])) == {SOLD: SIZE}


@pytest.fixture
def windows(acme, client_for):
    """Many windows of one shopper, and what is in the one cart behind them."""
    clients = [client_for(acme.customer, "storefront") for _ in range(SIZE)]
    put(clients[0], sell(acme, "PEN", units=100))
    return clients


def test_of_many_checkouts_of_one_cart_one_is_an_order(acme, windows):
    assert outcomes(order_at_once(windows)) == {SOLD: 1, EMPTY: SIZE - 1}
    assert (count(acme, Order), count(acme, CartItem)) == (1, 0)


def test_control_a_cart_that_nobody_holds_is_ordered_by_each(acme, windows, monkeypatch):
    all_have_read = Barrier(SIZE)

    def only_read(actor):
        contents = carts.contents_of(actor)
        all_have_read.wait(MEETING_SECONDS)
        return contents

    monkeypatch.setattr(checkout.carts, "held_contents", only_read)

    assert outcomes(order_at_once(windows)) == {SOLD: SIZE}


def test_one_idempotency_key_is_one_order_and_everybody_gets_its_answer(acme, windows):
    body, key = {"shipping_address": NEW_YORK}, {"Idempotency-Key": "once"}

    answers = crowd(SIZE, lambda number: windows[number].post("orders", body, headers=key))

    assert outcomes(answers) == {SOLD: SIZE}
    assert len({answer.content for answer in answers}) == 1
    assert (count(acme, Order), count(acme, CartItem)) == (1, 0)


def cancel_at_once(acme, windows):
    pk = order(windows[0]).json()["data"]["id"]
    return crowd(SIZE, lambda number: windows[number].post(f"orders/{pk}/cancel"))


def balance(tenant):
    with tenant.inside():
        return StockItem.objects.of(tenant.id).get().quantity


def test_of_many_who_cancel_one_does_and_the_stock_comes_back_once(acme, windows):
    assert outcomes(cancel_at_once(acme, windows)) == {(200, ""): 1, (409, "invalid_transition"): SIZE - 1}
    assert (balance(acme), in_stock(acme)) == (100, [])


def test_control_without_the_lock_it_comes_back_for_each(acme, windows, monkeypatch):
    all_have_read, all_have_counted = Barrier(SIZE), Barrier(SIZE)

    def only_read(rows, pk):
        row = rows.get(pk=pk)
        all_have_read.wait(MEETING_SECONDS)
        return row

    def meet_and_return(actor, quantities, **told):
        all_have_counted.wait(MEETING_SECONDS)
        return stock.return_stock(actor, quantities, **told)

    monkeypatch.setattr(orders, "lock_row", only_read)
    monkeypatch.setattr(orders, "return_stock", meet_and_return)

    assert outcomes(cancel_at_once(acme, windows)) == {(200, ""): SIZE}
    assert balance(acme) == 99 + SIZE
