"""Writes to promotions. How a checkout uses them is in `terms`."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from commerce.models import Promotion, PromotionType
from commerce.models.terms import normal_code
from commerce.services import shop_config
from crm.core import events, money
from crm.core.actor import Actor
from crm.core.errors import Invalid

PROMOTION = shop_config.Kind("promotion", "Promotion", "promotion_code_once", "Another promotion has this code.")
HUNDREDTHS = 100  # of a percent


class PromotionFields(TypedDict, total=False):
    """What may be said of a promotion, by domain name."""

    currency: str
    starts_at: datetime | None
    ends_at: datetime | None
    minimum_total: Decimal | None
    max_uses: int | None
    max_uses_per_user: int | None
    active: bool


class PromotionChanges(PromotionFields, total=False):
    """The same, with what a new one must have."""

    code: str
    type: str
    value: Decimal


def create_promotion(
    actor: Actor, *, code: str, type: str, value: Decimal, **fields: Unpack[PromotionFields]
) -> Promotion:
    """Create a promotion; `value` is in percent or in major units, as its type says.

    Amounts are in `currency`, by default the shop's.
    """
    promotion = Promotion(organization_id=actor.organization_id, type=type)
    _set(actor, promotion, {**fields, "code": code, "value": value})
    return shop_config.add(actor, PROMOTION, promotion)


def update_promotion(actor: Actor, promotion: Promotion, **fields: Unpack[PromotionChanges]) -> Promotion:
    """Change a promotion, amounts in its own currency; another type takes a value of its own.

    Orders placed keep the price they have.
    """
    promotion = shop_config.locked(actor, promotion)
    changes = _set(actor, promotion, fields)
    return shop_config.change(actor, PROMOTION, promotion, changes, "code_normalized")


def delete_promotion(actor: Actor, promotion: Promotion) -> None:
    """Delete a promotion: nobody can use it any more."""
    shop_config.remove(actor, PROMOTION, promotion)


def shown_value(type: str, value: int, currency: str) -> float:
    """Return a stored value as people write it: percent, or major units of the currency."""
    return value / HUNDREDTHS if type == PromotionType.PERCENTAGE else money.to_major(value, currency)


def _set(actor: Actor, promotion: Promotion, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Set the fields and return what changed, or raise `Invalid`."""
    kind = fields.get("type", promotion.type)
    amounts = ("value", "minimum_total") if promotion.type == PromotionType.FIXED else ("minimum_total",)
    currency = shop_config.currency_of(actor, promotion, fields, amounts)
    columns = {**fields, "currency": currency}
    if "value" in columns:
        columns["value"] = _stored_value(kind, columns["value"], currency)
    elif kind != promotion.type:
        raise Invalid({"value": "Say the value together with the new type."})
    if "minimum_total" in columns:
        least = columns["minimum_total"] or Decimal(0)
        columns["minimum_total"] = money.to_minor(least, currency, field="minimum_total")
    changes = events.assign(promotion, columns)
    promotion.code_normalized = normal_code(promotion.code)
    if promotion.starts_at and promotion.ends_at and promotion.ends_at <= promotion.starts_at:
        raise Invalid({"ends_at": "A promotion ends after it starts."})
    if promotion.max_uses is not None and promotion.max_uses < promotion.uses:
        raise Invalid({"max_uses": f"It has been used {promotion.uses} times already."})
    return changes


def _stored_value(kind: str, value: Decimal, currency: str) -> int:
    if kind == PromotionType.FIXED:
        stored = money.to_minor(value, currency, field="value")
        if stored <= 0:
            raise Invalid({"value": "Enter an amount above 0."})
        return stored
    if not 0 < value <= 100:
        raise Invalid({"value": "Enter a percentage above 0 and up to 100."})
    hundredths = value * HUNDREDTHS
    if hundredths != int(hundredths):
        raise Invalid({"value": "A percentage has at most 2 decimals."})
    return int(hundredths)
