"""Products on the Platform and Team surfaces: the same rows, under the same rules."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Role, UserRole
from crm.core.models import Event
from tests.support.clients import fields

HEADPHONES = {
    "name": "Wireless Headphones",
    "sku": "WH-001",
    "description": "Premium wireless headphones with noise cancellation",
    "category": "Electronics",
    "price": 299.99,
    "cost": 150.00,
    "stock_quantity": 45,
    "reorder_level": 10,
    "images": ["https://example.com/images/wh-001-1.jpg"],
    "attributes": {"color": "Black", "batteryLife": "30 hours"},
}
DOCUMENTED = {*HEADPHONES, "id", "status", "created_at", "updated_at"}


@pytest.fixture
def api(acme, client_for):
    return client_for(acme.manager, "platform")


@pytest.fixture
def team(acme, client_for):
    return client_for(acme.manager, "team")


@pytest.fixture
def product(api):
    return api.post("products", HEADPHONES).json()


def events(tenant, name):
    with tenant.inside():
        return list(Event.objects.of(tenant.id).filter(name=name).order_by("id"))


def names(response):
    return [item["name"] for item in response.json()["items"]]


def test_a_product_comes_back_as_it_was_written(api):
    response = api.post("products", HEADPHONES)

    assert response.status_code == 201
    made = response.json()
    assert {key: made[key] for key in HEADPHONES} == HEADPHONES
    assert set(made) >= DOCUMENTED
    assert (made["status"], made["currency"], made["sale_price"], made["brand"]) == ("active", "USD", None, None)
    assert api.get(f"products/{made['id']}").json() == made
    assert api.get("products").json() == {
        "items": [made],
        "total": 1,
        "page": 1,
        "pages": 1,
        "has_next": False,
        "has_prev": False,
    }


def test_the_same_product_stands_behind_all_three_surfaces(acme, api, team, client_for, product):
    shop = client_for(None, "storefront", shop=acme.slug)

    shown = team.get(f"products/{product['id']}").json()["data"]
    assert (shown["name"], shown["stockQuantity"], shown["salePrice"]) == ("Wireless Headphones", 45, None)
    assert shown["attributes"] == {"color": "Black", "batteryLife": "30 hours"}

    assert team.patch(f"products/{product['id']}", {"salePrice": 249.5, "brand": "Soundly"}).status_code == 200

    offered = shop.get(f"catalog/products/{product['id']}").json()["data"]
    assert offered["base_price"] == {"amount": 29999, "currency": "USD"}
    assert offered["SalePrice"] == {"amount": 24950, "currency": "USD"}
    changed = api.get(f"products/{product['id']}").json()
    assert (changed["sale_price"], changed["brand"]) == (249.5, "Soundly")

    assert team.delete(f"products/{product['id']}").json() == {"success": True, "data": {"id": product["id"]}}
    assert shop.get(f"catalog/products/{product['id']}").status_code == 404
    assert api.get(f"products/{product['id']}").status_code == 404


def test_a_put_takes_any_part_and_tells_what_changed(acme, api, product):
    changed = api.put(f"products/{product['id']}", {"price": 279, "status": "discontinued"}).json()

    assert (changed["price"], changed["status"], changed["name"]) == (279.0, "discontinued", "Wireless Headphones")
    (event,) = events(acme, "product.updated")
    assert event.changes == {
        "price": {"from": 29999, "to": 27900},
        "status": {"from": "active", "to": "discontinued"},
    }
    # What comes back unchanged changes nothing, although it names everything.
    assert api.put(f"products/{product['id']}", changed).json() == changed
    assert len(events(acme, "product.updated")) == 1


def test_a_new_stock_quantity_is_a_correction_in_the_ledger(acme, api, product):
    changed = api.put(f"products/{product['id']}", {"stock_quantity": 40, "reorder_level": 3}).json()

    assert (changed["stock_quantity"], changed["reorder_level"]) == (40, 3)
    ledger = api.get(f"products/{product['id']}/stock").json()["items"]
    assert [(entry["type"], entry["adjustment"], entry["balance"]) for entry in ledger] == [
        ("correction", -5, 40),
        ("restock", 45, 45),
    ]
    (updated,) = events(acme, "product.updated")
    assert updated.changes == {"reorder_level": {"from": 10, "to": 3}}
    (adjusted,) = events(acme, "product.stock_adjusted")
    assert adjusted.changes == {"stock_quantity": {"from": 45, "to": 40}}


def test_a_sale_never_charges_more_than_the_price(acme, api, team, product):
    assert team.patch(f"products/{product['id']}", {"salePrice": 250}).status_code == 200

    for body in ({"price": 249.99}, {"sale_price": 300}):
        refused = api.put(f"products/{product['id']}", body)
        assert (refused.status_code, fields(refused)) == (422, {"sale_price"})
    shown = api.get(f"products/{product['id']}").json()
    assert (shown["price"], shown["sale_price"]) == (299.99, 250.0)
    assert api.put(f"products/{product['id']}", {"price": 249.99, "sale_price": 249.99}).status_code == 200


def test_another_stock_quantity_takes_the_permission_of_an_adjustment(acme, api, client_for, product):
    base = f"products/{product['id']}"
    own = api.post(f"{base}/variants", {"name": "Red", "stock_quantity": 3}).json()["id"]
    shared = api.post(f"{base}/variants", {"name": "Blue"}).json()["id"]
    editor = acme.add("viewer")
    with acme.inside():
        told = {"name": "editor", "scope": "all", "rank": 15, "permissions": ["products:view", "products:update"]}
        role = Role.objects.create(organization_id=acme.id, **told)
        UserRole.objects.of(acme.id).filter(user=editor).update(role=role)
    client, app = client_for(editor, "platform"), client_for(editor)

    for refused in (
        client.put(base, {"stock_quantity": 46, "name": "Renamed"}),
        app.patch(base, {"stockQuantity": 44}),
        client.patch(f"{base}/variants/{own}", {"stock_quantity": 4}),
        client.patch(f"{base}/variants/{shared}", {"stock_quantity": 4}),
    ):
        assert refused.status_code == 403
    same = client.put(base, {"stock_quantity": 45, "cost": 100})
    assert (same.status_code, same.json()["name"], same.json()["cost"]) == (200, product["name"], 100.0)
    assert client.patch(f"{base}/variants/{own}", {"stock_quantity": 3, "name": "Ruby"}).status_code == 200
    assert api.get(base).json()["stock_quantity"] == 45
    assert events(acme, "product.stock_adjusted") == []


def test_an_sku_stands_once_among_products_and_variants_until_its_row_is_deleted(api, team, product):
    api.post(f"products/{product['id']}/variants", {"name": "Red", "sku": "WH-001-R"})
    for sku in ("wh-001", "WH-001-r"):
        refused = api.post("products", {"name": "Copy", "sku": sku, "price": 1})
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "CONFLICT")
        assert refused.json()["error"]["details"][0]["field"] == "sku"
        assert team.post("products", {"name": "Copy", "sku": sku, "price": 1}).status_code == 409
    other = api.post("products", {"name": "Other", "sku": "O", "price": 1}).json()
    assert api.put(f"products/{other['id']}", {"sku": "WH-001"}).status_code == 409
    assert api.put(f"products/{product['id']}", {"sku": "wh-001"}).status_code == 200, "its own, written otherwise"

    assert api.delete(f"products/{product['id']}").json() == {"message": "Product deleted successfully"}
    assert api.put(f"products/{other['id']}", {"sku": "WH-001-R"}).status_code == 200
    assert api.post(f"products/{product['id']}/restore").status_code == 409, "its variant's SKU is taken"
    api.put(f"products/{other['id']}", {"sku": "O"})
    restored = api.post(f"products/{product['id']}/restore")
    assert (restored.status_code, restored.json()["sku"]) == (200, "wh-001")
    assert api.get(f"products/{product['id']}/variants").json()["total"] == 1


def test_without_an_sku_one_is_made_of_the_name(team):
    made = [team.post("products", {"name": "Big Red Ball", "price": 1}).json()["data"]["sku"] for _ in range(3)]
    assert made == ["BIG-RED-BALL", "BIG-RED-BALL-2", "BIG-RED-BALL-3"]

    odd = team.post("products", {"name": "☃", "price": 1, "sku": ""}).json()["data"]["sku"]
    assert odd == "PRODUCT"


def test_a_category_and_a_brand_are_found_by_name_or_made(api, product):
    again = api.post("products", {"name": "Radio", "price": 5, "category": " ELECTRONICS ", "brand": "Soundly"}).json()

    assert again["category_id"] == product["category_id"]
    assert again["category"] == "Electronics"
    assert api.get("categories").json()["total"] == 1
    audio = api.post("categories", {"name": "Audio", "parent_id": product["category_id"]}).json()
    by_id = api.put(f"products/{again['id']}", {"category_id": audio["id"], "category": "Electronics"}).json()
    assert by_id["category"] == "Audio", "an id that names another counts"
    by_name = api.put(f"products/{again['id']}", {**by_id, "category": "Electronics"}).json()
    assert by_name["category"] == "Electronics", "an id that stays as it was does not"
    none = api.put(f"products/{again['id']}", {"category": "", "brand": None}).json()
    assert (none["category"], none["category_id"], none["brand"]) == (None, None, None)


@pytest.fixture
def shelf(api):
    for number, (name, category, price, stock) in enumerate(
        [("Café au lait", "Drinks", 3, 5), ("Bread", "Food", 2, 100), ("Apple juice", "Drinks", 1, 0)]
    ):
        body = {"name": name, "category": category, "price": price, "stock_quantity": stock, "reorder_level": 5}
        api.post("products", {**body, "sku": f"S{number}", "description": "A staple"})


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["Apple juice", "Bread", "Café au lait"]),
        ({"search": "cafe"}, ["Café au lait"]),
        ({"search": "s1"}, ["Bread"]),
        ({"search": "stap", "category": "drinks"}, ["Apple juice", "Café au lait"]),
        ({"low_stock": "true"}, ["Apple juice", "Café au lait"]),
        ({"low_stock": "false"}, ["Bread"]),
        ({"status": "inactive"}, []),
        ({"sort": "name"}, ["Apple juice", "Bread", "Café au lait"]),
        ({"sort": "price"}, ["Apple juice", "Bread", "Café au lait"]),
        ({"sort": "price", "order": "desc"}, ["Café au lait", "Bread", "Apple juice"]),
        ({"sort": "stock"}, ["Apple juice", "Café au lait", "Bread"]),
        ({"sort": "sku"}, ["Café au lait", "Bread", "Apple juice"]),
    ],
)
def test_lists_are_filtered_and_sorted(api, shelf, query, found):
    assert names(api.get("products", **query)) == found


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"price": None}, "price"),
        ({"price": -1}, "price"),
        ({"price": 1.234}, "price"),
        ({"cost": "much"}, "cost"),
        ({"sale_price": 300}, "sale_price"),
        ({"price": 10**14}, "price"),
        ({"currency": "XXX"}, "currency"),
        ({"stock_quantity": -1}, "stock_quantity"),
        ({"stock_quantity": 10**10}, "stock_quantity"),
        ({"status": "sold"}, "status"),
        ({"images": ["javascript:alert(1)"]}, "images.0"),
        ({"attributes": []}, "attributes"),
        ({"category_id": "00000000-0000-4000-8000-000000000000"}, "category_id"),
        ({"sku": "x" * 65}, "sku"),
        ({"current_price": 1}, "current_price"),
    ],
)
def test_bad_input_names_its_field_and_stores_nothing(acme, api, changed, field):
    refused = api.post("products", {**HEADPHONES, **changed})

    assert refused.status_code == 422
    assert [fault["field"] for fault in refused.json()["error"]["details"]] == [field]
    assert api.get("products").json()["total"] == 0
    assert api.get("categories").json()["total"] == 0
    assert events(acme, "product.created") == []


def test_a_currency_of_other_decimals_would_change_what_amounts_mean(api, product):
    assert api.put(f"products/{product['id']}", {"currency": "jpy"}).status_code == 422
    assert api.put(f"products/{product['id']}", {"currency": "eur"}).json()["price"] == 299.99
    yen = api.post("products", {"name": "Tea", "price": 500, "currency": "JPY"}).json()
    assert (yen["price"], yen["currency"]) == (500.0, "JPY")


@pytest.mark.parametrize(
    ("role", "writes"), [("staff", 403), ("viewer", 403), ("customer_experience", 403), ("owner", 200)]
)
def test_members_read_and_managers_write(acme, client_for, product, role, writes):
    client = client_for(getattr(acme, role), "platform")

    assert client.get("products").json()["total"] == 1
    assert client.put(f"products/{product['id']}", {"price": 1}).status_code == writes
    assert client.post(f"products/{product['id']}/stock", {"adjustment": 1, "type": "restock"}).status_code == writes


def test_changes_are_told_once_each(acme, api, product):
    api.delete(f"products/{product['id']}")
    api.post(f"products/{product['id']}/restore")
    api.post(f"products/{product['id']}/restore")

    with acme.inside():
        told = list(Event.objects.of(acme.id).filter(subject_id=product["id"]).order_by("id").values_list("name"))
    assert told == [("product.created",), ("product.deleted",), ("product.restored",)]


def test_a_page_costs_the_same_however_many_products_there_are(api, shelf):
    api.get("products")
    with CaptureQueriesContext(
        connection,
    ) as few:
        api.get("products")
    for number in range(10):
        api.post("products", {"name": f"More {number}", "price": 1, "category": f"C{number}"})
    with CaptureQueriesContext(connection) as many:
        assert len(api.get("products").json()["items"]) == 13
    assert len(many) == len(few)
