"""Orders on the Platform: entered, listed, and who sees which."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Role, UserRole
from commerce.models import Order
from crm.core import clock
from tests.commerce.shop import in_stock, order, put, refusal, sell, set_columns, vary

ADDRESS = {"street": "123 Main St", "city": "New York", "state": "NY", "zip": "10001", "country": "USA"}


@pytest.fixture
def customer(seller):
    """Make a customer and return its id."""
    return seller.post("customers", {"name": "Ada Lovelace", "email": "ada@example.com"}).json()["id"]


@pytest.fixture
def chair(acme):
    return sell(acme, "CHAIR", 29999, units=10, name="Chair")


def enter(client, customer_id, *items, **more):
    """Enter an order of (product, quantity, further keys)."""
    lines = [{"product_id": str(product.pk), "quantity": quantity, **told} for product, quantity, told in items]
    return client.post("orders", {"customer_id": str(customer_id), "items": lines, **more})


def entered(client, customer_id, *items, **more):
    response = enter(client, customer_id, *items, **more)
    assert response.status_code == 201, response.content
    return response.json()


def ids(response):
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["items"]]


def test_an_order_is_entered_as_the_document_does(acme, seller, customer, chair):
    made = entered(
        seller,
        customer,
        (chair, 2, {"unit_price": 299.99}),
        shipping_address=ADDRESS,
        notes="Rush order",
    )

    assert made == {
        "id": made["id"],
        "order_number": made["order_number"],
        "customer_id": customer,
        "customer_name": "Ada Lovelace",
        "status": "pending",
        "items": [
            {
                "id": made["items"][0]["id"],
                "product_id": str(chair.pk),
                "variant_id": None,
                "sku": "CHAIR",
                "name": "Chair",
                "quantity": 2,
                "unit_price": 299.99,
                "discount": 0,
                "tax": 0,
                "total": 599.98,
            }
        ],
        "subtotal": 599.98,
        "discount_total": 0,
        "tax_total": 0,
        "shipping_total": 0,
        "total": 599.98,
        "currency": "USD",
        "shipping_address": ADDRESS,
        "billing_address": ADDRESS,
        "shipping_method": None,
        "promotion_codes": [],
        "tracking_number": None,
        "notes": "Rush order",
        "created_at": made["created_at"],
        "updated_at": made["updated_at"],
    }
    assert in_stock(acme, chair) == [8]
    assert seller.get(f"orders/{made['id']}").json() == made
    assert seller.get("orders").json()["items"] == [made]
    with acme.inside():
        assert Order.objects.of(acme.id).get().created_by_id == acme.owner.pk


def test_terms_apply_where_they_are_asked_for(seller, customer, chair):
    rate = {"name": "NY", "country": "US", "state": "NY", "rate": 10, "starts_on": "2020-01-01"}
    for path, body in (
        ("tax-rates", rate),
        ("promotions", {"code": "TEN", "type": "fixed", "value": 10}),
        ("shipping-methods", {"code": "post", "name": "Post", "price": 5}),
    ):
        assert seller.post(path, body).status_code == 201

    plain = entered(seller, customer, (chair, 1, {}), shipping_address={"country": "FR"})
    full = entered(
        seller,
        customer,
        (chair, 1, {}),
        shipping_address=ADDRESS,
        promotion_codes=["ten"],
        shipping_method="POST",
    )

    assert (plain["total"], plain["shipping_address"]) == (299.99, {"country": "FR"})
    keys = ("subtotal", "discount_total", "tax_total", "shipping_total", "total")
    assert [full[key] for key in keys] == [299.99, 10, 29, 5, 323.99]
    assert (full["promotion_codes"], full["shipping_method"]) == (["TEN"], "post")
    unknown = enter(seller, customer, (chair, 1, {}), shipping_method="rocket")
    assert refusal(unknown, 422) == ("VALIDATION_ERROR", ["shipping_method"])


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 201), ("manager", 201), ("staff", 422), ("customer_experience", 422)]
)
def test_another_price_takes_a_permission(acme, client_for, chair, role, status):
    client = client_for(acme.users[role], "platform")
    made = client_for(acme.owner, "platform").post("customers", {"name": "Ada"}).json()["id"]
    if role == "staff":
        made = client.post("customers", {"name": "Mine"}).json()["id"]

    cheap = enter(client, made, (chair, 2, {"unit_price": 250}))
    usual = entered(client, made, (chair, 2, {"unit_price": 299.99}))

    assert usual["total"] == 599.98
    assert cheap.status_code == status
    if status == 201:
        assert cheap.json()["total"] == 500
    else:
        assert refusal(cheap, 422) == ("VALIDATION_ERROR", ["items.0.unit_price"])


def test_short_items_are_named_and_nothing_is_taken(acme, seller, customer, chair):
    red, pen = vary(acme, chair, "RED"), sell(acme, "PEN", units=1)

    answer = enter(
        seller, customer, (pen, 1, {}), (chair, 6, {}), (chair, 5, {"variant_id": str(red.pk)}), (pen, 1, {})
    )

    assert refusal(answer, 409) == ("INSUFFICIENT_STOCK", [f"items.{index}.quantity" for index in range(4)])
    assert answer.json()["error"]["details"][1]["message"] == "Only 10 of Chair in stock."
    assert in_stock(acme, chair, pen) == [10, 1]
    assert seller.get("orders").json()["total"] == 0


def test_what_cannot_be_ordered_is_named(acme, other, seller, customer, chair):
    gone, off, old = sell(acme, "GONE"), sell(acme, "OFF"), sell(acme, "OLD")
    set_columns(acme, gone, deleted_at=clock.now())
    set_columns(acme, off, status="inactive")
    set_columns(acme, old, status="discontinued")
    foreign, red = sell(other, "FOREIGN"), vary(acme, chair, "RED")

    def fields(*items, **more):
        return refusal(enter(seller, more.pop("customer_id", customer), *items, **more), 422)[1]

    refused = [(product, 1, {}) for product in (gone, off, old, foreign)]
    assert fields(*refused, (chair, 1, {})) == [f"items.{index}.product_id" for index in range(4)]
    assert fields((off, 1, {"variant_id": str(red.pk)})) == ["items.0.variant_id"]
    for told in ({"quantity": 0}, {"quantity": -1}, {"quantity": 10**7}, {"quantity": 1.5}, {"quantity": "many"}):
        assert fields((chair, 1, told)) == ["items.0.quantity"]
    for price in (-1, 299.999, 10**17, "free"):
        assert fields((chair, 1, {"unit_price": price})) == ["items.0.unit_price"]
    assert fields((chair, 1, {"discount": 1})) == ["items.0.discount"]
    assert fields() == ["items"]
    for customer_id in (uuid4(), other.owner.pk, "ada"):
        assert fields((chair, 1, {}), customer_id=customer_id) == ["customer_id"]
    assert fields((chair, 1, {}), shipping_address={"planet": "Earth"}) == ["shipping_address.planet"]
    assert fields((chair, 1, {}), promotion_codes=["NONE"]) == ["promotion_codes"]
    assert fields((chair, 10, {"unit_price": 9_999_999_999_999.99})) == ["items"]
    assert in_stock(acme, chair) == [10]


def test_staff_see_what_they_entered_and_what_their_own_customers_ordered(acme, client_for, seller, chair):
    staff, colleague = client_for(acme.staff, "platform"), client_for(acme.add("staff"), "platform")
    mine = staff.post("customers", {"name": "Mine"}).json()["id"]
    theirs = seller.post("customers", {"name": "Theirs"}).json()["id"]
    by_me = entered(staff, mine, (chair, 1, {}))["id"]
    of_mine = entered(seller, mine, (chair, 1, {}))["id"]
    of_theirs = entered(seller, theirs, (chair, 1, {}))["id"]

    page = staff.get("orders")

    assert (ids(page), page.json()["total"]) == ([of_mine, by_me], 2)
    assert staff.get("orders", limit=1).json()["total"] == 2
    assert refusal(enter(staff, theirs, (chair, 1, {})), 422)[1] == ["customer_id"]
    assert [staff.get(f"orders/{pk}").status_code for pk in (by_me, of_mine, of_theirs)] == [200, 200, 404]
    assert staff.put(f"orders/{of_mine}/status", {"status": "confirmed"}).status_code == 200
    assert staff.put(f"orders/{of_theirs}/status", {"status": "confirmed"}).status_code == 404
    assert (ids(colleague.get("orders")), colleague.get("orders").json()["total"]) == ([], 0)
    everything = seller.get("orders").json()
    assert (everything["total"], len(everything["items"])) == (3, 3)


def test_a_customer_given_to_another_takes_the_orders_along(acme, client_for, seller, chair):
    staff = client_for(acme.staff, "platform")
    contact = seller.post("contacts", {"first_name": "Ada"}).json()["id"]
    made = entered(seller, contact, (chair, 1, {}))["id"]
    assert ids(staff.get("orders")) == []

    seller.patch(f"contacts/{contact}", {"owner_id": str(acme.staff.pk)})

    assert ids(staff.get("orders")) == [made]


def test_every_filter_narrows(acme, organization, client_for, shopper, chair, seller, customer):
    put(shopper, chair)
    first = order(shopper).json()["data"]["id"]
    second = entered(seller, customer, (chair, 1, {}))["id"]
    third = entered(seller, customer, (chair, 1, {}))["id"]
    seller.put(f"orders/{third}/status", {"status": "shipped"})

    for query, expected in [
        ({}, [third, second, first]),
        ({"status": "pending"}, [second, first]),
        ({"status": "refunded"}, []),
        ({"customer_id": customer}, [third, second]),
        ({"customer_id": str(uuid4())}, []),
        ({"customer_id": customer, "status": "shipped"}, [third]),
        ({"sort": "created_at", "order": "asc"}, [first, second, third]),
        ({"date_from": clock.today("UTC").isoformat()}, [third, second, first]),
        ({"date_to": (clock.today("UTC") - timedelta(days=1)).isoformat()}, []),
    ]:
        page = seller.get("orders", **query)
        assert (ids(page), page.json()["total"]) == (expected, len(expected)), query
    for name, value in [("status", "lost"), ("customer_id", "ada"), ("date_from", "soon"), ("sort", "notes")]:
        assert refusal(seller.get("orders", **{name: value}), 422)[1] == [name]


def test_dates_are_whole_days_where_the_organization_is(organization, client_for):
    acme = organization(roles=("owner",))
    set_columns(acme, acme.organization, timezone="Pacific/Auckland")
    client = client_for(acme.owner, "platform")
    customer = client.post("customers", {"name": "Ada"}).json()["id"]
    chair = sell(acme, "CHAIR")
    made = entered(client, customer, (chair, 1, {}))["id"]
    with acme.inside():  # half past midnight on 2 March, in Auckland
        Order.objects.of(acme.id).update(created_at=datetime(2026, 3, 1, 11, 30, tzinfo=UTC))

    for query, expected in [
        ({"date_from": "2026-03-02", "date_to": "2026-03-02"}, [made]),
        ({"date_to": "2026-03-01"}, []),
        ({"date_from": "2026-03-03"}, []),
    ]:
        assert ids(client.get("orders", **query)) == expected


def test_a_page_takes_the_same_number_of_statements_for_1_and_25_orders(seller, customer, acme):
    pen = sell(acme, "PEN", units=1000)

    def statements():
        with CaptureQueriesContext(connection) as queries:
            page = seller.get("orders", limit=25)
        return len(queries), len(page.json()["items"])

    entered(seller, customer, (pen, 1, {}))
    seller.get("orders", limit=25)
    one = statements()
    for _ in range(24):
        entered(seller, customer, *[(pen, 1, {})] * 3)

    assert (one[1], statements()) == (1, (one[0], 25))


def test_amounts_are_shown_with_the_currencys_decimals(organization, client_for):
    for currency, price, shown in (("JPY", "1500", 1500), ("KWD", "1.234", 1.234), ("EUR", "12.34", 12.34)):
        acme = organization(roles=("owner",))
        set_columns(acme, acme.organization, currency=currency)
        client = client_for(acme.owner, "platform")
        product = client.post("products", {"name": "Thing", "price": float(price), "stock_quantity": 5}).json()
        customer = client.post("customers", {"name": "Ada"}).json()["id"]
        body = {"customer_id": customer, "items": [{"product_id": product["id"], "quantity": 3}]}

        made = client.post("orders", body).json()

        assert (made["items"][0]["unit_price"], made["total"]) == (shown, pytest.approx(3 * shown, abs=1e-9))
        assert client.get(f"customers/{customer}").json()["total_value"] == made["total"]


def test_the_feed_and_timelines_tell_of_orders_to_those_who_may_see_them(acme, client_for, seller, shopper, chair):
    staff, colleague = client_for(acme.staff, "platform"), client_for(acme.add("staff"), "platform")
    mine = staff.post("customers", {"name": "Mine"}).json()["id"]
    number = entered(seller, mine, (chair, 1, {}))["order_number"]
    put(shopper, chair)
    bought = order(shopper).json()["data"]["order_number"]
    without_orders = acme.add("viewer")
    with acme.inside():
        role = Role.objects.create(
            organization_id=acme.id,
            name="no orders",
            scope="all",
            rank=15,
            permissions=["contacts:view", "reports:view"],
        )
        UserRole.objects.of(acme.id).filter(user=without_orders).update(role=role)

    def told(client):
        feed = client.get("dashboard/activity-feed").json()["items"]
        return [entry["description"] for entry in feed if entry["type"].startswith(("order", "cart"))]

    def on_timeline(client):
        answer = client.get(f"contacts/{mine}/timeline")
        return [entry["type"] for entry in answer.json().get("items", [])]

    entry, purchase = f"Order {number} over 299.99 USD", f"Order {bought} over 299.99 USD"
    assert told(seller) == [purchase, entry]
    assert (told(staff), on_timeline(staff)) == ([entry], ["order", "update"])
    assert (told(colleague), on_timeline(colleague)) == ([], [])
    outsider = client_for(without_orders, "platform")
    assert (told(outsider), on_timeline(outsider)) == ([], ["update"])


@pytest.mark.parametrize("key", ["shipping_address", "billing_address"])
@pytest.mark.parametrize(
    ("address", "part"),
    [
        ({}, ""),
        ({"city": None}, ""),
        ({"country": "Narnia"}, ".country"),
        ({"city": 5}, ".city"),
        ({"city": ["Paris"], "country": "FR"}, ".city"),
    ],
)
def test_an_address_says_where_in_a_country_there_is(acme, seller, customer, chair, key, address, part):
    refused = enter(seller, customer, (chair, 1, {}), **{key: address})

    assert refusal(refused, 422) == ("VALIDATION_ERROR", [key + part])
    assert (seller.get("orders").json()["total"], in_stock(acme, chair)) == (0, [10])


def test_orders_are_found_by_number_and_by_the_customers_words(acme, seller, customer, chair):
    mine = entered(seller, customer, (chair, 1, {}))
    bob = seller.post("customers", {"name": "Ordway Bob"}).json()["id"]
    his = entered(seller, bob, (chair, 1, {}))

    for key in ("q", "search"):
        for text, found in (
            (mine["order_number"].lower(), [mine["id"]]),
            ("love", [mine["id"]]),
            ("ord", [his["id"], mine["id"]]),  # the beginning of every number
            ("ordw bob", [his["id"]]),
            ("nobody", []),
            ("%", []),
        ):
            assert ids(seller.get("orders", **{key: text})) == found, text
    assert ids(seller.get("orders", q="ada", status="cancelled")) == []
