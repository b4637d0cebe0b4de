"""The last use of a promotion goes to one order, however many ask; each with a control that fails unprotected."""

from collections import Counter
from threading import Barrier

import pytest
from django.db import IntegrityError

from commerce.models import Order, Promotion, PromotionUse
from commerce.services import order_terms
from contacts.models import Contact
from tests.commerce.shop import sell
from tests.races.concurrency import crowd

pytestmark = pytest.mark.races

SIZE = 20


@pytest.fixture
def customers(acme):
    with acme.inside():
        return Contact.objects.bulk_create(
            Contact(organization_id=acme.id, first_name=f"C{number}") for number in range(SIZE)
        )


@pytest.fixture
def order_at_once(acme, client_for):
    """Return what orders for every customer at once and tells how often each answer came.

    The codes stand in another order each time.
    """
    product = sell(acme, "TEA", units=SIZE)
    clients = [client_for(acme.manager, "platform") for _ in range(SIZE)]

    def order(customers, *codes):
        def work(number):
            items = [{"product_id": str(product.pk), "quantity": 1}]
            body = {"customer_id": str(customers[number].pk), "items": items, "promotion_codes": turned(codes, number)}
            response = clients[number].post("orders", body)
            details = response.json().get("error", {}).get("details")
            return response.status_code, details[0]["message"] if details else None

        return Counter(crowd(SIZE, work))

    return order


def turned(codes, number):
    start = number % len(codes)
    return [*codes[start:], *codes[:start]]


def promote(acme, code, **limits):
    with acme.inside():
        return Promotion.objects.create(
            organization_id=acme.id,
            code=code,
            code_normalized=code.lower(),
            type="fixed",
            value=100,
            currency="USD",
            **limits,
        )


def counted(acme, promotion):
    """The uses that the promotion tells, those written down, and the orders that have the code."""
    with acme.inside():
        return (
            Promotion.objects.of(acme.id).get(pk=promotion.pk).uses,
            PromotionUse.objects.of(acme.id).filter(promotion=promotion).count(),
            Order.objects.of(acme.id).filter(promotion_codes__contains=[promotion.code]).count(),
        )


def read_without_a_lock(rows, pks):
    return {row.pk: row for row in rows.filter(pk__in=pks)}


def meeting(read):
    """Read, and go on when everybody has read."""
    all_have_read = Barrier(SIZE)

    def read_and_wait(*args):
        found = read(*args)
        all_have_read.wait(60)
        return found

    return read_and_wait


def test_the_last_use_goes_to_one_order(acme, customers, order_at_once):
    promotion = promote(acme, "LAST", max_uses=5, uses=4)

    found = order_at_once(customers, "LAST")

    assert found == {(201, None): 1, (422, "LAST has been used up."): SIZE - 1}
    assert counted(acme, promotion) == (5, 1, 1)


def test_control_without_the_lock_only_the_database_refuses(acme, customers, monkeypatch):
    promotion = promote(acme, "LAST", max_uses=5, uses=4)
    monkeypatch.setattr(order_terms, "lock_rows", meeting(read_without_a_lock))
    actor = acme.actor("owner")

    def redeem(number):
        try:
            with acme.inside():
                order_terms.redeem(actor, [promotion], order_for(acme, customers[number], number), customers[number].pk)
        except IntegrityError as error:
            return "promotion_never_overused" in str(error)
        return None

    assert Counter(crowd(SIZE, redeem)) == {None: 1, True: SIZE - 1}


def test_a_customer_uses_once_what_may_be_used_once(acme, customers, order_at_once):
    promotion = promote(acme, "ONCE", max_uses_per_user=1)

    found = order_at_once([customers[0]] * SIZE, "ONCE")

    assert found == {(201, None): 1, (422, "ONCE cannot be used again by this customer."): SIZE - 1}
    assert counted(acme, promotion) == (1, 1, 1)


def test_control_without_the_lock_a_customer_uses_it_each_time(acme, customers, order_at_once, monkeypatch):
    promotion = promote(acme, "ONCE", max_uses_per_user=1)
    monkeypatch.setattr(order_terms, "lock_rows", read_without_a_lock)
    monkeypatch.setattr(order_terms, "_uses_of", meeting(order_terms._uses_of))

    assert order_at_once([customers[0]] * SIZE, "ONCE") == {(201, None): SIZE}
    assert counted(acme, promotion) == (SIZE, SIZE, SIZE)


def test_codes_in_any_order_never_wait_in_a_circle(acme, customers, order_at_once):
    promotions = [promote(acme, code) for code in ("A", "B", "C")]

    found = order_at_once(customers, "C", "A", "B")

    assert found == {(201, None): SIZE}
    assert [counted(acme, promotion) for promotion in promotions] == [(SIZE, SIZE, SIZE)] * 3


def test_an_order_cancelled_by_many_gives_its_use_back_once(acme, customers):
    promotion = promote(acme, "BACK", max_uses=2, uses=1)
    actor = acme.actor("owner")
    with acme.inside():
        order = order_for(acme, customers[0], 1)
        order_terms.redeem(actor, [promotion], order, customers[0].pk)

    def cancel(_number):
        with acme.inside():
            Order.objects.of(acme.id).select_for_update().get(pk=order.pk)  # as every cancellation does first
            order_terms.give_back(actor, order)

    crowd(SIZE, cancel)

    assert counted(acme, promotion)[0] == 1


def order_for(acme, customer, number):
    amounts = dict.fromkeys(("subtotal", "discount_total", "tax_total", "shipping_total", "total"), 0)
    return Order.objects.create(
        organization_id=acme.id, order_number=f"RACE-{number}", customer=customer, currency="USD", **amounts
    )
