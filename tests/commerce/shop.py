"""What tests of the shop sell, and how they buy it."""

from decimal import Decimal
from typing import Any

from django.db.models import Model
from django.http import HttpResponse

from commerce.models import Product, StockItem, Variant
from commerce.services import products, stock, variants
from tests.conftest import Tenant
from tests.support.clients import ApiClient

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
    """Put a product on sale; prices in minor units."""
    actor = tenant.actor("owner")
    told = {"name": f"Product {sku}", "sku": sku, "stock_quantity": units, **_in_major_units(price=price), **fields}
    with tenant.inside():
        return products.create_product(actor, **told)


def vary(
    tenant: Tenant, product: Product, sku: str, *, units: int | None = None, price: int | None = None, **fields: Any
) -> Variant:
    """Offer a variant, with a price of its own and with a stock of its own where these are told."""
    told = {"name": sku, "sku": sku, "stock_quantity": units, **_in_major_units(price=price), **fields}
    with tenant.inside():
        return variants.create_variant(tenant.actor("owner"), product, **told)


def set_columns(tenant: Tenant, row: Model, **columns: Any) -> None:
    """Let a row be otherwise, past the services."""
    with tenant.inside():
        type(row).objects.filter(pk=row.pk).update(**columns)


def in_stock(tenant: Tenant, *rows: Product | Variant) -> list[int]:
    """What there is of each now; the ledger of everything must say the same."""
    with tenant.inside():
        assert stock.differences(tenant.id) == []
        found = dict(StockItem.objects.of(tenant.id).values_list("id", "quantity"))
    return [found[row.stock_id] for row in rows]


def put(client: ApiClient, product: Product, quantity: int = 1, **more: Any) -> HttpResponse:
    """Put a product into the cart."""
    return client.post("cart/items", {"product_id": str(product.pk), "quantity": quantity, **more})


def order(client: ApiClient, **more: Any) -> HttpResponse:
    """Order what is in the cart."""
    return client.post("orders", {"shipping_address": NEW_YORK, **more})


def refusal(response: HttpResponse, status: int = 400) -> tuple[str, list[str]]:
    """The code of an error, and the fields it names."""
    assert response.status_code == status, response.content
    error = response.json()["error"]
    return error["code"], [detail["field"] for detail in error["details"]]


def _in_major_units(**amounts: int | None) -> dict[str, Decimal]:
    return {name: Decimal(amount) / 100 for name, amount in amounts.items() if amount is not None}
