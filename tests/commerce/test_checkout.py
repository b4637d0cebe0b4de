"""From a cart to an order: what it costs, what it takes, and that it happens once."""

import pytest

from commerce.models import Order, Product, StockItem
from commerce.services import stock
from crm.core.models import Event
from tests.commerce.shop import NEW_YORK, sell


@pytest.fixture
def shopper(acme, client_for):
    return client_for(acme.customer, "storefront")


@pytest.fixture
def back_office(acme, client_for):
    return client_for(acme.owner, "platform")


@pytest.fixture
def laptop(acme):
    return sell(acme, "LAPTOP-001", 99999, units=5, name="Professional Laptop")


def test_the_documents_order_comes_out_to_the_cent(acme, shopper, back_office, laptop):
    rate = {"name": "New York", "country": "US", "state": "NY", "rate": 8.75, "starts_on": "2020-01-01"}
    assert back_office.post("tax-rates", rate).status_code == 201
    shopper.post("cart/items", {"product_id": str(laptop.pk), "quantity": 1})
    body = {
        "shipping_address": NEW_YORK,
        "payment_method_id": "pm_123",
        "promotion_codes": [],
        "shipping_method_id": "ship_standard",
        "notes": "Please deliver after 5 PM",
    }
    answer = shopper.post("orders", body)
    assert answer.status_code == 201, answer.content
    print(answer.json())
    print(back_office.get("orders").json())
    print(back_office.get("customers").json())
