"""Pricing, case by case: what an order costs, and why."""

from decimal import Decimal

import pytest

from commerce.services.pricing import Discount, Line, Shipping, Tax, price, rounded, spread
from crm.core.errors import Invalid
from crm.core.money import LARGEST_MINOR

TEN_PERCENT = Discount("TEN", "percentage", 10_00)
NEW_YORK = Tax("New York", Decimal("8.7500"))


def amounts(quote):
    return quote.subtotal, quote.discount_total, quote.tax_total, quote.shipping_total, quote.total


def test_the_documented_order_comes_out_to_the_cent():
    quote = price([Line(99999, 1)], currency="USD", tax=NEW_YORK, shipping=Shipping("ship_standard", 0))
    assert amounts(quote) == (99999, 0, 8750, 0, 108749)
    assert quote.lines[0].total == 108749


def test_with_no_terms_an_order_costs_its_goods():
    quote = price([Line(29999, 2)], currency="USD")
    assert amounts(quote) == (59998, 0, 0, 0, 59998)


def test_an_empty_order_costs_its_shipping():
    assert amounts(price([], currency="USD", discounts=[TEN_PERCENT], shipping=Shipping("post", 500)))[4] == 500


@pytest.mark.parametrize(
    ("numerator", "denominator", "whole"),
    [(5, 10, 0), (15, 10, 2), (25, 10, 2), (35, 10, 4), (251, 100, 3), (249, 100, 2), (4, 2, 2), (0, 7, 0), (3, 2, 2)],
)
def test_halves_are_rounded_to_the_even_neighbour(numerator, denominator, whole):
    assert rounded(numerator, denominator) == whole


@pytest.mark.parametrize(
    ("amount", "weights", "shares"),
    [
        (100, [10_00, 10_00, 10_00], [34, 33, 33]),  # equal remainders, equal weights: the earlier line
        (200, [9_95, 10_05], [99, 101]),  # equal remainders: the larger weight
        (200, [10_05, 9_95], [101, 99]),  # the same amounts the other way round
        (7, [3, 3, 1], [3, 3, 1]),  # all of it: nobody gets more than there is
        (6, [3, 3, 1], [3, 2, 1]),
        (1, [0, 5, 0], [0, 1, 0]),  # a free line takes no part
        (0, [0, 0], [0, 0]),
        (0, [], []),
    ],
)
def test_an_amount_is_spread_to_the_last_unit(amount, weights, shares):
    assert spread(amount, weights) == shares


def test_tax_is_of_what_is_left_after_discounts_line_by_line():
    quote = price([Line(1000, 1), Line(500, 3)], currency="USD", discounts=[TEN_PERCENT], tax=Tax("VAT", Decimal(20)))
    assert [(line.discount, line.tax, line.total) for line in quote.lines] == [(100, 180, 1080), (150, 270, 1620)]
    assert amounts(quote) == (2500, 250, 450, 0, 2700)


def test_percentages_are_of_the_subtotal_and_fixed_ones_take_what_is_left():
    half = Discount("A-HALF", "percentage", 50_00)
    quarter = Discount("Z-QUARTER", "percentage", 25_00)
    fixed = Discount("FIVE", "fixed", 5_00)
    for discounts in ([half, quarter, fixed], [fixed, quarter, half]):
        quote = price([Line(1600, 1)], currency="USD", discounts=discounts)
        spent = [(step["code"], step["amount"]) for step in quote.explanation if step["step"] == "promotion"]
        assert spent == [("A-HALF", 800), ("Z-QUARTER", 400), ("FIVE", 400)]
        assert amounts(quote) == (1600, 1600, 0, 0, 0)


def test_a_minimum_is_of_the_goods_before_discounts():
    discounts = [TEN_PERCENT, Discount("BIG", "fixed", 1_00, minimum_total=50_00)]
    assert price([Line(50_00, 1)], currency="USD", discounts=discounts).discount_total == 6_00
    with pytest.raises(Invalid) as refused:
        price([Line(49_99, 1)], currency="USD", discounts=discounts)
    assert refused.value.details == {"promotion_codes": "BIG takes an order of at least 50.00 USD."}


@pytest.mark.parametrize(
    ("free_from", "applies", "shipping", "shipping_tax"),
    [
        (None, False, 10_00, 0),
        (None, True, 10_00, 2_00),
        (90_01, True, 10_00, 2_00),
        (90_00, True, 0, 0),  # 100.00 less 10 %: what counts is what the goods cost
        (0, True, 0, 0),
    ],
)
def test_shipping_is_free_from_a_value_and_untaxed_unless_the_rate_says_so(free_from, applies, shipping, shipping_tax):
    quote = price(
        [Line(100_00, 1)],
        currency="EUR",
        discounts=[TEN_PERCENT],
        tax=Tax("VAT", Decimal(20), applies_to_shipping=applies),
        shipping=Shipping("post", 10_00, free_from),
    )
    assert (quote.shipping_total, quote.shipping_tax) == (shipping, shipping_tax)
    assert quote.tax_total == 18_00 + shipping_tax
    assert quote.total == 90_00 + 18_00 + shipping + shipping_tax


def test_the_explanation_tells_every_step():
    quote = price(
        [Line(1000, 2, "TEA-1", "Tea")],
        currency="USD",
        discounts=[TEN_PERCENT],
        tax=Tax("VAT", Decimal("8.75"), applies_to_shipping=True),
        shipping=Shipping("post", 400),
    )
    assert quote.explanation == [
        {
            "step": "line",
            "sku": "TEA-1",
            "name": "Tea",
            "unit_price": 1000,
            "quantity": 2,
            "subtotal": 2000,
            "discount": 200,
            "tax": 158,
            "total": 1958,
        },
        {"step": "promotion", "code": "TEN", "type": "percentage", "value": 1000, "amount": 200},
        {"step": "shipping", "code": "post", "amount": 400, "free": False},
        {"step": "tax", "name": "VAT", "rate": "8.75", "amount": 193, "on_shipping": 35},
    ]


def test_more_than_is_stored_is_refused():
    largest = Line(LARGEST_MINOR, 1)
    assert price([largest], currency="USD").total == LARGEST_MINOR
    for lines, tax in (([largest, Line(1, 1)], None), ([largest], Tax("VAT", Decimal("0.1")))):
        with pytest.raises(Invalid) as refused:
            price(lines, currency="USD", tax=tax)
        assert "items" in refused.value.details
