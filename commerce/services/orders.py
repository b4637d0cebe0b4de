"""Orders are made in one place, whichever surface asks: priced here, their stock taken in the same transaction.

What an order says was true when it was made: it keeps names, SKUs, prices, taxes and addresses of its own.
"""

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, TypedDict, Unpack
from uuid import UUID

from django.db.models import QuerySet, Sum

from commerce.models import MovementType, Order, OrderItem, OrderStatus, StockMovement
from commerce.models.orders import NUMBER_PREFIX, TRANSITIONS
from commerce.services import order_terms, sellables
from commerce.services.addresses import require_address
from commerce.services.pricing import Line, Quote, price
from commerce.services.sellables import ItemKey, Sellable
from commerce.services.stock import InsufficientStock, return_stock, take_stock
from contacts.models import Contact
from crm.core import clock, db, events, money
from crm.core.actor import Actor
from crm.core.db import lock_row, share_rows
from crm.core.errors import Conflict, Invalid
from crm.core.models import Event, TimelineKind

ATTEMPTS = 50  # at a number that is free; even where every second one is taken, not finding one is a wonder


class OrderLine(NamedTuple):
    """So many of a choice, at `unit_price` minor units."""

    product_id: UUID
    variant_id: UUID | None
    sellable: Sellable
    quantity: int
    unit_price: int
    attributes: Any


class ShortItems(Conflict):
    """There is not enough of some lines; `details` names each, as `items.0.quantity`."""

    code = "INSUFFICIENT_STOCK"
    message = "There is not enough in stock."


class OrderFields(TypedDict, total=False):
    """Further columns of a new order, by domain name."""

    notes: str
    payment_method: str
    created_by_id: UUID | None


def place_order(
    actor: Actor,
    customer: Contact,
    lines: Sequence[OrderLine],
    *,
    shipping_address: Mapping[str, Any] | None = None,
    billing_address: Mapping[str, Any] | None = None,
    promotion_codes: Sequence[str] = (),
    shipping_method_id: str = "",
    **fields: Unpack[OrderFields],
) -> Order:
    """Make an order for a customer whom the caller holds; `fields` are further columns.

    `Invalid` names promotions and methods that cannot be used, `ShortItems` the lines without enough in stock. The
    number of statements does not depend on the number of lines.
    """
    require_address("shipping_address", shipping_address)
    require_address("billing_address", billing_address)
    # Seen already, so that a crowd after the last unit waits for nobody; what is taken below is what counts.
    _require({line.sellable.stock_id: line.sellable.available for line in lines}, lines)
    shipping = order_terms.shipping_for(actor, shipping_method_id) if shipping_method_id else None
    promotions = order_terms.promotions_for(actor, promotion_codes, customer.pk)
    quote = price(
        [Line(line.unit_price, line.quantity, line.sellable.sku, line.sellable.name) for line in lines],
        currency=actor.currency,
        discounts=[order_terms.discount(promotion) for promotion in promotions],
        tax=order_terms.tax_for(actor, shipping_address),
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
            **fields,
        )
    )
    db.insert_many(items_of(order, lines, quote))
    # Promotions are locked before balances, and balances last: they are what others wait for.
    order_terms.redeem(actor, promotions, order, customer.pk)
    _take(actor, order, lines)
    events.record(actor, "order.created", order, **event_data(order, customer))
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
            sku=line.sellable.sku,
            name=line.sellable.name,
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
        wanted[line.sellable.stock_id] += line.quantity
    return wanted


def _require(available: Mapping[str, int], lines: Sequence[OrderLine]) -> None:
    """Raise `ShortItems` where these stocks have less than the lines want of them."""
    wanted = _wanted(lines)
    details = {
        f"items.{index}.quantity": f"Only {available[line.sellable.stock_id]} of {line.sellable.name} in stock."
        for index, line in enumerate(lines)
        if wanted[line.sellable.stock_id] > available.get(line.sellable.stock_id, wanted[line.sellable.stock_id])
    }
    if details:
        raise ShortItems(details=details)


def event_data(order: Order, customer: Contact) -> dict[str, Any]:
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


INVALID_TRANSITION = "INVALID_TRANSITION"
HISTORY = ("order.created", "order.status_changed")


def change_status(
    actor: Actor, order: Order, *, status: str, tracking_number: str = "", notes: str = "", restock: bool = False
) -> Order:
    """Move an order on, as `TRANSITIONS` allows; another step is a `Conflict`.

    A cancelled order gives back its stock and its promotions' uses; a refunded one its stock where `restock` says
    that the goods came back. `notes` go to the order's history.
    """
    if restock and status not in {OrderStatus.CANCELLED, OrderStatus.REFUNDED}:
        raise Invalid({"restock": "Only what is cancelled or refunded goes back into stock."})
    order = lock_row(Order.objects.visible_to(actor), order.pk)
    if status not in TRANSITIONS[order.status]:
        raise Conflict(f"An order that is {order.status} cannot become {status}.", code=INVALID_TRANSITION)
    changes = events.assign(
        order, {"status": status} | ({"tracking_number": tracking_number} if tracking_number else {})
    )
    if status == OrderStatus.CANCELLED:
        order_terms.give_back(actor, order)
    if restock or status == OrderStatus.CANCELLED:
        _return_stock(actor, order)
    order.save(update_fields=[*changes, "stock_returned_at", "updated_at"])
    events.record(actor, "order.status_changed", order, **status_event_data(order, changes, notes))
    return order


