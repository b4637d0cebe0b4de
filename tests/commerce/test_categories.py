"""Categories, brands and variants on the Platform surface."""

import pytest

from accounts.permissions import built_in_id
from crm.core.models import Event

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def api(acme, client_for):
    return client_for(acme.manager, "platform")


@pytest.fixture
def category(api):
    def make(name, parent=None, **fields):
        response = api.post("categories", {"name": name, "parent_id": parent and parent["id"], **fields})
        assert response.status_code == 201, response.json()
        return response.json()

    return make


@pytest.fixture
def make(api):
    return lambda **fields: api.post("products", {"name": "Lamp", "price": 10, **fields}).json()


def fields(response):
    return [fault["field"] for fault in response.json()["error"]["details"]]


def told(tenant, subject_id):
    with tenant.inside():
        rows = Event.objects.of(tenant.id).filter(subject_id=subject_id).order_by("id")
        return [(event.name, event.changes or event.metadata) for event in rows]


def test_a_category_comes_back_as_it_was_written(api, category):
    parent = category("Électronique & Son")
    assert parent["slug"] == "electronique-son"
    body = {
        "name": "Laptops",
        "slug": "portable",
        "description": "To carry",
        "parent_id": parent["id"],
        "image_url": "https://example.com/laptops.png",
        "active": False,
    }
    made = api.post("categories", body).json()

    assert {key: made[key] for key in body} == body
    assert api.get(f"categories/{made['id']}").json() == made
    assert [row["name"] for row in api.get("categories", parent_id=parent["id"]).json()["items"]] == ["Laptops"]
    assert [row["name"] for row in api.get("categories", active="true").json()["items"]] == ["Électronique & Son"]


@pytest.mark.parametrize("plural", ["categories", "brands"])
def test_a_slug_stands_once_and_stays_when_the_name_changes(api, plural):
    one, two, three = (api.post(plural, {"name": name}).json() for name in ("Toys", "Toys", "toys!"))
    assert [row["slug"] for row in (one, two, three)] == ["toys", "toys-2", "toys-3"]

    renamed = api.patch(f"{plural}/{one['id']}", {"name": "Games"}).json()
    assert (renamed["name"], renamed["slug"]) == ("Games", "toys")
    assert api.patch(f"{plural}/{one['id']}", {"slug": "toys-2"}).status_code == 409
    assert api.post(plural, {"name": "Other", "slug": "toys"}).status_code == 409
    assert api.patch(f"{plural}/{one['id']}", {"slug": "games"}).json()["slug"] == "games"
    api.delete(f"{plural}/{two['id']}")
    assert api.post(plural, {"name": "Again", "slug": "toys-2"}).status_code == 201


def test_a_category_never_stands_below_itself(acme, api, category):
    top = category("Top")
    middle = category("Middle", top)
    bottom = category("Bottom", middle)

    for below in (top, middle, bottom):
        refused = api.patch(f"categories/{top['id']}", {"parent_id": below["id"]})
        assert (refused.status_code, fields(refused)) == (422, ["parent_id"])
    assert fields(api.post("categories", {"name": "X", "parent_id": UNKNOWN})) == ["parent_id"]
    assert fields(api.patch(f"categories/{top['id']}", {"parent_id": UNKNOWN})) == ["parent_id"]
    moved = api.patch(f"categories/{bottom['id']}", {"parent_id": None})
    assert moved.json()["parent_id"] is None
    assert told(acme, bottom["id"])[-1] == (
        "category.updated",
        {"parent_id": {"from": middle["id"], "to": None}},
    )


def test_what_stands_in_a_deleted_category_moves_up(acme, api, category, make):
    top = category("Top")
    middle = category("Middle", top)
    bottom = category("Bottom", middle)
    product, deleted = make(category_id=middle["id"]), make(category_id=middle["id"])
    api.delete(f"products/{deleted['id']}")

    assert api.delete(f"categories/{middle['id']}").json() == {"message": "Category deleted successfully"}

    assert api.get(f"categories/{middle['id']}").status_code == 404
    assert api.get(f"categories/{bottom['id']}").json()["parent_id"] == top["id"]
    assert api.get(f"products/{product['id']}").json()["category"] == "Top"
    assert api.post(f"products/{deleted['id']}/restore").json()["category"] == "Top"
    assert told(acme, middle["id"])[-1] == ("category.deleted", {"moved": {"categories": 1, "products": 2}})
    api.delete(f"categories/{top['id']}")
    assert api.get(f"products/{product['id']}").json()["category"] is None
    assert fields(api.put(f"products/{product['id']}", {"category_id": top["id"]})) == ["category_id"]


