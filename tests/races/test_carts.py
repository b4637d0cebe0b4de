"""A cart changed from many windows at once; each with a control that fails unprotected."""

from collections import Counter
from threading import Barrier

import pytest

from commerce.models import CartItem
from commerce.services import carts
from tests.commerce.shop import put, sell
from tests.races.concurrency import crowd

pytestmark = pytest.mark.races

SIZE = 12
MEETING_SECONDS = 60


@pytest.fixture
def windows(acme, client_for):
    return [client_for(acme.customer, "storefront") for _ in range(SIZE)]


def put_at_once(windows, product, **more):
    told = crowd(
        SIZE, lambda number: put(windows[number], product, **{key: make(number) for key, make in more.items()})
    )
    return Counter(answer.status_code for answer in told)


def quantities(client):
    return [item["quantity"] for item in client.get("cart").json()["data"]["items"]]


def test_the_same_choice_added_at_once_adds_up_on_one_line(acme, windows):
    pen = sell(acme, "PEN", units=100)

    assert put_at_once(windows, pen) == {200: SIZE}
    assert quantities(windows[0]) == [SIZE]


def test_control_read_then_written_quantities_are_lost(acme, windows, monkeypatch):
    pen = sell(acme, "PEN", units=100)
    put(windows[0], pen)
    all_have_read = Barrier(SIZE)

    def read_then_write(actor, **told):
        line = carts.contents_of(actor).lines[0]
        all_have_read.wait(MEETING_SECONDS)
        CartItem.objects.of(actor).filter(pk=line.id).update(quantity=line.quantity + 1)
        return carts.contents_of(actor)

    monkeypatch.setattr(carts, "add_item", read_then_write)

    assert put_at_once(windows, pen) == {200: SIZE}
    assert quantities(windows[0]) == [2]


def test_lines_added_at_once_are_no_more_than_there_is_in_stock(acme, windows):
    pen = sell(acme, "PEN", units=5)

    assert put_at_once(windows, pen, attributes=lambda number: {"n": number}) == {200: 5, 400: SIZE - 5}
    assert quantities(windows[0]) == [1] * 5


def test_control_without_the_lock_nobody_sees_the_others_lines(acme, windows, monkeypatch):
    pen = sell(acme, "PEN", units=5)
    windows[0].get("cart")
    all_have_read, check = Barrier(SIZE), carts._check

    def meet_and_check(*subjects):
        all_have_read.wait(MEETING_SECONDS)
        check(*subjects)

    monkeypatch.setattr(carts, "held_cart", lambda actor: carts.contents_of(actor).cart)
    monkeypatch.setattr(carts, "_check", meet_and_check)

    assert put_at_once(windows, pen, attributes=lambda number: {"n": number}) == {200: SIZE}
