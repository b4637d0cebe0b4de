"""The catalog of a shop: anonymous, active products only, in the document's shapes, in few statements."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.commerce.test_products import HEADPHONES

PRODUCT_KEYS = [
    "id",
    "sku",
    "name",
    "description",
    "base_price",
    "SalePrice",
    "status",
    "brand_id",
    "category_id",
    "images",
    "attributes",
    "created_at",
    "updated_at",
]
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def api(acme, client_for):
    return client_for(acme.manager, "platform")


@pytest.fixture
def shop(acme, client_for):
    return client_for(None, "storefront", shop=acme.slug)


@pytest.fixture
def make(api):
    def product(name, **fields):
        response = api.post("products", {"name": name, "price": 10, **fields})
        assert response.status_code == 201, response.json()
        return response.json()

    return product


def names(response):
    assert response.status_code == 200, response.content
    return [row["name"] for row in response.json()["data"]]


def test_a_product_has_the_documented_shape(shop, make):
    product = make(**HEADPHONES, sale_price=249.99)

    listed = shop.get("catalog/products").json()
    (shown,) = listed["data"]
    assert list(shown) == PRODUCT_KEYS
    assert shown["base_price"] == {"amount": 29999, "currency": "USD"}
    assert shown["SalePrice"] == {"amount": 24999, "currency": "USD"}
    assert (shown["category_id"], shown["brand_id"]) == (product["category_id"], None)
    assert shown["attributes"] == {"color": "Black", "batteryLife": "30 hours"}
    assert listed["meta"] == {
        "page": 1,
        "page_size": 20,
        "total_items": 1,
        "total_pages": 1,
        "has_next": False,
        "has_prev": False,
    }
    details = shop.get(f"catalog/products/{product['id']}").json()["data"]
    assert {key: details[key] for key in PRODUCT_KEYS} == shown
    assert (details["in_stock"], details["variants"]) == (True, [])
    assert "cost" not in details


def test_without_a_sale_there_is_no_sale_price(shop, make):
    make("Plain", description="")

    (shown,) = shop.get("catalog/products").json()["data"]
    assert (shown["SalePrice"], shown["description"], shown["images"]) == (None, "", [])


def test_only_what_is_active_is_for_sale(shop, api, make):
    active = make("Active")
    hidden = [make("Inactive", status="inactive"), make("Discontinued", status="discontinued"), make("Deleted")]
    api.delete(f"products/{hidden[2]['id']}")

    listed = shop.get("catalog/products")
    assert (names(listed), listed.json()["meta"]["total_items"]) == (["Active"], 1)
    for product in hidden:
        assert shop.get(f"catalog/products/{product['id']}").status_code == 404
    api.put(f"products/{active['id']}", {"status": "inactive"})
    assert shop.get("catalog/products").json()["meta"]["total_items"] == 0


def test_a_category_shows_what_stands_below_it_too(shop, api, make):
    top = api.post("categories", {"name": "Electronics"}).json()["id"]
    middle = api.post("categories", {"name": "Computers", "parent_id": top}).json()["id"]
    bottom = api.post("categories", {"name": "Laptops", "parent_id": middle}).json()["id"]
    aside = api.post("categories", {"name": "Food"}).json()["id"]
    make("Cable", category_id=top)
    make("Thin laptop", category_id=bottom)
    make("Bread", category_id=aside)
    make("Nowhere")

    assert names(shop.get(f"catalog/products/category/{top}")) == ["Thin laptop", "Cable"]
    assert names(shop.get(f"catalog/products/category/{middle}", page_size=1)) == ["Thin laptop"]
    page = shop.get(f"catalog/products/category/{top}", page=2, page_size=1)
    assert (names(page), page.json()["meta"]["total_items"]) == (["Cable"], 2)
    assert names(shop.get(f"catalog/products/category/{top}", keyword="thin")) == ["Thin laptop"]
    assert shop.get(f"catalog/products/category/{UNKNOWN}").status_code == 404
    api.patch(f"categories/{aside}", {"active": False})
    assert shop.get(f"catalog/products/category/{aside}").status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"keyword": "ball"}, ["Red ball", "Blue ball"]),
        ({"keyword": "bouncy"}, ["Red ball"]),
        ({"keyword": "tossit"}, ["Blue ball"]),
        ({"min_price": 1500}, ["Skates", "Blue ball"]),
        ({"min_price": 500, "max_price": 1500}, ["Red ball", "Blue ball"]),
        ({"max_price": 499}, []),
        ({"brand": "tossit"}, ["Blue ball"]),
        ({"in_stock": "true"}, ["Skates", "Red ball"]),
        ({"in_stock": "false"}, ["Blue ball"]),
        ({"sort": "price"}, ["Red ball", "Blue ball", "Skates"]),
        ({"sort": "-name"}, ["Skates", "Red ball", "Blue ball"]),
        ({"page": 9}, []),
    ],
)
def test_filters_and_orders_go_by_what_is_charged(shop, api, make, query, found):
    make("Blue ball", price=20, sale_price=15, brand="Tossit")
    make("Red ball", price=10, description="Very bouncy", stock_quantity=1)
    skates = make("Skates", price=90)
    api.post(f"products/{skates['id']}/variants", {"name": "Size 40", "stock_quantity": 2})

    assert names(shop.get("catalog/products", **query)) == found


def test_a_brand_is_asked_for_by_slug_or_id(shop, make):
    product = make("Blue ball", brand="Tossit Toys")
    make("Red ball", brand="Other")

    for asked in ("tossit-toys", "Tossit-TOYS", product["brand_id"], product["brand_id"].upper()):
        assert names(shop.get("catalog/products", brand=asked)) == ["Blue ball"], asked


@pytest.mark.parametrize(
    "query",
    [
        {"min_price": "cheap"},
        {"max_price": -1},
        {"max_price": 10**15},
        {"in_stock": "perhaps"},
        {"sort": "cost"},
        {"page": 0},
        {"category_id": "x"},
    ],
)
def test_a_bad_query_is_named(shop, query):
    refused = shop.get("catalog/products", **query)

    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "validation_error")
    assert refused.json()["error"]["details"][0]["field"] == next(iter(query))


def test_details_show_variants_at_the_price_that_is_charged(shop, api, make):
    shirt = make("Shirt", price=20, sale_price=15, stock_quantity=3)
    path = f"products/{shirt['id']}/variants"
    api.post(path, {"name": "Red", "sku": "RED", "attributes": {"color": "red"}})
    api.post(path, {"name": "Gold", "sku": "GOLD", "price": 99, "stock_quantity": 0})
    api.post(path, {"name": "Secret", "active": False})

    red, gold = shop.get(f"catalog/products/{shirt['id']}").json()["data"]["variants"]
    assert red == {
        "id": red["id"],
        "sku": "RED",
        "name": "Red",
        "attributes": {"color": "red"},
        "price": {"amount": 1500, "currency": "USD"},
        "in_stock": True,
    }
    assert (gold["price"], gold["in_stock"]) == ({"amount": 9900, "currency": "USD"}, False)


def test_categories_and_brands_are_listed_by_name_while_they_are_shown(shop, api, make):
    make("Laptop", category="Zebra", brand="Alpha")
    api.post("categories", {"name": "Apple", "image_url": "https://example.com/a.png", "description": "Fruit"})
    api.post("categories", {"name": "Hidden", "active": False})
    api.post("brands", {"name": "Hidden", "active": False})

    categories = shop.get("catalog/categories").json()
    assert [row["name"] for row in categories["data"]] == ["Apple", "Zebra"]
    apple, zebra = categories["data"]
    assert set(apple) == {
        *("id", "name", "slug", "description", "parent_id", "image_url", "active", "created_at", "updated_at")
    }
    assert (apple["slug"], apple["image_url"], apple["parent_id"]) == ("apple", "https://example.com/a.png", None)
    assert (zebra["image_url"], zebra["description"], zebra["active"]) == ("", "", True)
    assert categories["meta"]["total_items"] == 2
    (brand,) = shop.get("catalog/brands").json()["data"]
    assert set(brand) == {*("id", "name", "slug", "description", "logo_url", "active", "created_at", "updated_at")}
    assert (brand["name"], brand["slug"], brand["logo_url"]) == ("Alpha", "alpha", "")


def test_one_shop_never_shows_another_s(shop, other, client_for):
    theirs = client_for(other.manager, "platform").post(
        "products", {"name": "Theirs", "price": 1, "category": "Theirs", "brand": "Theirs"}
    )
    product = theirs.json()
    assert shop.get("catalog/products").json()["data"] == []
    assert shop.get("catalog/categories").json()["data"] == []
    assert shop.get("catalog/brands").json()["data"] == []
    assert shop.get(f"catalog/products/{product['id']}").status_code == 404
    assert shop.get(f"catalog/products/category/{product['category_id']}").status_code == 404
    assert shop.get("catalog/products", brand=product["brand_id"]).json()["data"] == []


def test_switching_a_shop_off_takes_effect_at_once(acme, shop, make):
    make("Ball")
    paths = ("catalog/products", "catalog/categories", "catalog/brands")
    assert {shop.get(path).status_code for path in paths} == {200}

    with acme.inside():
        acme.organization.shop_enabled = False
        acme.organization.save()
    for path in paths:
        refused = shop.get(path)
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "store_not_found")

    with acme.inside():
        acme.organization.shop_enabled = True
        acme.organization.save()
    assert {shop.get(path).status_code for path in paths} == {200}


def test_a_slug_that_moved_leads_to_its_new_shop(acme, other, shop, make, client_for):
    make("Ours")
    assert names(shop.get("catalog/products")) == ["Ours"]
    slug = acme.slug
    client_for(other.manager, "platform").post("products", {"name": "Theirs", "price": 1})

    for tenant, name in ((acme, f"{slug}-2"), (other, slug)):
        with tenant.inside():
            tenant.organization.slug = name
            tenant.organization.save()

    assert names(shop.get("catalog/products")) == ["Theirs"]
    assert shop.get("catalog/products").json()["meta"]["total_items"] == 1


def test_an_unknown_shop_is_not_found(client_for):
    for slug in ("nobody", "no%00body", "a" * 300):
        refused = client_for(None, "storefront", shop=slug).get("catalog/products")
        assert refused.status_code == 404


def test_a_page_takes_one_statement_beside_the_check_of_the_shop(shop, make):
    for number in range(3):
        make(f"Ball {number}", category="Toys", brand="Tossit")
    shop.get("catalog/products")

    with CaptureQueriesContext(connection) as asked:
        assert len(shop.get("catalog/products").json()["data"]) == 3
    statements = [query["sql"] for query in asked if not query["sql"].startswith(("BEGIN", "COMMIT"))]
    assert len(statements) == 1 + 1, statements
