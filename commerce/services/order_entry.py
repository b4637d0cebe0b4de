"""Orders that the back office enters for a customer."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from commerce.models import Order
from commerce.services import goods
from commerce.services.goods import Choice, Goods
from commerce.services.orders import OrderLine, place_order
from contacts.models import Contact
from crm.core import money
from crm.core.actor import Actor
from crm.core.db import share_rows
from crm.core.errors import Invalid

OVERRIDE = "orders:override_price"


def enter_order(actor: Actor, *, customer_id: UUID, items: Sequence[Mapping[str, Any]], **told: Any) -> Order:
    """Make an order for a customer whom the actor sees; `told` goes to `place_order` as it is.

    An item is `product_id, quantity`, perhaps `variant_id`, and `unit_price` in major units: another than the
    catalogue's takes the permission `orders:override_price`.
    """
    customer = _customer(actor, customer_id)
    return place_order(actor, customer, _lines(actor, items), created_by_id=actor.user_id, **told)


def _customer(actor: Actor, customer_id: UUID) -> Contact:
    """Return the customer, whom nobody merges into another until the transaction ends."""
    held: list[Contact] = share_rows(Contact.objects.visible_to(actor).alive().filter(pk=customer_id))
    if not held:
        raise Invalid({"customer_id": "There is no such customer."})
    return held[0]


def _lines(actor: Actor, items: Sequence[Mapping[str, Any]]) -> list[OrderLine]:
    choices: list[Choice] = [(item["product_id"], item.get("variant_id")) for item in items]
    found = goods.find(actor, choices)
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


def _sold(actor: Actor, found: Goods | None, choice: Choice) -> Goods:
    if found is None:
        raise Invalid({"variant_id" if choice[1] else "product_id": "There is no such product."})
    reason = found.why_not(actor.currency)
    if reason:
        raise Invalid({"product_id": reason})
    return found


def _unit_price(actor: Actor, sold: Goods, asked: Decimal | None) -> int:
    if asked is None:
        return sold.price
    unit_price = money.to_minor(asked, sold.currency, field="unit_price")
    if unit_price != sold.price and not actor.can(OVERRIDE):
        is_sold_at = money.text(sold.price, sold.currency)
        raise Invalid(
            {"unit_price": f"The catalogue's price is {is_sold_at}; another takes the permission {OVERRIDE}."}
        )
    return unit_price
