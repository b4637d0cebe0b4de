"""The floor's answers about shops: the rows that the product reads, locks and writes, in a bare transaction."""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from commerce.services.pricing import Line, Shipping, Tax, price
from crm.core.money import text, to_major

Fetch = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]

SIZE = 20
SHOP = "SELECT id FROM accounts_organization WHERE slug = $1 AND shop_enabled AND is_active"
SHOWN = """
p.id, p.sku, p.name, p.description, p.price, p.sale_price, p.currency, p.status, p.brand_id, p.category_id, p.images,
p.attributes, p.created_at, p.updated_at
"""
CATALOG = f"""
WITH shop AS MATERIALIZED ({SHOP})
SELECT {SHOWN}, (
    SELECT sum(n)::int8 FROM core_rowcounter
    WHERE organization_id = (SELECT id FROM shop) AND kind = 'products on sale' AND month IS NULL
)
FROM commerce_product p
WHERE p.organization_id = (SELECT id FROM shop) AND p.deleted_at IS NULL AND p.status = 'active'
ORDER BY p.created_at DESC, p.id DESC LIMIT {SIZE}
"""
PRODUCT = f"""
SELECT {SHOWN}, s.quantity > 0, ARRAY(
    SELECT jsonb_build_object(
        'id', v.id, 'sku', v.sku, 'name', v.name, 'attributes', v.attributes,
        'price', jsonb_build_object('amount', coalesce(v.price, p.current_price), 'currency', p.currency),
        'in_stock', coalesce(o.quantity, s.quantity) > 0
    )
    FROM commerce_variant v LEFT JOIN commerce_stockitem o ON o.id = v.stock_id
    WHERE v.organization_id = p.organization_id AND v.product_id = p.id AND v.active AND v.deleted_at IS NULL
    ORDER BY v.created_at, v.id
)
FROM commerce_product p JOIN commerce_stockitem s ON s.id = p.stock_id
WHERE p.id = $2 AND p.organization_id = ({SHOP}) AND p.deleted_at IS NULL AND p.status = 'active'
"""
HOLD = """
INSERT INTO commerce_cart (id, organization_id, user_id, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)
ON CONFLICT (organization_id, user_id) DO UPDATE SET updated_at = EXCLUDED.updated_at RETURNING id, created_at
"""
ADD = """
INSERT INTO commerce_cartitem (
    id, organization_id, cart_id, product_id, quantity, attributes, choice, created_at, updated_at
)
SELECT $1, organization_id, $3, id, $5, '{}', $6, $7, $7 FROM commerce_product WHERE organization_id = $2 AND id = $4
ON CONFLICT (organization_id, cart_id, choice) DO UPDATE
SET quantity = commerce_cartitem.quantity + EXCLUDED.quantity, updated_at = EXCLUDED.updated_at
RETURNING id, quantity
"""
LINES = """
SELECT i.id, i.product_id, i.quantity, i.attributes, p.sku, p.name, p.current_price, p.currency, p.stock_id, s.quantity
FROM commerce_cartitem i JOIN commerce_product p ON p.id = i.product_id JOIN commerce_stockitem s ON s.id = p.stock_id
WHERE i.organization_id = $1 AND i.cart_id = $2 AND p.deleted_at IS NULL AND p.status = 'active'
ORDER BY i.created_at, i.id
"""
EVENT = """
INSERT INTO core_event (id, organization_id, name, kind, actor_id, subject_type, subject_id, subject_label, contact_id,
    title, content, changes, metadata, occurred_at, recorded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)
RETURNING id
"""
CUSTOMER = """
SELECT id FROM contacts_contact WHERE organization_id = $1 AND user_id = $2 AND deleted_at IS NULL FOR SHARE
"""
SHIPPING = """
SELECT code, price, free_from, name FROM commerce_shippingmethod
WHERE organization_id = $1 AND code_normalized = $2 AND active AND deleted_at IS NULL
"""
TAX = """
SELECT name, rate::text, applies_to_shipping FROM commerce_taxrate
WHERE organization_id = $1 AND country = $2 AND state IN ('', $3) AND starts_on <= $4 AND deleted_at IS NULL
ORDER BY state DESC, starts_on DESC LIMIT 1
"""
ORDER = """
INSERT INTO commerce_order (id, organization_id, order_number, status, customer_id, user_id, currency, subtotal,
    discount_total, tax_total, shipping_total, total, pricing, shipping_address, billing_address, shipping_method,
    promotion_codes, payment_method, tracking_number, notes, created_at, updated_at)
VALUES ($1, $2, $3, 'pending', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, $14, '{}', $15, '', $16, $17, $17)
RETURNING id
"""
ITEMS = """
INSERT INTO commerce_orderitem (id, organization_id, order_id, position, product_id, sku, name, attributes, quantity,
    unit_price, discount, tax, total)
SELECT id, $1, $2, position, product_id, sku, name, '{}', quantity, unit_price, discount, tax, total
FROM unnest($3::uuid[], $4::int[], $5::uuid[], $6::text[], $7::text[], $8::int[], $9::int8[], $10::int8[], $11::int8[],
    $12::int8[]) AS item (id, position, product_id, sku, name, quantity, unit_price, discount, tax, total)
RETURNING id
"""
STOCK = """
SELECT id, quantity FROM commerce_stockitem WHERE organization_id = $1 AND id = ANY($2) ORDER BY id FOR NO KEY UPDATE
"""
MOVE = """
WITH moved AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS moved (id, stock_id, change)
), changed AS (
    UPDATE commerce_stockitem SET quantity = quantity + moved.change, updated_at = $4
    FROM moved WHERE commerce_stockitem.organization_id = $5 AND commerce_stockitem.id = moved.stock_id
    RETURNING commerce_stockitem.id, quantity
)
INSERT INTO commerce_stockmovement (id, organization_id, stock_id, change, balance, type, reason, currency,
    reference_type, reference_id, created_by_id, created_at)
SELECT moved.id, $5, moved.stock_id, moved.change, changed.quantity, 'sale', $6, '', 'order', $7, $8, $4
FROM moved JOIN changed ON changed.id = moved.stock_id
RETURNING stock_id
"""
EMPTY = "DELETE FROM commerce_cartitem WHERE organization_id = $1 AND cart_id = $2 RETURNING id"

