"""Two shops of 10,000 products: one that is read, and one with shoppers who fill carts and order."""

from typing import Any
from uuid import UUID

import psycopg

from benchmarks import data, rows

PRODUCTS = 10_000
CATEGORIES, BRANDS = 20, 10
VARIED, VARIANTS = 10, 3  # every tenth product comes in three forms
ADDERS, BUYERS = 100, 1000  # shoppers of each server: those who fill carts, and those who order what is in theirs
IN_CART = 4  # different products that each of the adders puts in again and again
# Kinds of ids.
STOCK, PRODUCT, CATEGORY, BRAND, VARIANT, SHOPPER, SESSION, CONTACT, CART = range(10, 19)
SERVERS = ("product", "floor")

MADE = "SELECT id, number - 1 AS number FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS made (id, number)"
MOMENT = "timestamptz '2024-01-01' + number * interval '1 minute'"
STAMPS = {"created_at": MOMENT, "updated_at": MOMENT}
SHELF = {
    "id": "id",
    "name": "'Shelf ' || number",
    "name_normalized": "'shelf ' || number",
    "slug": "'shelf-' || number",
    **STAMPS,
}
PRODUCT_COLUMNS = {
    "id": "id",
    "name": "'Product ' || number",
    "name_normalized": "'product ' || number",
    "sku": "'SKU-' || number",
    "sku_normalized": "'SKU-' || number",
    "description": f"'{data.NOTE}'",
    "category_id": "category_id",
    "brand_id": "brand_id",
    "price": "1000 + number * 37 % 99000",
    "sale_price": "CASE WHEN number % 5 = 0 THEN 900 + number % 100 END",
    "currency": "'USD'",
    "images": "ARRAY['https://img.example.com/' || number || '.jpg']",
    "attributes": """'{"color": "Black", "weight": 1.5}'""",
    "stock_id": "stock_id",
    **STAMPS,
}
PLACED = f"""
SELECT made.*, (%(categories)s::uuid[])[1 + number %% {CATEGORIES}] AS category_id,
       (%(brands)s::uuid[])[1 + number %% {BRANDS}] AS brand_id, (%(stocks)s::uuid[])[1 + number] AS stock_id
FROM ({MADE}) AS made
"""
VARIANT_COLUMNS = {
    "id": "id",
    "product_id": "product_id",
    "sku": "'VAR-' || number",
    "sku_normalized": "'VAR-' || number",
    "name": "'Form ' || number",
    "attributes": """'{"size": "L"}'""",
    **STAMPS,
}
OF_PRODUCTS = f"""
SELECT made.*, (%(products)s::uuid[])[1 + number / {VARIANTS} * {VARIED}] AS product_id FROM ({MADE}) AS made
"""
PERSON = {
    "id": "id",
    "email": "'shopper' || number || '@example.com'",
    "email_normalized": "'shopper' || number || '@example.com'",
    "first_name": "'Ana'",
    "last_name": "'Number' || number",
    "full_name": "'Ana Number' || number",
    **STAMPS,
}
OF_SHOPPERS = f"SELECT made.*, (%(shoppers)s::uuid[])[1 + number] AS user_id FROM ({MADE}) AS made"
# A full cart holds two products; neighbours hold others, and the same number of either server the same.
FULL_CARTS = f"""
SELECT gen_random_uuid() AS id, (%(carts)s::uuid[])[1 + number] AS cart_id,
       (%(products)s::uuid[])[1 + (number %% {BUYERS} + turn * {PRODUCTS // 2}) %% {PRODUCTS}] AS product_id, turn
FROM generate_series(0, {len(SERVERS) * BUYERS} - 1) AS number CROSS JOIN generate_series(0, 1) AS turn
"""
ITEM = {
    "id": "id",
    "cart_id": "cart_id",
    "product_id": "product_id",
    "quantity": "1 + turn",
    "choice": "encode(sha256(uuid_send(product_id) || '  {}'::bytea), 'hex')",
    "created_at": "timestamptz '2024-01-01' + turn * interval '1 minute'",
    "updated_at": "timestamptz '2024-01-01'",
}
REFILL = "INSERT INTO commerce_cartitem SELECT * FROM bench_cartitem ON CONFLICT DO NOTHING"
ORDERED = "commerce_promotionuse, commerce_orderitem, commerce_order, commerce_stockmovement, commerce_cartitem"


def adders(server: str) -> range:
    """Return the numbers of the shoppers who fill carts on a server."""
    start = SERVERS.index(server) * ADDERS
    return range(start, start + ADDERS)


def buyers(server: str) -> range:
    """Return the numbers of the shoppers who order on a server."""
    start = len(SERVERS) * ADDERS + SERVERS.index(server) * BUYERS
    return range(start, start + BUYERS)


def load(url: str) -> None:
    """Make the rows, unless they are there: then what was ordered is forgotten, and every cart is as at first."""
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM commerce_product LIMIT 1").fetchone():
            connection.execute(f"TRUNCATE {ORDERED}")
            connection.execute(REFILL)
        else:
            with connection.transaction():
                _make(connection)
        connection.execute("VACUUM (FREEZE, ANALYZE)")
        connection.execute("CHECKPOINT")


