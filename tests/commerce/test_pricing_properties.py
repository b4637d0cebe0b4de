"""What holds for any cart: a reference in exact fractions, and totals that no order of lines or codes changes."""

import random
from decimal import Decimal
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commerce.services.pricing import Discount, Line, Shipping, Tax, price

CURRENCIES = ("JPY", "USD", "EUR", "KWD")
RATES = ("0", "0.1", "5", "7.7", "8.75", "8.875", "20", "33.3333", "100")
TAXES = (None, *(Tax("Tax", Decimal(rate), applies) for rate in RATES for applies in (False, True)))
SHIPPINGS = (None, *(Shipping("post", cost, free) for cost in (0, 1, 499) for free in (None, 0, 50, 5_000, 50_000)))
KINDS = ("fixed", "percentage")
MOST = 12


def line(number):
    return Line(number // MOST, number % MOST + 1)


def discount(number):
    """Return one of 20,000, told apart by value: hundredths of a percent and minor units alike go up to 10,000."""
    return Discount(f"CODE{number}", KINDS[number % 2], number // 2 + 1)


# One number a line and a code, which is quick to draw. Small prices make ties frequent; the large one no float holds.
SMALL, MIDDLING, LARGE = st.integers(0, 30 * MOST), st.integers(0, 100_000 * MOST), st.just(MOST * (10**13 - 1))
LINES = st.lists((SMALL | MIDDLING | LARGE).map(line), min_size=1, max_size=7)
DISCOUNTS = st.sets(st.integers(0, 19_999), max_size=3).map(lambda numbers: [discount(each) for each in numbers])


@settings(max_examples=10_000, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(
    LINES,
    DISCOUNTS,
    st.sampled_from(TAXES),
    st.sampled_from(SHIPPINGS),
    st.sampled_from(CURRENCIES),
    st.integers(0, 2**32),
)
def test_any_cart_adds_up_and_its_order_does_not_matter(lines, discounts, tax, shipping, currency, seed):
    terms = {"currency": currency, "tax": tax, "shipping": shipping}
    quote = price(lines, discounts=discounts, **terms)
    subtotal = sum(line.unit_price * line.quantity for line in lines)
    rate = Fraction(tax.rate) / 100 if tax else Fraction(0)

    # The lines are the order.
    assert quote.subtotal == sum(line.subtotal for line in quote.lines) == subtotal
    assert quote.discount_total == sum(line.discount for line in quote.lines)
    assert quote.tax_total == sum(line.tax for line in quote.lines) + quote.shipping_tax
    assert quote.total == sum(line.total for line in quote.lines) + quote.shipping_total + quote.shipping_tax
    assert quote.total == quote.subtotal - quote.discount_total + quote.tax_total + quote.shipping_total

    # Discounts are spent exactly: what they grant, at most what there is, within one unit of each line's part.
    granted = sum(
        each.value if each.kind == "fixed" else round(Fraction(subtotal * each.value, 100_00)) for each in discounts
    )
    assert quote.discount_total == min(granted, subtotal)
    for line, priced in zip(lines, quote.lines, strict=True):
        assert priced.subtotal == line.unit_price * line.quantity
        assert 0 <= priced.discount <= priced.subtotal
        assert abs(priced.discount * subtotal - quote.discount_total * priced.subtotal) < max(subtotal, 1)
        assert priced.tax == round((priced.subtotal - priced.discount) * rate)
        assert priced.total == priced.subtotal - priced.discount + priced.tax >= 0

    # Shipping.
    is_free = shipping is None or (shipping.free_from is not None and max(subtotal - granted, 0) >= shipping.free_from)
    assert quote.shipping_total == (0 if is_free else shipping.price)
    assert quote.shipping_tax == (
        0 if is_free or not tax or not tax.applies_to_shipping else round(shipping.price * rate)
    )

    # Another order of lines and codes changes nothing but the lines' order.
    shuffled = list(range(len(lines)))
    mixer = random.Random(seed)  # noqa: S311 - a repeatable order is no secret
    mixer.shuffle(shuffled)
    again = price([lines[at] for at in shuffled], discounts=mixer.sample(discounts, len(discounts)), **terms)
    assert sorted_lines(again) == sorted_lines(quote)
    for total in ("subtotal", "discount_total", "tax_total", "shipping_total", "shipping_tax", "total"):
        assert getattr(again, total) == getattr(quote, total)


def sorted_lines(quote):
    return sorted((line.subtotal, line.discount, line.tax, line.total) for line in quote.lines)
