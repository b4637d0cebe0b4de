"""What an order costs: lines, promotions, tax and shipping in, a quote out that adds up to the minor unit.

Pure arithmetic in integer minor units of one currency: no database, no clock. `docs/pricing.md` tells the rules.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from crm.core import money
from crm.core.errors import Invalid

PERCENT = 100
HUNDREDTHS_OF_PERCENT = 100 * PERCENT


@dataclass(frozen=True, slots=True)
class Line:
    """So many of one thing at one price; `sku` and `name` are for the explanation alone."""

    unit_price: int
    quantity: int
    sku: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Discount:
    """A promotion's effect. `value` is hundredths of a percent, or minor units where the kind is fixed."""

    code: str
    kind: Literal["percentage", "fixed"]
    value: int
    minimum_total: int = 0


@dataclass(frozen=True, slots=True)
class Tax:
    """A tax rate in percent: `Decimal("8.75")`."""

    name: str
    rate: Decimal
    applies_to_shipping: bool = False


@dataclass(frozen=True, slots=True)
class Shipping:
    """What it costs to send, nothing where the discounted goods are worth `free_from` or more."""

    code: str
    price: int
    free_from: int | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A line's part in the order: `total` is `subtotal` - `discount` + `tax`."""

    subtotal: int
    discount: int
    tax: int
    total: int


@dataclass(frozen=True, slots=True)
class Quote:
    """An order's amounts. `total` is `subtotal` - `discount_total` + `tax_total` + `shipping_total`.

    `tax_total` is the lines' taxes and `shipping_tax`; `explanation` says how it came about, as JSON can hold it.
    """

    currency: str
    lines: tuple[PricedLine, ...]
    subtotal: int
    discount_total: int
    tax_total: int
    shipping_total: int
    shipping_tax: int
    total: int
    explanation: list[dict[str, Any]]


def price(
    lines: Sequence[Line],
    *,
    currency: str,
    discounts: Iterable[Discount] = (),
    tax: Tax | None = None,
    shipping: Shipping | None = None,
) -> Quote:
    """Price an order. Its totals depend neither on the order of its lines nor on that of the codes.

    `Invalid` names `promotion_codes` where a minimum is not reached, `items` where the sum is beyond what is stored.
    """
    subtotals = [line.unit_price * line.quantity for line in lines]
    subtotal = sum(subtotals)
    spent = _spent(subtotal, discounts, currency)
    discount_total = sum(amount for _, amount in spent)
    shipping_total, shipping_tax = _shipping(shipping, subtotal - discount_total, tax)
    priced = tuple(
        _priced(whole, part, tax) for whole, part in zip(subtotals, spread(discount_total, subtotals), strict=True)
    )
    tax_total = sum(line.tax for line in priced) + shipping_tax
    total = subtotal - discount_total + tax_total + shipping_total
    if subtotal > money.LARGEST_MINOR or total > money.LARGEST_MINOR:
        raise Invalid({"items": "The order's total is too large."})
    steps = [_line_step(line, parts) for line, parts in zip(lines, priced, strict=True)]
    steps += [_discount_step(discount, amount) for discount, amount in spent]
    if shipping is not None:
        free = shipping.price > 0 and shipping_total == 0
        steps.append({"step": "shipping", "code": shipping.code, "amount": shipping_total, "free": free})
    if tax is not None:
        steps.append(_tax_step(tax, tax_total, shipping_tax))
    return Quote(
        currency=currency,
        lines=priced,
        subtotal=subtotal,
        discount_total=discount_total,
        tax_total=tax_total,
        shipping_total=shipping_total,
        shipping_tax=shipping_tax,
        total=total,
        explanation=steps,
    )


def spread(amount: int, weights: Sequence[int]) -> list[int]:
    """Split an amount, at most the weights' sum, in proportion to the weights, to the last unit (largest remainder).

    Of equal remainders the larger weight is served first, and of equal weights the earlier one: which amounts come
    out, and so every tax on them, is the same in any order of the weights. None gets more than its weight.
    """
    if amount == 0:
        return [0] * len(weights)
    whole = sum(weights)
    parts, remainders = zip(*(divmod(amount * weight, whole) for weight in weights), strict=True)
    shares = list(parts)
    ranked = sorted(range(len(weights)), key=lambda at: (-remainders[at], -weights[at], at))
    for at in ranked[: amount - sum(parts)]:
        shares[at] += 1
    return shares


def rounded(numerator: int, denominator: int) -> int:
    """Return the fraction, not negative, rounded half-even to a whole number."""
    quotient, remainder = divmod(numerator, denominator)
    return quotient + (2 * remainder + quotient % 2 > denominator)


def _spent(subtotal: int, discounts: Iterable[Discount], currency: str) -> list[tuple[Discount, int]]:
    """Return what each discount takes off: percentages of the subtotal, then fixed ones, never more than is left."""
    left = subtotal
    spent = []
    for discount in sorted(discounts, key=lambda each: (each.kind == "fixed", each.code)):
        if subtotal < discount.minimum_total:
            least = money.text(discount.minimum_total, currency)
            raise Invalid({"promotion_codes": f"{discount.code} takes an order of at least {least}."})
        if discount.kind == "fixed":
            requested = discount.value
        else:
            requested = rounded(subtotal * discount.value, HUNDREDTHS_OF_PERCENT)
        amount = min(requested, left)
        left -= amount
        spent.append((discount, amount))
    return spent


def _shipping(shipping: Shipping | None, goods: int, tax: Tax | None) -> tuple[int, int]:
    """Return what shipping costs, and the tax on it where the rate takes shipping in."""
    if shipping is None or (shipping.free_from is not None and goods >= shipping.free_from):
        return 0, 0
    return shipping.price, _tax_on(shipping.price, tax) if tax and tax.applies_to_shipping else 0


def _priced(subtotal: int, discount: int, tax: Tax | None) -> PricedLine:
    net = subtotal - discount
    taxed = _tax_on(net, tax) if tax else 0
    return PricedLine(subtotal, discount, taxed, net + taxed)


def _tax_on(amount: int, tax: Tax) -> int:
    numerator, denominator = tax.rate.as_integer_ratio()
    return rounded(amount * numerator, PERCENT * denominator)


def _line_step(line: Line, priced: PricedLine) -> dict[str, Any]:
    return {
        "step": "line",
        "sku": line.sku,
        "name": line.name,
        "unit_price": line.unit_price,
        "quantity": line.quantity,
        "subtotal": priced.subtotal,
        "discount": priced.discount,
        "tax": priced.tax,
        "total": priced.total,
    }


def _discount_step(discount: Discount, amount: int) -> dict[str, Any]:
    return {
        "step": "promotion",
        "code": discount.code,
        "type": discount.kind,
        "value": discount.value,
        "amount": amount,
    }


def _tax_step(tax: Tax, amount: int, on_shipping: int) -> dict[str, Any]:
    return {
        "step": "tax",
        "name": tax.name,
        "rate": f"{tax.rate.normalize():f}",
        "amount": amount,
        "on_shipping": on_shipping,
    }