def _make(connection: psycopg.Connection[Any]) -> None:
    # Rows that are right by construction need no triggers; the one sum that is shown is written below.
    connection.execute("SET LOCAL session_replication_role = replica")
    for tenant in (data.READ, data.WRITTEN):
        _make_catalog(connection, tenant)
    _make_shoppers(connection, data.WRITTEN)
    connection.execute(
        "INSERT INTO core_rowcounter (organization_id, kind, n) VALUES (%s, 'products on sale', %s)",
        [data.READ.organization, PRODUCTS],
    )
    organization = data.WRITTEN.organization
    connection.execute(
        "INSERT INTO commerce_shippingmethod (id, organization_id, code, code_normalized, name, currency, price, "
        "active, created_at, updated_at) "
        "VALUES (gen_random_uuid(), %s, 'ship_standard', 'ship_standard', 'Standard', 'USD', 0, true, now(), now())",
        [organization],
    )
    connection.execute(
        "INSERT INTO commerce_taxrate (id, organization_id, name, country, state, rate, starts_on, "
        "applies_to_shipping, created_at, updated_at) "
        "VALUES (gen_random_uuid(), %s, 'New York', 'US', 'NY', 8.75, '2024-01-01', false, now(), now())",
        [organization],
    )


def _make_catalog(connection: psycopg.Connection[Any], tenant: data.Tenant) -> None:
    from commerce.models import Brand, Category, Product, StockItem, Variant  # noqa: PLC0415 - Django is set up by now

    asked: dict[str, Any] = {"organization": tenant.organization}
    asked["categories"] = _ids(tenant, CATEGORY, CATEGORIES)
    asked["brands"] = _ids(tenant, BRAND, BRANDS)
    asked["stocks"] = _ids(tenant, STOCK, PRODUCTS)
    asked["products"] = _ids(tenant, PRODUCT, PRODUCTS)
    stock = {"id": "id", "quantity": "1000000000", "updated_at": MOMENT}
    rows.insert(connection, Category, SHELF, MADE, asked | {"ids": asked["categories"]})
    rows.insert(connection, Brand, SHELF, MADE, asked | {"ids": asked["brands"]})
    rows.insert(connection, StockItem, stock, MADE, asked | {"ids": asked["stocks"]})
    rows.insert(connection, Product, PRODUCT_COLUMNS, PLACED, asked | {"ids": asked["products"]})
    ids = _ids(tenant, VARIANT, PRODUCTS // VARIED * VARIANTS)
    rows.insert(connection, Variant, VARIANT_COLUMNS, OF_PRODUCTS, asked | {"ids": ids})


def _make_shoppers(connection: psycopg.Connection[Any], tenant: data.Tenant) -> None:
    from accounts.models import Role, Session, User, UserRole  # noqa: PLC0415 - Django is set up by now
    from commerce.models import Cart, CartItem  # noqa: PLC0415
    from contacts.models import Contact  # noqa: PLC0415

    count = len(SERVERS) * (ADDERS + BUYERS)
    role = tenant.id(SHOPPER, -1)
    asked: dict[str, Any] = {"organization": tenant.organization, "shoppers": _ids(tenant, SHOPPER, count)}
    asked["products"] = _ids(tenant, PRODUCT, PRODUCTS)
    carts = _ids(tenant, CART, count)
    standing = {"id": "id", "name": "'customer'", "scope": "'own'", "rank": "10", "is_built_in": "true"}
    rows.insert(connection, Role, standing | STAMPS, MADE, asked | {"ids": [role]})
    rows.insert(connection, User, PERSON, MADE, asked | {"ids": asked["shoppers"]})
    holding = {"id": "gen_random_uuid()", "user_id": "id", "role_id": f"'{role}'"}
    rows.insert(connection, UserRole, holding, MADE, asked | {"ids": asked["shoppers"]})
    session = {
        "id": "id",
        "user_id": "user_id",
        "surface": "'storefront'",
        "created_at": "now()",
        "expires_at": "now() + interval '300 days'",
    }
    rows.insert(connection, Session, session, OF_SHOPPERS, asked | {"ids": _ids(tenant, SESSION, count)})
    contact = PERSON | {
        "user_id": "user_id",
        "name_normalized": "'ana number' || number",
        "dedupe_hash": "encode(sha256(uuid_send(id)), 'hex')",
        "search": "array_to_tsvector(ARRAY['ana'])",
        "status": "'active'",
    }
    rows.insert(connection, Contact, contact, OF_SHOPPERS, asked | {"ids": _ids(tenant, CONTACT, count)})
    cart = {"id": "id", "user_id": "user_id", **STAMPS}
    rows.insert(connection, Cart, cart, OF_SHOPPERS, asked | {"ids": carts})
    full = carts[len(SERVERS) * ADDERS :]
    rows.insert(connection, CartItem, ITEM, FULL_CARTS, asked | {"carts": full})
    connection.execute("CREATE TABLE bench_cartitem AS SELECT * FROM commerce_cartitem")


def _ids(tenant: data.Tenant, kind: int, count: int) -> list[UUID]:
    return [tenant.id(kind, number) for number in range(count)]
