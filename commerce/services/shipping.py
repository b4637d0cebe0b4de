"""Writes to shipping methods. How a checkout finds one is in `terms`."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from commerce.models import ShippingMethod
from commerce.models.terms import normal_code
from commerce.services import keeping
from crm.core import events, money
from crm.core.actor import Actor

NOUN = keeping.Noun("shipping_method", "Shipping method", "shipping_code_once", "Another method has this code.")
AMOUNTS = ("price", "free_from")


def create_shipping_method(actor: Actor, *, code: str, name: str, **fields: Any) -> ShippingMethod:
    """Create a shipping method; amounts are in major units of `currency`, by default the shop's."""
    method = ShippingMethod(organization_id=actor.organization_id)
    _set(actor, method, {**fields, "code": code, "name": name})
    return keeping.add(actor, NOUN, method)


def update_shipping_method(actor: Actor, method: ShippingMethod, **fields: Any) -> ShippingMethod:
    """Change a shipping method, amounts in its own currency; orders placed keep the price they have."""
    method = keeping.locked(actor, method)
    changes = _set(actor, method, fields)
    return keeping.change(actor, NOUN, method, changes, "code_normalized")


def delete_shipping_method(actor: Actor, method: ShippingMethod) -> None:
    """Delete a shipping method: nobody can choose it any more."""
    keeping.remove(actor, NOUN, method)


def set_up(actor: Actor) -> None:
    """Give a new organization its first way to send, at no charge."""
    create_shipping_method(actor, code="ship_standard", name="Standard shipping", price=Decimal(0))


def _set(actor: Actor, method: ShippingMethod, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Set the fields and return what changed."""
    currency = keeping.currency_of(actor, method, fields, AMOUNTS)
    columns = {**fields, "currency": currency}
    for name in AMOUNTS:
        if columns.get(name) is not None:
            columns[name] = money.to_minor(columns[name], currency, field=name)
    changes = events.assign(method, columns)
    method.code_normalized = normal_code(method.code)
    return changes
