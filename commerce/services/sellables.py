"""What can be bought: a product, or a variant of it, under the name, at the price and from the stock of right now."""

from collections.abc import Collection
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import BooleanField, CharField, ExpressionWrapper, F, Func, Q, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from commerce.models import Product, ProductStatus, Variant
from crm.core import db
from crm.core.actor import Actor

ItemKey = tuple[UUID, UUID | None]  # ids of a product and of its variant


class Sellable(NamedTuple):
    """A choice as it is sold: `price` in minor units of `currency`, `available` what is in stock. Ids are text.

    A variant's own price comes before the product's sale price, and that before its price.
    """

    sku: str
    name: str
    price: int
    currency: str
    stock_id: str
    available: int
    is_sold: bool

    def unavailable_reason(self, currency: str) -> str | None:
        """Return why a shop that sells in `currency` does not sell this, or None."""
        if not self.is_sold:
            return f"{self.name} is not for sale."
        if self.currency != currency:
            return f"{self.name} is sold in {self.currency}, not in {currency}."
        return None


def columns(product: str, variant: str | None) -> tuple[Combinable, ...]:
    """Return the SQL of `Sellable`, by the ways to a product and a variant: `"items__product__"`."""
    is_sold = Q(**{f"{product}deleted_at": None, f"{product}status": ProductStatus.ACTIVE})
    if variant is None:
        names = ("sku", "name", "current_price", "currency", "stock_id", "stock__quantity")
        return (*(F(f"{product}{name}") for name in names), _bool(is_sold))
    is_sold &= Q(**{f"{variant}id": None}) | Q(**{f"{variant}deleted_at": None, f"{variant}active": True})
    name = Func(Value(" "), F(f"{product}name"), F(f"{variant}name"), function="concat_ws", output_field=CharField())
    return (
        Coalesce(F(f"{variant}sku"), F(f"{product}sku")),
        name,
        Coalesce(F(f"{variant}price"), F(f"{product}current_price")),
        F(f"{product}currency"),
        Coalesce(F(f"{variant}stock_id"), F(f"{product}stock_id")),
        Coalesce(F(f"{variant}stock__quantity"), F(f"{product}stock__quantity")),
        _bool(is_sold),
    )


def find(actor: Actor, choices: Collection[ItemKey]) -> dict[ItemKey, Sellable]:
    """Return what the organization has of these, in two statements; what was deleted or never was is left out.

    A variant is one of its own product's alone.
    """
    alone = {product_id for product_id, variant_id in choices if variant_id is None}
    variants = {variant_id for _, variant_id in choices if variant_id is not None}
    found: dict[ItemKey, Sellable] = {}
    if alone:
        rows = Product.objects.of(actor).alive().filter(pk__in=alone)
        for pk, *details in _asked(rows.values_list("pk", *columns("", None))):
            found[UUID(pk), None] = Sellable(*details)
    if variants:
        forms = Variant.objects.of(actor).alive().filter(pk__in=variants, product__deleted_at=None)
        for pk, product_id, *details in _asked(forms.values_list("pk", "product_id", *columns("product__", ""))):
            found[UUID(product_id), UUID(pk)] = Sellable(*details)
    return {choice: found[choice] for choice in choices if choice in found}


def _asked(rows: QuerySet[Any, Any]) -> list[tuple[Any, ...]]:
    return db.fetch(*rows.query.sql_with_params())


def _bool(condition: Q) -> ExpressionWrapper:
    return ExpressionWrapper(condition, output_field=BooleanField())
