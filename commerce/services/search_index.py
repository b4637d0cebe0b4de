"""What products are found and compared by: search words and normalised columns."""

from commerce.models import Brand, Product
from contacts.services.search_index import normal_name
from crm.core import search
from crm.core.db import lock_in_batches

SOURCES = frozenset({"name", "sku", "description", "brand_id"})
DERIVED = frozenset({"name_normalized", "sku_normalized", "search"})


def normal_sku(sku: str) -> str:
    """Return the form in which SKUs are compared: case aside."""
    return sku.casefold()


def refresh(product: Product, brand: Brand | None) -> None:
    """Set every derived column of a product from its name, SKU, description and brand."""
    product.name_normalized = normal_name(product.name)[:200]
    product.sku_normalized = normal_sku(product.sku)
    product.search = search.vector(product.organization_id, *_texts(product, brand))


def refresh_branded(brand: Brand) -> int:
    """Let the brand's products, deleted ones too, be found under its new name; a deleted brand loses them.

    Return how many there are.
    """
    rows = Product.objects.of(brand.organization_id).filter(brand=brand)
    called = None if brand.deleted_at else brand
    found = 0
    for batch in lock_in_batches(rows):  # others may give a product another brand meanwhile
        found += len(batch)
        if called is None:
            rows.filter(pk__in=batch).update(brand=None)
        search.rewrite(Product, brand.organization_id, {pk: _texts(one, called) for pk, one in batch.items()})
    return found


def _texts(product: Product, brand: Brand | None) -> tuple[str, ...]:
    """Return what the words of a product's search are made of."""
    return product.name, product.sku, brand.name if brand else "", product.description
