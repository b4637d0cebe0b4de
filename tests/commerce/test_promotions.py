"""Promotions: who may use a code, and how uses are counted."""

from datetime import timedelta
from itertools import count

import pytest
from django.db import IntegrityError, transaction

from commerce.models import Order, Promotion, PromotionUse
from commerce.services import terms
from contacts.models import Contact
from crm.core import clock
from crm.core.errors import Invalid

_numbers = count(1)


@pytest.fixture
def customer(acme):
    with acme.inside():
        return Contact.objects.of(acme.id).get(user=acme.customer)


def make(tenant, code, **fields):
    given = {"type": "percentage", "value": 1000, "code_normalized": code.lower()} | fields
    with tenant.inside():
        return Promotion.objects.create(organization_id=tenant.id, code=code, **given)


def order_of(tenant, customer):
    amounts = dict.fromkeys(("subtotal", "discount_total", "tax_total", "shipping_total", "total"), 0)
    number = f"ORD-{next(_numbers):08d}"
    return Order.objects.create(
        organization_id=tenant.id, order_number=number, customer=customer, currency="USD", **amounts
    )


def usable(tenant, customer, *codes):
    with tenant.inside():
        return [found.code for found in terms.promotions_for(tenant.actor("owner"), codes, customer.pk)]


def use(tenant, customer, *codes):
    actor = tenant.actor("owner")
    with tenant.inside():
        promotions = terms.promotions_for(actor, codes, customer.pk)
        order = order_of(tenant, customer)
        terms.redeem(actor, promotions, order, customer.pk)
        return order


def uses(tenant, code):
    with tenant.inside():
        return Promotion.objects.of(tenant.id).get(code=code).uses


def reason(refused):
    assert list(refused.value.details) == ["promotion_codes"]
    return refused.value.details["promotion_codes"]


def test_codes_are_found_case_aside_and_each_once(acme, customer):
    make(acme, "Save10")
    make(acme, "FIVE", type="fixed", value=500)

    assert usable(acme, customer, "five", "SAVE10", " save10 ", "Five") == ["FIVE", "Save10"]
    assert usable(acme, customer) == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"active": False}, "There is no promotion code."),
        ({"deleted_at": clock.now()}, "There is no promotion code."),
        ({"starts_at": clock.now() + timedelta(hours=1)}, "CODE has not started yet."),
        ({"ends_at": clock.now() - timedelta(seconds=1)}, "CODE has ended."),
        ({"max_uses": 2, "uses": 2}, "CODE has been used up."),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(acme, customer, fields, said):
    make(acme, "CODE", **fields)

    with pytest.raises(Invalid) as refused:
        usable(acme, customer, "code")
    assert reason(refused) == said


def test_another_organization_s_code_is_unknown(acme, other, customer):
    make(other, "THEIRS")

    with pytest.raises(Invalid) as refused:
        usable(acme, customer, "THEIRS")
    assert reason(refused) == "There is no promotion THEIRS."


def test_uses_are_counted_per_customer_and_given_back_once(acme, customer):
    make(acme, "ONCE", max_uses=5, max_uses_per_user=1)
    with acme.inside():
        somebody = Contact.objects.create(organization_id=acme.id, first_name="Else")

    first = use(acme, customer, "once")
    with pytest.raises(Invalid) as refused:
        usable(acme, customer, "ONCE")
    assert reason(refused) == "ONCE cannot be used again by this customer."
    assert usable(acme, somebody, "ONCE") == ["ONCE"]
    assert uses(acme, "ONCE") == 1

    for _ in range(2):
        with acme.inside():
            terms.give_back(acme.actor("owner"), first)
        assert uses(acme, "ONCE") == 0
    use(acme, customer, "ONCE")
    assert uses(acme, "ONCE") == 1


def test_a_use_that_is_refused_leaves_nothing(acme, customer):
    make(acme, "FREE")
    last = make(acme, "LAST", max_uses=1)
    actor = acme.actor("owner")
    with acme.inside():
        promotions = terms.promotions_for(actor, ["FREE", "LAST"], customer.pk)
        Promotion.objects.filter(pk=last.pk).update(uses=1)  # another order was quicker

    with pytest.raises(Invalid) as refused, acme.inside():
        terms.redeem(actor, promotions, order_of(acme, customer), customer.pk)

    assert reason(refused) == "LAST has been used up."
    assert (uses(acme, "FREE"), uses(acme, "LAST")) == (0, 1)
    with acme.inside():
        assert not PromotionUse.objects.of(acme.id).exists()


def test_the_database_itself_counts_no_use_too_many(acme):
    promotion = make(acme, "LAST", max_uses=1, uses=1)

    with pytest.raises(IntegrityError, match="promotion_never_overused"), acme.inside(), transaction.atomic():
        Promotion.objects.filter(pk=promotion.pk).update(uses=2)


def test_reading_and_counting_uses_take_few_statements(acme, customer, django_assert_num_queries):
    for code in ("A", "B", "C"):
        make(acme, code, max_uses_per_user=2)
    actor = acme.actor("owner")
    with acme.inside():
        order = order_of(acme, customer)
        with django_assert_num_queries(0):
            assert terms.promotions_for(actor, [], customer.pk) == []
            terms.redeem(actor, [], order, customer.pk)
        with django_assert_num_queries(1):
            promotions = terms.promotions_for(actor, ["A", "B", "C"], customer.pk)
        with django_assert_num_queries(4):
            terms.redeem(actor, promotions, order, customer.pk)
