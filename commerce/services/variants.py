"""Writes to variants: the forms a product comes in."""

from decimal import Decimal
from typing import Any, TypedDict, Unpack
from uuid import UUID

from commerce.models import Product, Variant
from commerce.services import skus, stock
from commerce.services.products import in_minor_units
from commerce.services.search_index import normal_sku
from crm.core import clock, db, events
from crm.core.actor import Actor
from crm.core.db import lock_row
from crm.core.errors import Invalid


class VariantFields(TypedDict, total=False):
    """What may be said of a variant, by domain name."""

    sku: str
    attributes: dict[str, Any]
    price: Decimal | None
    stock_quantity: int | None
    reorder_level: int | None
    active: bool


class VariantChanges(VariantFields, total=False):
    """The same, with what a new one must have."""

    name: str


def create_variant(actor: Actor, product: Product, *, name: str, **fields: Unpack[VariantFields]) -> Variant:
    """Create a variant; its `price` is in major units of the product's currency.

    With a `stock_quantity` it has a stock of its own, else it is sold from the product's.
    """
    values: dict[str, Any] = dict(fields)
    product = lock_row(Product.objects.of(actor).alive(), product.pk)
    variant = Variant(organization_id=actor.organization_id, product=product)
    quantity, level = values.pop("stock_quantity", None), values.pop("reorder_level", None)
    sku = values.pop("sku", "")
    if sku:
        skus.claim(actor, [sku])
    events.assign(variant, in_minor_units(values, product.currency) | {"name": name})
    variant.sku = sku or skus.generate_sku(actor, product.sku, name)
    variant.sku_normalized = normal_sku(variant.sku)
    _set_stock(actor, variant, quantity, level)
    db.insert(variant)
    _record(actor, "created", variant, metadata={"product_id": str(product.pk), "sku": variant.sku})
    return variant


def update_variant(actor: Actor, variant: Variant, **fields: Unpack[VariantChanges]) -> Variant:
    """Change a variant; a new `stock_quantity` is a correction in the ledger, or opens a stock of its own."""
    values: dict[str, Any] = dict(fields)
    product = lock_row(Product.objects.of(actor).alive(), variant.product_id)
    variant = lock_row(Variant.objects.of(actor).alive(), variant.pk)
    quantity, level = values.pop("stock_quantity", None), values.pop("reorder_level", None)
    if not values.get("sku", "-"):
        del values["sku"]
    changes = events.assign(variant, in_minor_units(values, product.currency))
    if "sku" in changes:
        skus.claim(actor, [variant.sku], own=[variant.pk])
        variant.sku_normalized = normal_sku(variant.sku)
    corrected = quantity if variant.stock_id else None
    if corrected is None and quantity is not None:
        actor.require(stock.ADJUST)
    changes |= _set_stock(actor, variant, quantity, level)
    if changes:
        written = {"stock_id" if name == "stock_quantity" else name for name in changes} - {"reorder_level"}
        variant.save(update_fields={*written, "sku_normalized", "updated_at"})
        _record(actor, "updated", variant, changes=changes, metadata={"product_id": str(product.pk)})
    if corrected is not None:
        stock.correct_stock(actor, product, corrected, variant=variant)
    return variant


def delete_variant(actor: Actor, variant: Variant) -> None:
    """Delete softly; its SKU can be used again, its stock stays in the ledger."""
    lock_row(Product.objects.of(actor), variant.product_id)
    variant = lock_row(Variant.objects.of(actor).alive(), variant.pk)
    variant.deleted_at = clock.now()
    variant.save(update_fields=["deleted_at", "updated_at"])
    _record(actor, "deleted", variant, metadata={"product_id": str(variant.product_id)})


def variant_of(actor: Actor, product: Product, variant_id: UUID | None) -> Variant | None:
    """Return the product's living variant that a body names, None where it names none; else `Invalid`."""
    if variant_id is None:
        return None
    found: Variant | None = Variant.objects.of(actor).alive().filter(product=product, pk=variant_id).first()
    if found is None:
        raise Invalid({"variant_id": "The product has no such variant."})
    return found


def _set_stock(actor: Actor, variant: Variant, quantity: int | None, level: int | None) -> dict[str, dict[str, Any]]:
    """Open a stock of the variant's own where a quantity asks for the first one, set its reorder level; return both."""
    if variant.stock_id is None and quantity is not None:
        variant.stock = stock.open_stock(actor, quantity, reorder_level=level or 0)
        return {"stock_quantity": {"from": None, "to": quantity}}
    if level is None:
        return {}
    if variant.stock_id is None:
        raise Invalid(
            {"reorder_level": "This variant is sold from the product's stock; give it a stock_quantity first."}
        )
    return stock.change_reorder_level(actor, variant.stock_id, level)


def _record(actor: Actor, what: str, variant: Variant, **details: Any) -> None:
    title = f"Variant {variant} of {variant.product} {what}"
    events.record(actor, f"variant.{what}", variant, title=title, **details)