def test_a_product_is_found_by_its_brand_under_the_name_it_has_now(api, make):
    product = make(brand="Soundly")
    api.delete(f"products/{make(brand='Soundly')['id']}")

    def found(word):
        return api.get("products", q=word).json()["total"]

    assert found("soundly") == 1
    api.patch(f"brands/{product['brand_id']}", {"name": "Loudly"})
    assert (found("soundly"), found("loudly")) == (0, 1)
    assert api.get(f"products/{product['id']}").json()["brand"] == "Loudly"

    api.delete(f"brands/{product['brand_id']}")
    assert found("loudly") == 0
    shown = api.get(f"products/{product['id']}").json()
    assert (shown["brand"], shown["brand_id"]) == (None, None)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("categories", {}, "name"),
        ("categories", {"name": "x" * 101}, "name"),
        ("categories", {"name": "X", "image_url": "javascript:x"}, "image_url"),
        ("categories", {"name": "X", "slug": "no slug"}, "slug"),
        ("categories", {"name": "X", "parent_id": "1"}, "parent_id"),
        ("categories", {"name": "X", "active": "perhaps"}, "active"),
        ("brands", {"name": ""}, "name"),
        ("brands", {"name": "X", "logo_url": "here"}, "logo_url"),
        ("brands", {"name": "X", "name_normalized": "y"}, "name_normalized"),
    ],
)
def test_bad_input_names_its_field(api, path, body, field):
    refused = api.post(path, body)

    assert (refused.status_code, fields(refused)) == (422, [field])
    assert api.get(path).json()["total"] == 0


def test_only_who_may_create_products_makes_categories_by_naming_them(acme, api, client_for, make):
    product = make()
    shop = client_for(acme.owner, "storefront")
    role = shop.post("admin/roles", {"name": "editor", "scope": "all"}).json()["data"]["role"]["id"]
    shop.post(f"admin/roles/{role}/permissions", {"permission_id": str(built_in_id("products:update"))})
    user = acme.add("viewer")
    shop.post(f"admin/users/{user.pk}/roles", {"role_id": role})
    editor = client_for(user, "platform")

    assert editor.put(f"products/{product['id']}", {"price": 11}).status_code == 200
    assert editor.put(f"products/{product['id']}", {"category": "New"}).status_code == 403
    api.post("categories", {"name": "New"})
    assert editor.put(f"products/{product['id']}", {"category": "new"}).json()["category"] == "New"


class TestVariants:
    @pytest.fixture
    def path(self, make):
        return f"products/{make(sku='LAMP', currency='EUR', stock_quantity=4)['id']}/variants"

    def test_a_variant_comes_back_as_it_was_written(self, acme, api, path):
        body = {
            "name": "Red",
            "sku": "LAMP-R",
            "attributes": {"color": "red"},
            "price": 12.5,
            "stock_quantity": 3,
            "reorder_level": 1,
        }
        made = api.post(path, body).json()

        assert {key: made[key] for key in body} == body
        assert (made["currency"], made["active"]) == ("EUR", True)
        assert api.get(f"{path}/{made['id']}").json() == made
        assert api.get(path).json()["items"] == [made]
        assert told(acme, made["id"])[0][0] == "variant.created"

    def test_it_has_the_product_s_price_and_stock_until_it_gets_its_own(self, acme, api, path):
        made = api.post(path, {"name": "Deep Red"}).json()
        assert (made["sku"], made["price"], made["stock_quantity"]) == ("LAMP-DEEP-RED", None, None)
        assert fields(api.patch(f"{path}/{made['id']}", {"reorder_level": 2})) == ["reorder_level"]

        own = api.patch(f"{path}/{made['id']}", {"stock_quantity": 7, "price": 9}).json()
        assert (own["stock_quantity"], own["price"]) == (7, 9.0)
        counted = api.patch(f"{path}/{made['id']}", {"stock_quantity": 5, "reorder_level": 6}).json()
        assert (counted["stock_quantity"], counted["reorder_level"]) == (5, 6)
        ledger = api.get(f"{path.removesuffix('variants')}stock", variant_id=made["id"]).json()["items"]
        assert [(entry["type"], entry["adjustment"]) for entry in ledger] == [("correction", -2), ("restock", 7)]
        assert [name for name, _ in told(acme, made["id"])] == [
            "variant.created",
            "variant.updated",
            "variant.updated",
        ]
        assert api.patch(f"{path}/{made['id']}", counted).json() == counted
        assert len(told(acme, made["id"])) == 3

    def test_it_belongs_to_its_product_alone(self, api, path, make):
        made = api.post(path, {"name": "Red"}).json()
        elsewhere = f"products/{make()['id']}/variants/{made['id']}"

        for method in ("get", "delete"):
            assert getattr(api, method)(elsewhere).status_code == 404
        assert api.patch(elsewhere, {"name": "Blue"}).status_code == 404
        assert api.delete(f"{path}/{made['id']}").json() == {"message": "Variant deleted successfully"}
        assert api.get(f"{path}/{made['id']}").status_code == 404
        assert api.post(path, {"name": "Red again", "sku": made["sku"]}).status_code == 201

    def test_it_goes_and_comes_back_with_its_product(self, api, path):
        kept, gone = (api.post(path, {"name": name}).json() for name in ("Red", "Blue"))
        api.delete(f"{path}/{gone['id']}")
        product = path.removesuffix("/variants")

        api.delete(product)
        assert api.get(path).status_code == 404
        api.post(f"{product}/restore")
        assert [row["id"] for row in api.get(path).json()["items"]] == [kept["id"]]
