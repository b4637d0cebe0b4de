"""The shop's terms as a checkout reads them: the tax of an address, a way to send, promotions and their uses.

Each is at most one statement. Whoever takes stock too counts the uses first: promotions are locked before balances.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from django.db.models import Count, F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from commerce.models import Order, Promotion, PromotionType, PromotionUse, ShippingMethod, TaxRate
from commerce.models.terms import normal_code
from commerce.services.addresses import country_code, state_code
from commerce.services.pricing import Discount, Shipping, Tax
from crm.core import clock
from crm.core.actor import Actor
from crm.core.db import CompiledQuery, lock_rows
from crm.core.errors import Invalid


def tax_for(actor: Actor, address: Mapping[str, Any] | None, on: date | None = None) -> Tax | None:
    """Return the tax at an address (its `country` and `state`), today in the organization's zone unless `on` says so.

    A rate of the state goes before one of the whole country, and a newer one before an older. An address without a
    country, or with one that nobody knows, has none.
    """
    country = country_code((address or {}).get("country") or "")
    if not address or not country:
        return None
    found = _TAXES.rows(
        actor,
        country=country,
        state=state_code(country, address.get("state") or ""),
        on=on or clock.today(actor.organization_timezone),
    )
    return Tax(found[0][0], Decimal(found[0][1]), applies_to_shipping=found[0][2]) if found else None


_TAXES = CompiledQuery(
    lambda actor, country, state, on: (
        TaxRate.objects.of(actor)
        .alive()
        .filter(country=country, state__in=["", state])
        .filter(starts_on__lte=on)
        .order_by("-state", "-starts_on")  # '' comes last
        .values_list("name", "rate", "applies_to_shipping")[:1]
    )
)


def shipping_for(actor: Actor, asked: str) -> Shipping:
    """Return the active shipping method of this id or code, or raise `Invalid` naming `shipping_method_id`.

    One whose amounts are in another currency than the shop's cannot be used; what costs nothing can in any.
    """
    try:
        found = _SHIPPING_BY_ID.rows(actor, pk=UUID(asked))
    except ValueError:
        found = _SHIPPING_BY_CODE.rows(actor, code=normal_code(asked))
    if not found:
        raise Invalid({"shipping_method_id": "There is no such shipping method."})
    method, currency = Shipping(*found[0][:-1]), found[0][-1]
    if currency != actor.currency and (method.price or method.free_from is not None):
        raise Invalid({"shipping_method_id": f"{method.code} is in {currency}."})
    return method


def _shipping(actor: Actor, **which: Any) -> Any:
    methods = ShippingMethod.objects.of(actor).alive().filter(active=True, **which)
    return methods.values_list("code", "price", "free_from", "name", "currency")


_SHIPPING_BY_ID = CompiledQuery(lambda actor, pk: _shipping(actor, pk=pk))
_SHIPPING_BY_CODE = CompiledQuery(lambda actor, code: _shipping(actor, code_normalized=code))


def promotions_for(
    actor: Actor, codes: Sequence[str], customer_id: UUID, now: datetime | None = None
) -> list[Promotion]:
    """Return the promotions of these codes, case aside and each once, in the order given.

    One that the customer cannot use now is `Invalid`, naming `promotion_codes` and the reason. Whether the order
    reaches their minimum is the pricing's question.
    """
    requested: dict[str, str] = {}
    for code in codes:
        requested.setdefault(normal_code(code), code)
    if not requested:
        return []
    # Asked for by promotion and customer: a code that everybody uses must not be counted through at each checkout.
    by_customer = PromotionUse.objects.of(actor).filter(
        promotion_id=OuterRef("pk"), customer_id=customer_id, returned_at=None
    )
    counted = by_customer.order_by().values("promotion_id").annotate(n=Count("pk")).values("n")
    known = {
        promotion.code_normalized: promotion
        for promotion in Promotion.objects.of(actor)
        .alive()
        .filter(code_normalized__in=requested)
        .annotate(used=Coalesce(Subquery(counted), 0))
    }
    for normalized, code in requested.items():
        promotion = known.get(normalized)
        _refuse_unusable(promotion, code, promotion.used if promotion else 0, now or clock.now(), actor.currency)
    return [known[normalized] for normalized in requested]


def discount(promotion: Promotion) -> Discount:
    """Return the promotion as the pricing takes it."""
    kind: Literal["fixed", "percentage"] = "fixed" if promotion.type == PromotionType.FIXED else "percentage"
    return Discount(promotion.code, kind, promotion.value, promotion.minimum_total)


def redeem(actor: Actor, promotions: Sequence[Promotion], order: Order, customer_id: UUID) -> None:
    """Count an order's use of each promotion; one that others used up meanwhile is `Invalid`.

    The promotions stay locked until the transaction ends, so that the last use is had by one order alone.
    """
    if not promotions:
        return
    locked = lock_rows(Promotion.objects.of(actor).alive(), [promotion.pk for promotion in promotions])
    used = _uses_of(actor, locked, customer_id) if any(row.max_uses_per_user for row in locked.values()) else {}
    for promotion in promotions:
        _refuse_unusable(
            locked.get(promotion.pk), promotion.code, used.get(promotion.pk, 0), clock.now(), actor.currency
        )
    Promotion.objects.of(actor).filter(pk__in=locked).update(uses=F("uses") + 1)
    PromotionUse.objects.bulk_create(
        PromotionUse(organization_id=actor.organization_id, promotion_id=pk, order=order, customer_id=customer_id)
        for pk in locked
    )


def give_back(actor: Actor, order: Order) -> None:
    """Take an order's uses off its promotions again, once: the caller has locked the order."""
    kept = PromotionUse.objects.of(actor).filter(order=order, returned_at=None)
    promotion_ids = list(kept.values_list("promotion_id", flat=True))
    if promotion_ids:
        lock_rows(Promotion.objects.of(actor), promotion_ids)
        kept.update(returned_at=clock.now())
        Promotion.objects.of(actor).filter(pk__in=promotion_ids).update(uses=F("uses") - 1)


def _uses_of(actor: Actor, promotion_ids: Mapping[UUID, Promotion], customer_id: UUID) -> Counter[UUID]:
    uses = PromotionUse.objects.of(actor).filter(
        promotion_id__in=promotion_ids, customer_id=customer_id, returned_at=None
    )
    return Counter(uses.values_list("promotion_id", flat=True))


def _refuse_unusable(promotion: Promotion | None, code: str, used: int, now: datetime, currency: str) -> None:
    """Raise `Invalid` with the reason where a customer who has used the promotion so often cannot use it now."""
    if promotion is None or not promotion.active:
        reason = f"There is no promotion {code}."
    elif promotion.starts_at and now < promotion.starts_at:
        reason = f"{promotion.code} has not started yet."
    elif promotion.ends_at and now >= promotion.ends_at:
        reason = f"{promotion.code} has ended."
    elif promotion.max_uses is not None and promotion.uses >= promotion.max_uses:
        reason = f"{promotion.code} has been used up."
    elif promotion.max_uses_per_user is not None and used >= promotion.max_uses_per_user:
        reason = f"{promotion.code} cannot be used again by this customer."
    elif promotion.currency != currency and (promotion.type == PromotionType.FIXED or promotion.minimum_total):
        reason = f"{promotion.code} is in {promotion.currency}."
    else:
        return
    raise Invalid({"promotion_codes": reason})
