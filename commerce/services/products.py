"""Writes to products: on every surface the same rows."""

from decimal import Decimal
from typing import Any, TypedDict, Unpack
from uuid import UUID

from commerce.models import Brand, Category, Product, Variant
from commerce.services import search_index, skus, stock, taxonomy
from crm.core import clock, db, events, money
from crm.core.actor import Actor
from crm.core.db import lock_row
from crm.core.errors import Invalid

AMOUNTS = ("price", "sale_price", "cost")


class ProductFields(TypedDict, total=False):
    """What may be said of a product, by domain name."""

    sku: str
    description: str
    category: str | None
    category_id: UUID | None
    brand: str | None
    brand_id: UUID | None
    sale_price: Decimal | None
    cost: Decimal | None
    currency: str
    stock_quantity: int
    reorder_level: int
    status: str
    images: list[str]
    attributes: dict[str, Any]


class ProductChanges(ProductFields, total=False):
    """The same, with what a new one must have."""

    name: str
    price: Decimal


def create_product(actor: Actor, *, name: str, price: Decimal, **fields: Unpack[ProductFields]) -> Product:
    """Create a product; amounts are in major units of `currency`, by default the organization's.

    `category` and `brand` name what is found or made. An SKU is made of the name where none is given. What is in
    stock from the start (`stock_quantity`) is the first movement of its ledger.
    """
    values: dict[str, Any] = dict(fields)
    product = Product(organization_id=actor.organization_id, created_by_id=actor.user_id, currency=actor.currency)
    quantity, level = values.pop("stock_quantity", None) or 0, values.pop("reorder_level", None) or 0
    product.category = _category(actor, product, values)
    product.brand = _brand(actor, product, values)
    _set_currency(product, values)
    sku = values.pop("sku", "")
    if sku:
        skus.claim(actor, [sku])
    events.assign(product, in_minor_units({**values, "price": price}, values["currency"]) | {"name": name})
    _require_lower_sale_price(product)
    product.sku = sku or skus.generate_sku(actor, name)
    search_index.refresh(product, product.brand)
    product.stock = stock.open_stock(actor, quantity, reorder_level=level)
    db.insert(product)
    events.record(
        actor,
        "product.created",
        product,
        title=f"Product {product} created",
        metadata={"sku": product.sku, "stock_quantity": quantity},
    )
    return product


def update_product(actor: Actor, product: Product, **fields: Unpack[ProductChanges]) -> Product:
    """Change a product; nothing changed, nothing recorded. A new `stock_quantity` is a correction in the ledger."""
    values: dict[str, Any] = dict(fields)
    known = (product.category_id, product.brand_id)
    moves = [not {key, f"{key}_id"}.isdisjoint(values) for key in ("category", "brand")]
    # Category and brand first: whoever renames or deletes one locks it before its products.
    category, brand = _category(actor, product, values), _brand(actor, product, values)
    product = lock_row(Product.objects.of(actor).alive(), product.pk)
    if not moves[0] and product.category_id != known[0]:
        category = taxonomy.held(actor, Category, product.category_id)
    if not moves[1] and product.brand_id != known[1]:
        brand = taxonomy.held(actor, Brand, product.brand_id)
    quantity, level = values.pop("stock_quantity", None), values.pop("reorder_level", None)
    _set_currency(product, values)
    if not values.get("sku", "-"):
        del values["sku"]
    references = {"category_id": category.pk if category else None, "brand_id": brand.pk if brand else None}
    changes = events.assign(product, in_minor_units(values, values["currency"]) | references)
    _require_lower_sale_price(product)
    if "sku" in changes:
        skus.claim(actor, [product.sku], own=[product.pk])
    written = set(changes)
    if search_index.SOURCES & changes.keys():
        search_index.refresh(product, brand)
        written |= search_index.DERIVED
    if level is not None:
        changes |= stock.change_reorder_level(actor, product.stock_id, level)
    if changes:
        product.save(update_fields={*written, "updated_at"})
        events.record(actor, "product.updated", product, title=f"Product {product} updated", changes=changes)
    if quantity is not None:
        stock.correct_stock(actor, product, quantity)
    return product


def delete_product(actor: Actor, product: Product) -> None:
    """Delete softly, its variants with it: their SKUs can be used again. Its stock stays in the ledger."""
    product = lock_row(Product.objects.of(actor).alive(), product.pk)
    product.deleted_at = clock.now()
    product.save(update_fields=["deleted_at", "updated_at"])
    Variant.objects.of(actor).alive().filter(product=product).update(deleted_at=product.deleted_at)
    events.record(actor, "product.deleted", product, title=f"Product {product} deleted")


def restore_product(actor: Actor, product: Product) -> Product:
    """Bring a deleted product back with the variants deleted with it; one that is not deleted stays as it is.

    An SKU taken meanwhile: `Conflict`.
    """
    product = lock_row(Product.objects.of(actor), product.pk)
    if product.deleted_at is None:
        return product
    variants = Variant.objects.of(actor).filter(product=product, deleted_at=product.deleted_at)
    skus.claim(actor, [product.sku, *variants.values_list("sku", flat=True)])
    variants.update(deleted_at=None)
    product.deleted_at = None
    product.save(update_fields=["deleted_at", "updated_at"])
    events.record(actor, "product.restored", product, title=f"Product {product} restored")
    return product


def _category(actor: Actor, product: Product, fields: dict[str, Any]) -> Category | None:
    return taxonomy.meant(actor, Category, fields, current=product.category_id, make=taxonomy.create_category)


def _brand(actor: Actor, product: Product, fields: dict[str, Any]) -> Brand | None:
    return taxonomy.meant(actor, Brand, fields, current=product.brand_id, make=taxonomy.create_brand)


def _set_currency(product: Product, fields: dict[str, Any]) -> None:
    """Check the currency that the fields name; a new one converts no amount."""
    currency = (fields.get("currency") or product.currency).upper()
    if currency not in money.CURRENCIES:
        raise Invalid({"currency": "Choose an ISO 4217 currency, such as EUR."})
    if product.price is not None and money.exponent(currency) != money.exponent(product.currency):
        raise Invalid({"currency": f"Amounts in {product.currency} cannot stand for amounts in {currency}."})
    fields["currency"] = currency


def _require_lower_sale_price(product: Product) -> None:
    """Refuse a sale that would charge more than the price."""
    if product.sale_price is not None and product.sale_price > product.price:
        raise Invalid({"sale_price": "A sale price is at most the price."})


def in_minor_units(fields: dict[str, Any], currency: str) -> dict[str, Any]:
    """Return the fields, those that are amounts in minor units of the currency."""
    amounts = {name: fields[name] for name in AMOUNTS if fields.get(name) is not None}
    return fields | {name: money.to_minor(amount, currency, field=name) for name, amount in amounts.items()}
