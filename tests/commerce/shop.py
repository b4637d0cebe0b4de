"""What tests of the shop sell."""

from typing import Any

from commerce.models import Product, Variant
from commerce.services import stock
from crm.core import search
from tests.conftest import Tenant

NEW_YORK = {
    "first_name": "John",
    "last_name": "Doe",
    "company": "Tech Corp",
    "address1": "123 Main St",
    "address2": "Apt 4B",
    "city": "New York",
    "state": "NY",
    "postal_code": "10001",
    "country": "US",
    "phone_number": "555-0100",
}


def sell(tenant: Tenant, sku: str, price: int = 1000, units: int = 10, **fields: Any) -> Product:
    """Put a product on sale; `price` in minor units."""
    actor = tenant.actor("owner")
    with tenant.inside():
        item = stock.open_stock(actor, units)
        told = {"name": f"Product {sku}", "currency": actor.currency, **fields}
        product = Product(
            organization_id=tenant.id, sku=sku, sku_normalized=sku.upper(), price=price, stock=item, **told
        )
        product.search = search.vector(tenant.id, product.name)
        product.save(force_insert=True)
    return product


def vary(tenant: Tenant, product: Product, sku: str, *, units: int | None = None, **fields: Any) -> Variant:
    """Offer a variant, with a stock of its own where `units` says how much."""
    with tenant.inside():
        own = None if units is None else stock.open_stock(tenant.actor("owner"), units)
        told = {"name": sku, **fields}
        return Variant.objects.create(
            organization_id=tenant.id, product=product, sku=sku, sku_normalized=sku.upper(), stock=own, **told
        )
