"""A purchase, in plain Python: `python docs/examples/shopping.py [base URL]`.

The back office sets a shop up on the Platform, somebody shops in the Storefront, and the back office ships it. It
makes an organization of its own, so it can run against any server, any number of times.
"""

import json
import sys
import time
from uuid import uuid4

from client import Client, register

ADDRESS = {
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


def main(base="http://127.0.0.1:8000"):
    """Buy something and return what both sides saw."""
    unique = time.time_ns()
    office, organization = register(base, f"ada.{unique}@example.com", f"Analytical Engines {unique}")
    product = office.post(
        "/products",
        {
            "name": "Professional Laptop",
            "sku": "LAPTOP-001",
            "description": "High-performance laptop for professionals",
            "category": "Electronics",
            "price": 999.99,
            "cost": 640.00,
            "stock_quantity": 3,
            "reorder_level": 2,
        },
    )
    office.post("/tax-rates", {"name": "New York sales tax", "country": "US", "state": "NY", "rate": 8.75})
    office.post("/promotions", {"code": "SAVE10", "type": "percentage", "value": 10})

    shop = Client(f"{base}/shop/{organization['slug']}/api/v1")
    shop.token = shop.post(
        "/auth/register",
        {"email": "user@example.com", "password": "SecurePassword123!", "first_name": "John", "last_name": "Doe"},
    )["data"]["access_token"]

    # Browse, put something into the cart, order it.
    categories = shop.get("/catalog/categories")["data"]
    found = shop.get("/catalog/products?keyword=laptop")["data"]
    shop.post("/cart/items", {"product_id": found[0]["id"], "quantity": 1})
    cart = shop.get("/cart")["data"]
    wanted = {
        "shipping_address": ADDRESS,
        "payment_method_id": "pm_123",
        "shipping_method_id": "ship_standard",
        "notes": "Please deliver after 5 PM",
    }
    # Sent twice under one key, as a client does that lost the first answer: one order, the same answer.
    key = str(uuid4())
    order = shop.post("/orders", wanted, Idempotency_Key=key)["data"]
    repeated = shop.post("/orders", wanted, Idempotency_Key=key)["data"]

    # Another one, with a promotion.
    shop.post("/cart/items", {"product_id": found[0]["id"], "quantity": 1})
    saved = shop.post("/orders", wanted | {"promotion_codes": ["SAVE10"]})["data"]

    # The back office finds the first order among all others and ships it.
    orders = office.get("/orders")["items"]
    office.call(
        "PUT",
        f"/orders/{order['id']}/status",
        {"status": "shipped", "tracking_number": "1Z999AA1234567890", "notes": "Shipped via UPS"},
    )
    return {
        "categories": categories,
        "found": found,
        "cart": cart,
        "order": order,
        "repeated": repeated,
        "saved": saved,
        "orders": orders,
        "shipped": shop.get(f"/orders/{order['id']}")["data"],
        "mine": shop.get("/orders")["data"],
        "left": office.get(f"/products/{product['id']}")["stock_quantity"],
        "ledger": office.get(f"/products/{product['id']}/stock")["items"],
        "customer": office.get("/customers?search=user@example.com")["items"][0],
    }


if __name__ == "__main__":
    json.dump(main(*sys.argv[1:]), sys.stdout, indent=2, ensure_ascii=False)