Json = dict[str, Any]


def money(amount: int | None, currency: str) -> Json | None:
    """Return an amount as the answers show it."""
    return None if amount is None else {"amount": amount, "currency": currency}


def product(row: tuple[Any, ...]) -> Json:
    """Return a product as the answers show it."""
    return {
        "id": row[0],
        "sku": row[1],
        "name": row[2],
        "description": row[3],
        "base_price": money(row[4], row[6]),
        "SalePrice": money(row[5], row[6]),
        "status": row[7],
        "brand_id": row[8],
        "category_id": row[9],
        "images": row[10],
        "attributes": row[11],
        "created_at": row[12],
        "updated_at": row[13],
    }


def shown(fetch: Fetch, path: str) -> Json:
    """Answer the catalog, or a product's page."""
    _, _, slug, _, _, _, _, *pk = path.split("/")
    if pk:
        (row,) = fetch(PRODUCT, (slug, pk[0]))
        return {"data": {**product(row), "in_stock": row[14], "variants": row[15]}}
    rows = fetch(CATALOG, (slug,))
    total = rows[0][14]
    pages = -(-total // SIZE)
    meta = {"page": 1, "page_size": SIZE, "total_items": total, "total_pages": pages}
    return {"data": [product(row) for row in rows], "meta": {**meta, "has_next": pages > 1, "has_prev": False}}


def added(fetch: Fetch, said: Json, body: bytes, uuid7: Callable[[], UUID]) -> Json:
    """Put something into a cart, and answer with all of it."""
    given = orjson.loads(body)
    organization, user, moment = said["org"], said["sub"], datetime.now(UTC)
    key, units = UUID(given["product_id"]), given["quantity"]
    choice = hashlib.sha256(b"%s %s %s" % (key.bytes, b"", b"{}")).hexdigest()
    fetch("BEGIN", ())
    ((cart, created_at),) = fetch(HOLD, (uuid7(), organization, user, moment))
    ((item, quantity),) = fetch(ADD, (uuid7(), organization, cart, key, units, choice, moment))
    lines = fetch(LINES, (organization, cart))
    line = next(line for line in lines if line[0] == item)
    if line[9] < quantity:
        raise ValueError
    event = ("cart.item_added", "update", user, "cart", cart, cart, None, f"{units} x {line[5]} put into the cart", "")
    changes = {"quantity": {"from": quantity - units, "to": quantity}}
    told = {"product_id": str(key), "variant_id": None}
    fetch(EVENT, (uuid7(), organization, *event, _json(changes), _json(told), moment))
    fetch("COMMIT", ())
    items = [
        {
            "id": line[0],
            "product_id": line[1],
            "variant_id": None,
            "sku": line[4],
            "name": line[5],
            "price": money(line[6], line[7]),
            "quantity": line[2],
            "attributes": line[3],
            "available": line[2] <= line[9],
        }
        for line in lines
    ]
    return {
        "data": {
            "id": cart,
            "user_id": user,
            "session_id": "",
            "items": items,
            "created_at": created_at,
            "updated_at": moment,
        }
    }


def ordered(fetch: Fetch, said: Json, body: bytes, uuid7: Callable[[], UUID]) -> Json:
    """Make an order of what is in a cart."""
    given = orjson.loads(body)
    organization, user, moment = said["org"], said["sub"], datetime.now(UTC)
    address = given["shipping_address"]
    fetch("BEGIN", ())
    ((cart, _),) = fetch(HOLD, (uuid7(), organization, user, moment))
    lines = fetch(LINES, (organization, cart))
    ((customer,),) = fetch(CUSTOMER, (organization, user))
    (method,) = fetch(SHIPPING, (organization, given["shipping_method_id"]))
    ((tax, rate, on_shipping),) = fetch(TAX, (organization, address["country"], address["state"], moment.date()))
    # The arithmetic is a fact of the order, not of the server that writes it.
    currency = lines[0][7]
    quote = price(
        [Line(line[6], line[2], line[4], line[5]) for line in lines],
        currency=currency,
        tax=Tax(tax, Decimal(rate), on_shipping),
        shipping=Shipping(*method),
    )
    order, number = uuid7(), f"ORD-{secrets.randbelow(10**8):08d}"
    totals = (quote.subtotal, quote.discount_total, quote.tax_total, quote.shipping_total, quote.total)
    kept = (_json({"steps": quote.explanation}), _json(address), method[0], given["payment_method_id"], given["notes"])
    fetch(ORDER, (order, organization, number, customer, user, currency, *totals, *kept, moment))
    ids = [uuid7() for _ in lines]
    fetch(
        ITEMS,
        (
            *(organization, order, ids, list(range(1, len(lines) + 1))),
            *([line[at] for line in lines] for at in (1, 4, 5, 2, 6)),
            *([getattr(priced, name) for priced in quote.lines] for name in ("discount", "tax", "total")),
        ),
    )
    stocks = [line[8] for line in lines]
    left = dict(fetch(STOCK, (organization, stocks)))
    if any(left[line[8]] < line[2] for line in lines):
        raise ValueError
    changes = [-line[2] for line in lines]
    fetch(MOVE, ([uuid7() for _ in lines], stocks, changes, moment, organization, number, order, user))
    title = f"Order {number} over {text(quote.total, currency)}"
    event = ("order.created", "order", user, "order", order, number, customer, title, given["notes"])
    told = {"order_number": number, "status": "pending", "total": to_major(quote.total, currency), "currency": currency}
    fetch(EVENT, (uuid7(), organization, *event, "{}", _json(told), moment))
    fetch(EMPTY, (organization, cart))
    fetch("COMMIT", ())
    items = [
        {
            "id": key,
            "product_id": line[1],
            "sku": line[4],
            "name": line[5],
            "unit_price": money(line[6], currency),
            "quantity": line[2],
            "discount_amount": money(priced.discount, currency),
            "tax_amount": money(priced.tax, currency),
            "total": money(priced.total, currency),
        }
        for key, line, priced in zip(ids, lines, quote.lines, strict=True)
    ]
    names = ("subtotal", "discount_total", "tax_total", "shipping_total", "total")
    return {
        "data": {
            "id": order,
            "order_number": number,
            "user_id": user,
            "status": "pending",
            "items": items,
            "shipping_address": address,
            "billing_address": address,
            **{name: money(amount, currency) for name, amount in zip(names, totals, strict=True)},
            "notes": given["notes"],
            "created_at": moment,
            "updated_at": moment,
        }
    }


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
