"""What is asked of both servers' shops. Those who shop are different people on each, with equal carts."""

import itertools
import random
from collections.abc import Iterator

import orjson

from benchmarks import data, shop
from benchmarks.comparing import answer, equal, stored, take_out
from benchmarks.load import get, post
from benchmarks.stage import Server, Stage

READ, WRITTEN = (f"/shop/bench-{tenant.seed}/api/v1" for tenant in (data.READ, data.WRITTEN))
ASKED_FOR = 500
ORDER = {
    "shipping_address": {
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
    },
    "payment_method_id": "pm_123",
    "shipping_method_id": "ship_standard",
    "notes": "Please deliver after 5 PM",
}
# What both must have written, without what is different each time.
CART_ROWS = """
SELECT (SELECT jsonb_agg(to_jsonb(i) - '{id,cart_id,created_at,updated_at}'::text[] ORDER BY product_id)
        FROM commerce_cartitem i WHERE i.cart_id = c.id),
       (SELECT array_agg(k ORDER BY k) FROM core_event e, jsonb_object_keys(jsonb_strip_nulls(to_jsonb(e))) k
        WHERE e.subject_id = c.id)
FROM commerce_cart c WHERE c.id = %s
"""
ORDER_ROWS = """
SELECT to_jsonb(o) - '{id,order_number,customer_id,user_id,created_at,updated_at}'::text[],
       (SELECT jsonb_agg(to_jsonb(i) - '{id,order_id}'::text[] ORDER BY position)
        FROM commerce_orderitem i WHERE i.order_id = o.id),
       (SELECT jsonb_agg(to_jsonb(m) - '{id,balance,reason,reference_id,created_by_id,created_at}'::text[]
                         ORDER BY stock_id) FROM commerce_stockmovement m WHERE m.reference_id = o.id),
       (SELECT array_agg(k ORDER BY k) FROM core_event e, jsonb_object_keys(jsonb_strip_nulls(to_jsonb(e))) k
        WHERE e.subject_id = o.id),
       (SELECT count(*) FROM commerce_cartitem i JOIN commerce_cart c ON c.id = i.cart_id WHERE c.user_id = o.user_id)
FROM commerce_order o WHERE o.id = %s
"""


def catalog(_: Stage, __: Server) -> Iterator[bytes]:
    """A page of the catalog, asked for by nobody in particular."""
    return itertools.repeat(get(f"{READ}/catalog/products"))


def product(_: Stage, __: Server) -> Iterator[bytes]:
    """Pages of products, in turn."""
    numbers = random.Random(3).sample(range(shop.PRODUCTS), ASKED_FOR)
    return itertools.cycle([get(f"{READ}/catalog/products/{data.READ.id(shop.PRODUCT, number)}") for number in numbers])


def add_to_cart(stage: Stage, server: Server) -> Iterator[bytes]:
    """One more of a product, by one shopper after the other."""
    tokens = [stage.token(data.WRITTEN, shopper=number) for number in shop.adders(server.name)]
    bodies = [
        orjson.dumps({"product_id": str(data.WRITTEN.id(shop.PRODUCT, number)), "quantity": 1, "attributes": {}})
        for number in range(len(tokens) * shop.IN_CART)
    ]
    return itertools.cycle(
        [
            post(f"{WRITTEN}/cart/items", token, bodies[number * shop.IN_CART + turn])
            for turn in range(shop.IN_CART)
            for number, token in enumerate(tokens)
        ]
    )


def checkout(stage: Stage, server: Server) -> Iterator[bytes]:
    """The order of what is in a cart, by one shopper after the other; after each round the carts are full again."""
    body = orjson.dumps(ORDER)
    return itertools.cycle(
        [
            post(f"{WRITTEN}/orders", stage.token(data.WRITTEN, shopper=number), body)
            for number in shop.buyers(server.name)
        ]
    )


def compare_carts(stage: Stage, product: Server, floor: Server) -> None:
    """Raise where what both answer to the same addition differs, or what they have written."""
    title = "add to cart"
    made = [answer(server, next(add_to_cart(stage, server)), 200)["data"] for server in (product, floor)]
    keys = {"id", "user_id", "created_at", "updated_at"}
    equal(title, *(take_out(cart, keys, title) for cart in made))
    equal(f"{title}: the rows", *stored(stage, product.rows, CART_ROWS, *(cart["id"] for cart in made)))


def compare_orders(stage: Stage, product: Server, floor: Server) -> None:
    """Raise where what both make of the same cart differs."""
    title = "checkout"
    made = [answer(server, next(checkout(stage, server)), 201)["data"] for server in (product, floor)]
    keys = {"id", "order_number", "user_id", "created_at", "updated_at"}
    equal(title, *(take_out(order, keys, title) for order in made))
    equal(f"{title}: the rows", *stored(stage, product.rows, ORDER_ROWS, *(order["id"] for order in made)))
    stage.fold()
