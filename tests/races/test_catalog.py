"""SKUs, categories and brands under a crowd: what must stand once does; each with a control that fails unprotected."""

from collections import Counter
from threading import Barrier

import pytest

from commerce.models import Category, Product, Variant
from commerce.services import skus, taxonomy
from crm.core.db import locks
from tests.races.concurrency import crowd
from tests.races.test_stock import make

pytestmark = pytest.mark.races

SIZE = 12


def test_an_sku_that_many_want_goes_to_one_product_or_variant(acme, client_for):
    _, (product,) = make(acme, 0)
    clients = [client_for(acme.manager, "platform") for _ in range(SIZE)]

    def work(number):
        if number % 2:
            return clients[number].post("products", {"name": "Same", "price": 1, "sku": "same"}).status_code
        return clients[number].post(f"products/{product.pk}/variants", {"name": "Same", "sku": "SAME"}).status_code

    assert Counter(crowd(SIZE, work)) == {201: 1, 409: SIZE - 1}


def test_control_without_turns_a_product_and_a_variant_have_the_same_sku(acme, client_for, monkeypatch):
    _, (product,) = make(acme, 0)
    clients = [client_for(acme.manager, "platform") for _ in range(2)]
    both_have_looked = Barrier(2)
    look = skus._taken

    def look_then_meet(actor, normalized, own=()):
        taken = look(actor, normalized, own)
        both_have_looked.wait(60)
        return taken

    monkeypatch.setattr(skus, "advisory_lock", lambda *args: None)
    monkeypatch.setattr(skus, "_taken", look_then_meet)

    def work(number):
        path = f"products/{product.pk}/variants" if number else "products"
        return clients[number].post(path, {"name": "Same", "sku": "SAME", **({} if number else {"price": 1})})

    assert [response.status_code for response in crowd(2, work)] == [201, 201]
    with acme.inside():
        assert Product.objects.of(acme.id).filter(sku_normalized="same").count() == 1
        assert Variant.objects.of(acme.id).filter(sku_normalized="same").count() == 1


def test_skus_made_of_the_same_name_at_once_are_all_different(acme, client_for):
    clients = [client_for(acme.manager, "team") for _ in range(SIZE)]

    made = crowd(SIZE, lambda number: clients[number].post("products", {"name": "Ball", "price": 1}).json())

    assert len({answer["data"]["sku"] for answer in made}) == SIZE


def test_categories_moved_below_each_other_at_once_make_no_circle(acme, client_for):
    api = client_for(acme.manager, "platform")
    one, two = (api.post("categories", {"name": name}).json()["id"] for name in ("One", "Two"))
    clients = [client_for(acme.manager, "platform") for _ in range(2)]

    answers = crowd(
        2, lambda number: clients[number].patch(f"categories/{(one, two)[number]}", {"parent_id": (two, one)[number]})
    )

    assert sorted(response.status_code for response in answers) == [200, 422]


def test_control_without_turns_two_categories_stand_below_each_other(acme, client_for, monkeypatch):
    api = client_for(acme.manager, "platform")
    one, two = (api.post("categories", {"name": name}).json()["id"] for name in ("One", "Two"))
    clients = [client_for(acme.manager, "platform") for _ in range(2)]
    both_have_looked = Barrier(2)
    monkeypatch.setattr(taxonomy, "advisory_lock", lambda *args: None)

    def look_and_meet(actor, parent_id):
        both_have_looked.wait(60)

    monkeypatch.setattr(taxonomy, "_require_parent", look_and_meet)

    answers = crowd(
        2, lambda number: clients[number].patch(f"categories/{(one, two)[number]}", {"parent_id": (two, one)[number]})
    )

    assert [response.status_code for response in answers] == [200, 200]
    with acme.inside():
        assert Category.objects.of(acme.id).exclude(parent=None).count() == 2


def test_a_category_named_by_many_at_once_is_made_once(acme, client_for):
    clients = [client_for(acme.manager, "platform") for _ in range(SIZE)]

    crowd(SIZE, lambda n: clients[n].post("products", {"name": f"P{n}", "price": 1, "category": "Toys", "brand": "X"}))

    assert clients[0].get("categories").json()["total"] == 1
    assert clients[0].get("brands").json()["total"] == 1
    assert clients[0].get("products", category="toys", brand="x").json()["total"] == SIZE


@pytest.mark.parametrize("change", ["renamed", "deleted"])
def test_a_product_that_leaves_a_brand_meanwhile_keeps_its_new_one(acme, client_for, monkeypatch, change):
    api, mover = (client_for(acme.manager, "platform") for _ in range(2))
    moved, stays = (api.post("products", {"name": name, "price": 1, "brand": "Old"}).json() for name in ("A", "B"))
    new = api.post("brands", {"name": "New"}).json()["id"]
    lock = locks.lock_rows

    def move_then_lock(rows, pks):
        (answer,) = crowd(1, lambda _: mover.put(f"products/{moved['id']}", {"brand_id": new}))
        assert answer.status_code == 200
        return lock(rows, pks)

    monkeypatch.setattr(locks, "lock_rows", move_then_lock)
    path = f"brands/{moved['brand_id']}"
    answer = api.patch(path, {"name": "Other"}) if change == "renamed" else api.delete(path)

    assert answer.status_code == 200
    brands = [api.get(f"products/{product['id']}").json()["brand"] for product in (moved, stays)]
    assert brands == ["New", "Other" if change == "renamed" else None]
    assert [row["name"] for row in api.get("products", search="new").json()["items"]] == ["A"]
