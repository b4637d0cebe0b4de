"""Orders are made in one place, whichever surface asks: priced here, their stock taken in the same transaction.

What an order says was true when it was made: it keeps names, SKUs, prices, taxes and addresses of its own.
"""

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from commerce.models import MovementType, Order, OrderItem
from commerce.models.orders import NUMBER_PREFIX
from commerce.services import terms
from commerce.services.goods import Goods
from commerce.services.places import require_address
from commerce.services.pricing import Line, Quote, price
from commerce.services.stock import InsufficientStock, take_stock
from contacts.models import Contact
from crm.core import db, events, money
from crm.core.actor import Actor
from crm.core.errors import Conflict
from crm.core.models import TimelineKind

ATTEMPTS = 50  # at a number that is free; even where every second one is taken, not finding one is a wonder


class OrderLine(NamedTuple):
    """So many of a choice, at `unit_price` minor units."""

    product_id: UUID
    variant_id: UUID | None
    goods: Goods
    quantity: int
    unit_price: int
    attributes: Any


class ShortItems(Conflict):
    """There is not enough of some lines; `details` names each, as `items.0.quantity`."""

    code = "INSUFFICIENT_STOCK"
    message = "There is not enough in stock."


def place_order(
    actor: Actor,
    customer: Contact,
    lines: Sequence[OrderLine],
    *,
    shipping_address: Mapping[str, Any] | None = None,
    billing_address: Mapping[str, Any] | None = None,
    promotion_codes: Sequence[str] = (),
    shipping_method_id: str = "",
    **told: Any,
) -> Order:
    """Make an order for a customer whom the caller holds; `told` are further columns, such as notes.

    `Invalid` names promotions and methods that cannot be used, `ShortItems` the lines without enough in stock. The
    number of statements does not depend on the number of lines.
    """
    require_address("shipping_address", shipping_address)
    require_address("billing_address", billing_address)
    # Seen already, so that a crowd after the last unit waits for nobody; what is taken below is what counts.
    _require({line.goods.stock_id: line.goods.available for line in lines}, lines)
    shipping = terms.shipping_for(actor, shipping_method_id) if shipping_method_id else None
    promotions = terms.promotions_for(actor, promotion_codes, customer.pk)
    quote = price(
        [Line(line.unit_price, line.quantity, line.goods.sku, line.goods.name) for line in lines],
        currency=actor.currency,
        discounts=[terms.discount(promotion) for promotion in promotions],
        tax=terms.tax_for(actor, shipping_address),
        shipping=shipping,
    )
    order = _inserted(
        Order(
            organization_id=actor.organization_id,
            customer_id=customer.pk,
            user_id=customer.user_id,
            **amounts(quote),
            shipping_address=shipping_address,
            billing_address=billing_address or shipping_address,
            shipping_method=shipping.code if shipping else "",
            promotion_codes=[promotion.code for promotion in promotions],
            **told,
        )
    )
    db.insert_many(items_of(order, lines, quote))
    # Promotions are locked before balances, and balances last: they are what others wait for.
    terms.redeem(actor, promotions, order, customer.pk)
    _take(actor, order, lines)
    events.record(actor, "order.created", order, **story(order, customer))
    return order


def new_number() -> str:
    """Return an order number that may be free.

    Numbers are drawn, not counted: a counter would make all checkouts of an organization wait for each other, and
    would tell everybody how much it sells.
    """
    return f"{NUMBER_PREFIX}{secrets.randbelow(10**8):08d}"


def _inserted(order: Order) -> Order:
    for _ in range(ATTEMPTS):
        order.order_number = new_number()
        if db.insert_or_ignore(order):
            return order
    raise Conflict("No order number was free. Try again.")


def amounts(quote: Quote) -> dict[str, Any]:
    """Return an order's columns that say what it costs."""
    return {
        "currency": quote.currency,
        "subtotal": quote.subtotal,
        "discount_total": quote.discount_total,
        "tax_total": quote.tax_total,
        "shipping_total": quote.shipping_total,
        "total": quote.total,
        "pricing": {"steps": quote.explanation},
    }


def items_of(order: Order, lines: Sequence[OrderLine], quote: Quote) -> list[OrderItem]:
    """Return the unsaved lines of an order."""
    return [
        OrderItem(
            organization_id=order.organization_id,
            order=order,
            position=position,
            product_id=line.product_id,
            variant_id=line.variant_id,
            sku=line.goods.sku,
            name=line.goods.name,
            attributes=line.attributes,
            quantity=line.quantity,
            unit_price=line.unit_price,
            discount=priced.discount,
            tax=priced.tax,
            total=priced.total,
        )
        for position, (line, priced) in enumerate(zip(lines, quote.lines, strict=True), start=1)
    ]


def _take(actor: Actor, order: Order, lines: Sequence[OrderLine]) -> None:
    wanted = {UUID(stock_id): units for stock_id, units in _wanted(lines).items()}
    try:
        take_stock(actor, wanted, type=MovementType.SALE, reference=order, reason=order.order_number)
    except InsufficientStock as refusal:
        _require({str(shortage.stock_id): shortage.available for shortage in refusal.short}, lines)
        raise


def _wanted(lines: Sequence[OrderLine]) -> Counter[str]:
    """Return how many units each stock is asked for, by all lines on it together."""
    wanted: Counter[str] = Counter()
    for line in lines:
        wanted[line.goods.stock_id] += line.quantity
    return wanted


def _require(available: Mapping[str, int], lines: Sequence[OrderLine]) -> None:
    """Raise `ShortItems` where these stocks have less than the lines want of them."""
    wanted = _wanted(lines)
    details = {
        f"items.{index}.quantity": f"Only {available[line.goods.stock_id]} of {line.goods.name} in stock."
        for index, line in enumerate(lines)
        if wanted[line.goods.stock_id] > available.get(line.goods.stock_id, wanted[line.goods.stock_id])
    }
    if details:
        raise ShortItems(details=details)


def story(order: Order, customer: Contact) -> dict[str, Any]:
    """Return what the event of a new order tells."""
    return {
        "title": f"Order {order.order_number} over {money.text(order.total, order.currency)}",
        "kind": TimelineKind.ORDER,
        "contact_id": customer.pk,
        "company_id": customer.company_id,
        "content": order.notes,
        "metadata": {
            "order_number": order.order_number,
            "status": str(order.status),
            "total": money.to_major(order.total, order.currency),
            "currency": order.currency,
        },
    }