def status_event_data(order: Order, changes: Mapping[str, Any], notes: str) -> dict[str, Any]:
    """Return what the event of a change of an order's status tells."""
    return {
        "title": f"Order {order.order_number} is {order.status}",
        "kind": TimelineKind.ORDER,
        "contact_id": order.customer_id,
        "company_id": order.customer.company_id,
        "content": notes,
        "changes": changes,
        "metadata": {"order_number": order.order_number, "status": str(order.status)},
    }


def history_of(actor: Actor, order: Order) -> QuerySet[Event]:
    """Return the events that tell how an order came to be where it is; its creation is the first."""
    return Event.objects.of(actor).filter(subject_id=order.pk, name__in=HISTORY)


def cancel_order(actor: Actor, order: Order) -> Order:
    """Cancel an order that has not been shipped."""
    return change_status(actor, order, status=OrderStatus.CANCELLED)


def _return_stock(actor: Actor, order: Order) -> None:
    """Put back, once, what the ledger says the order took; the caller has locked the order."""
    if order.stock_returned_at is not None:
        return
    movements = StockMovement.objects.of(actor).filter(reference_id=order.pk)
    taken: Counter[UUID] = Counter()
    for stock_id, change in movements.values_list("stock_id").annotate(change=Sum("change")):
        taken[stock_id] = -change
    return_stock(actor, +taken, reference=order, reason=order.order_number)
    order.stock_returned_at = clock.now()


OVERRIDE = "orders:override_price"


class EnteredOrder(TypedDict, total=False):
    """What an order that the team enters says beside its customer and items, by domain name."""

    shipping_address: Mapping[str, Any] | None
    billing_address: Mapping[str, Any] | None
    promotion_codes: Sequence[str]
    shipping_method_id: str
    notes: str


def enter_order(
    actor: Actor, *, customer_id: UUID, items: Sequence[Mapping[str, Any]], **fields: Unpack[EnteredOrder]
) -> Order:
    """Make an order for a customer whom the actor sees.

    An item is `product_id, quantity`, perhaps `variant_id`, and `unit_price` in major units: another than the
    catalogue's takes the permission `orders:override_price`.
    """
    customer = _customer(actor, customer_id)
    return place_order(actor, customer, _lines(actor, items), created_by_id=actor.user_id, **fields)


def _customer(actor: Actor, customer_id: UUID) -> Contact:
    """Return the customer, whom nobody merges into another until the transaction ends."""
    held: list[Contact] = share_rows(Contact.objects.visible_to(actor).alive().filter(pk=customer_id))
    if not held:
        raise Invalid({"customer_id": "There is no such customer."})
    return held[0]


def _lines(actor: Actor, items: Sequence[Mapping[str, Any]]) -> list[OrderLine]:
    choices: list[ItemKey] = [(item["product_id"], item.get("variant_id")) for item in items]
    found = sellables.find(actor, choices)
    faults: dict[str, str] = {}
    lines = []
    for index, (choice, item) in enumerate(zip(choices, items, strict=True)):
        try:
            sold = _sold(actor, found.get(choice), choice)
            unit_price = _unit_price(actor, sold, item.get("unit_price"))
        except Invalid as fault:
            faults |= {f"items.{index}.{name}": reason for name, reason in fault.details.items()}
            continue
        lines.append(OrderLine(*choice, sold, item["quantity"], unit_price, {}))
    if faults:
        raise Invalid(faults)
    return lines


def _sold(actor: Actor, found: Sellable | None, choice: ItemKey) -> Sellable:
    if found is None:
        raise Invalid({"variant_id" if choice[1] else "product_id": "There is no such product."})
    reason = found.unavailable_reason(actor.currency)
    if reason:
        raise Invalid({"product_id": reason})
    return found


def _unit_price(actor: Actor, sold: Sellable, asked: Decimal | None) -> int:
    if asked is None:
        return sold.price
    unit_price = money.to_minor(asked, sold.currency, field="unit_price")
    if unit_price != sold.price and not actor.can(OVERRIDE):
        is_sold_at = money.text(sold.price, sold.currency)
        raise Invalid(
            {"unit_price": f"The catalogue's price is {is_sold_at}; another takes the permission {OVERRIDE}."}
        )
    return unit_price
