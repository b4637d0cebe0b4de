"""Checkout: a shopper's cart becomes an order, all of it or nothing."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from commerce.models import Order
from commerce.services import carts
from commerce.services.carts import OUT_OF_STOCK, CartLine
from commerce.services.orders import OrderLine, ShortItems, place_order
from contacts.services import shoppers
from crm.core.actor import Actor
from crm.core.errors import Invalid


def checkout(
    actor: Actor,
    *,
    shipping_address: Mapping[str, Any],
    billing_address: Mapping[str, Any] | None = None,
    promotion_codes: Sequence[str] | None = None,
    shipping_method_id: str = "",
    payment_method: str = "",
    notes: str = "",
) -> Order:
    """Order what is in the actor's cart and empty it; of two at once, the second finds it empty.

    Prices are those of this moment, whatever the cart was last shown with. `Invalid` says what cannot be ordered.
    """
    contents = carts.held_contents(actor)
    if not contents.lines:
        raise Invalid(message="The cart is empty.", code="CART_EMPTY")
    lines = _lines(actor, contents.lines)
    try:
        order = place_order(
            actor,
            shoppers.contact_for_user(actor),
            lines,
            shipping_address=shipping_address,
            billing_address=billing_address,
            promotion_codes=promotion_codes or (),
            shipping_method_id=shipping_method_id,
            payment_method=payment_method,
            notes=notes,
        )
    except ShortItems as refusal:
        raise Invalid(refusal.details, message=refusal.message, code=OUT_OF_STOCK) from refusal
    carts.clear(actor, contents.cart)
    return order


def _lines(actor: Actor, items: Sequence[CartLine]) -> list[OrderLine]:
    reasons = {f"items.{index}": item.sellable.unavailable_reason(actor.currency) for index, item in enumerate(items)}
    faults = {name: reason for name, reason in reasons.items() if reason}
    if faults:
        raise Invalid(faults, message="Something in the cart is not for sale any more. Remove it to order the rest.")
    return [
        OrderLine(
            UUID(item.product_id),
            UUID(item.variant_id) if item.variant_id else None,
            item.sellable,
            item.quantity,
            item.sellable.price,
            orjson.loads(orjson.dumps(item.attributes)),
        )
        for item in items
    ]
