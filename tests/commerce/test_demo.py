"""The chapter of commerce in `seed_demo`: a shop that has sold for a year, and books that add up."""

from collections import Counter, defaultdict

import pytest
from django.core.management import call_command
from django.db.models import Count, Q

from commerce.demo.goods import products
from commerce.demo.selling import Customer, Selling
from commerce.models import (
    Category,
    Order,
    OrderItem,
    OrderStatus,
    Product,
    Promotion,
    PromotionUse,
    StockItem,
    StockMovement,
    Variant,
)
from commerce.models.orders import TRANSITIONS
from commerce.services import order_terms, search_index
from crm.core import clock, counters
from crm.core.models import Event
from tests.commerce.shop import NEW_YORK
from tests.support.demo import seeded


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return seeded(tmp_path_factory.mktemp("data"), "--contacts", "120", "--orders", "180", "--deals", "4")


def items(answer):
    assert answer.status_code == 200, answer.content
    return answer.json()["items"]


def test_the_catalog_has_pages_shelves_and_prices(demo):
    shop = demo.client("shopper", "storefront")
    page = shop.get("catalog/products", page_size=20).json()
    assert page["meta"]["total_pages"] > 2
    everything = [row for at in range(1, 5) for row in shop.get("catalog/products", page=at).json()["data"]]
    assert any(row["SalePrice"] for row in everything)
    assert any(row["images"] for row in everything)
    assert all(row["brand_id"] and row["category_id"] and row["status"] == "active" for row in everything)

    shelves = {row["id"]: row for row in shop.get("catalog/categories", page_size=100).json()["data"]}
    leaves = [row for row in shelves.values() if row["parent_id"] and shelves[row["parent_id"]]["parent_id"]]
    roots = [row for row in shelves.values() if row["parent_id"] is None]
    assert len(leaves) == 15
    for root in roots:
        assert shop.get(f"catalog/products/category/{root['id']}").json()["meta"]["total_items"] > 0
    found = shop.get("catalog/products", keyword="laptop-001").json()["data"]
    assert [(row["sku"], row["base_price"]["amount"], row["SalePrice"]) for row in found] == [
        ("LAPTOP-001", 99999, None)
    ]


def test_every_balance_is_what_its_ledger_says_line_by_line(demo, capsys):
    call_command("check_stock", "--organization", demo.organization.slug)
    assert "Every balance" in capsys.readouterr().out

    with demo.inside():
        balances = dict(StockItem.objects.of(demo.organization.pk).values_list("pk", "quantity"))
        ledgers = defaultdict(list)
        for row in StockMovement.objects.of(demo.organization.pk).order_by("created_at", "id"):
            ledgers[row.stock_id].append(row)
        sold = OrderItem.objects.of(demo.organization.pk).values_list("quantity", flat=True)
        taken = -sum(row.change for ledger in ledgers.values() for row in ledger if row.type == "sale")
        assert taken == sum(sold) > 0
    for pk, ledger in ledgers.items():
        balance = 0
        for row in ledger:
            balance += row.change
            assert row.balance == balance >= 0
            assert row.currency == ("" if row.cost_per_unit is None else demo.organization.currency)
        assert balance == balances[pk]
    assert {"sale", "restock", "return", "correction"} <= {row.type for ledger in ledgers.values() for row in ledger}


def test_some_stock_is_low_and_one_thing_sold_out(demo):
    low = items(demo.client("owner", "platform").get("products", low_stock="true", limit=100))

    assert low
    assert all(row["stock_quantity"] <= row["reorder_level"] for row in low)
    with demo.inside():
        assert StockItem.objects.of(demo.organization.pk).filter(quantity=0).exists()
        assert Event.objects.of(demo.organization.pk).filter(name="product.stock_low").exists()


def test_orders_of_every_status_came_from_both_sides(demo):
    client = demo.client("manager", "platform")
    for status in OrderStatus.values:
        assert items(client.get("orders", status=status)), status
    actor = demo.actor("owner")
    with demo.inside():
        rows = Order.objects.of(actor)
        assert rows.filter(created_by=None, user__isnull=False).count() > 20
        assert rows.filter(created_by__isnull=False, user=None).count() > 20
        assert rows.filter(created_at__gte=clock.now().replace(day=1, hour=0, minute=0)).exists()
        assert counters.total(actor, "orders") == rows.count()
        assert counters.total(actor, "products") == Product.objects.of(actor).alive().count() == 60
        active = Product.objects.of(actor).alive().filter(status="active").count()
        assert counters.total(actor, "products on sale") == active


def test_every_order_adds_up_and_is_taxed_where_it_goes(demo):
    actor = demo.actor("owner")
    with demo.inside():
        for order in Order.objects.of(actor).prefetch_related("items"):
            lines = list(order.items.all())
            assert order.subtotal == sum(line.unit_price * line.quantity for line in lines)
            assert order.discount_total == sum(line.discount for line in lines)
            tax = order_terms.tax_for(actor, order.shipping_address)
            assert (order.tax_total > 0) == (tax is not None and tax.rate > 0 and order.total > 0)
            assert any(step["step"] == "tax" for step in order.pricing["steps"]) == (tax is not None)


def test_promotions_count_what_used_them(demo):
    with demo.inside():
        living = Count("redemptions", filter=Q(redemptions__returned_at=None))
        offers = {row.code: row for row in Promotion.objects.of(demo.organization.pk).annotate(living=living)}
        each = Counter(PromotionUse.objects.of(demo.organization.pk).values_list("promotion__code", "customer_id"))
        orders = Order.objects.of(demo.organization.pk).exclude(status="cancelled")
        codes = Counter(code for found in orders.values_list("promotion_codes", flat=True) for code in found)

    assert all(offer.uses == offer.living for offer in offers.values())
    assert codes == {row.code: row.uses for row in offers.values()}
    assert offers["SAVE10"].ends_at is None
    assert offers["SPRING25"].ends_at < clock.now()
    assert offers["FIRST10"].uses == offers["FIRST10"].max_uses
    assert max(often for (code, _), often in each.items() if code == "WELCOME5") == 1


def test_the_shopper_has_orders_and_a_full_cart_and_can_order_it(demo):
    shop = demo.client("shopper", "storefront")
    before = shop.get("orders").json()["meta"]["total_items"]
    cart = shop.get("cart").json()["data"]["items"]
    assert 2 <= before <= 40
    assert len(cart) == 3

    body = {"shipping_address": NEW_YORK, "shipping_method_id": "ship_express", "promotion_codes": ["SAVE10"]}
    order = shop.post("orders", body)

    assert order.status_code == 201, order.content
    told = order.json()["data"]
    assert told["subtotal"]["amount"] == sum(item["price"]["amount"] for item in cart)
    assert told["discount_total"]["amount"] > 0
    assert told["tax_total"]["amount"] > 0
    assert shop.get("orders").json()["meta"]["total_items"] == before + 1
    call_command("check_stock", "--organization", demo.organization.slug)


def test_customers_know_what_they_bought(demo):
    client = demo.client("owner", "platform")
    with demo.inside():
        rows = Order.objects.of(demo.organization.pk).exclude(status__in=["cancelled", "refunded"])
        most = rows.values_list("customer_id").annotate(n=Count("id")).order_by("-n", "customer_id").first()
    customer = client.get(f"customers/{most[0]}").json()

    assert customer["total_orders"] == most[1]
    assert customer["total_value"] > 0
    timeline = demo.client("owner").get(f"contacts/{most[0]}/timeline", type="order", pageSize=100).json()["data"]
    assert timeline["meta"]["pagination"]["total"] >= most[1]


def test_the_history_of_every_order_follows_the_rules(demo):
    with demo.inside():
        rows = Event.objects.of(demo.organization.pk).filter(subject_type="order").order_by("occurred_at", "id")
        told = defaultdict(list)
        for event in rows:
            told[event.subject_id].append(event)
        orders = {order.pk: order for order in Order.objects.of(demo.organization.pk)}

    assert told.keys() == orders.keys()
    for pk, events in told.items():
        status = "pending"
        assert events[0].name == "order.created"
        for event in events[1:]:
            change = event.changes["status"]
            assert change["from"] == status
            assert change["to"] in TRANSITIONS[status]
            status = change["to"]
        assert status == orders[pk].status
        assert bool(orders[pk].tracking_number) == any("tracking_number" in event.changes for event in events)


def made_of(event):
    """What an event is made of, beside what it is about."""
    told = (tuple(sorted(event.metadata)), tuple(sorted(event.changes)))
    return (event.name, event.kind, event.subject_type, *told, event.contact_id is None)


def test_its_events_are_those_that_the_services_record(demo):
    client, actor = demo.client("owner", "platform"), demo.actor("owner")
    nouns = ["order", "product", "variant", "category", "brand", "promotion", "taxrate", "shippingmethod"]
    with demo.inside():
        in_bulk = {made_of(event) for event in Event.objects.of(actor).filter(subject_type__in=nouns)}
        customer = Order.objects.of(actor).filter(user=None).first().customer_id
        known = Event.objects.of(actor).order_by("-recorded_at", "-id").values_list("id", flat=True)[:1].get()
    made = client.post("products", {"name": "By hand", "price": 5, "stock_quantity": 9, "reorder_level": 6}).json()
    client.post(f"products/{made['id']}/variants", {"name": "Blue"})
    client.post(f"products/{made['id']}/stock", {"adjustment": -2, "type": "damage"})
    client.post("categories", {"name": "By hand"})
    client.post("brands", {"name": "By hand"})
    client.post("promotions", {"code": "BYHAND", "type": "percentage", "value": 5})
    client.post("tax-rates", {"name": "By hand", "country": "SE", "rate": 25})
    client.post("shipping-methods", {"code": "byhand", "name": "By hand", "price": 5})
    body = {"customer_id": str(customer), "items": [{"product_id": made["id"], "quantity": 2}]}
    order = client.post("orders", body).json()
    client.put(f"orders/{order['id']}/status", {"status": "shipped", "tracking_number": "1Z"})

    with demo.inside():
        later = Event.objects.of(actor).filter(subject_type__in=nouns)
        by_hand = {made_of(event) for event in later.filter(id__gt=known)}
    assert {name for name, *_ in by_hand} == {
        "product.created",
        "variant.created",
        "product.stock_adjusted",
        "product.stock_low",
        "category.created",
        "brand.created",
        "promotion.created",
        "tax_rate.created",
        "shipping_method.created",
        "order.created",
        "order.status_changed",
    }
    assert by_hand <= in_bulk


def test_derived_columns_are_what_the_services_make(demo):
    actor = demo.actor("owner")
    with demo.inside():
        for product in Product.objects.of(actor).select_related("brand"):
            kept = (product.name_normalized, product.sku_normalized)
            stored = {word.partition(":")[0].strip("'") for word in product.search.split(" ")}
            search_index.refresh(product, product.brand)
            assert (product.name_normalized, product.sku_normalized) == kept
            assert set(product.search.get_source_expressions()[0].value) == stored
        skus = [*Product.objects.of(actor).values_list("sku", flat=True)]
        skus += Variant.objects.of(actor).values_list("sku", flat=True)
        assert len(skus) == len(set(skus)) > 60
        slugs = Category.objects.of(actor).values_list("slug", flat=True)
        assert all(slug == slug.lower() and " " not in slug for slug in slugs)


def test_a_second_run_leaves_the_shop_as_it_is(demo, settings, tmp_path):
    settings.CRM_DATA_DIR = tmp_path
    with demo.inside():
        before = (Product.objects.of(demo.organization.pk).count(), Order.objects.of(demo.organization.pk).count())
    call_command("seed_demo", "--organization", demo.organization.slug, "--contacts", "2")

    with demo.inside():
        after = (Product.objects.of(demo.organization.pk).count(), Order.objects.of(demo.organization.pk).count())
    assert after == before


def test_the_same_seed_invents_the_same_shop():
    today = clock.now()

    def orders(seed):
        goods = list(products(seed, 30, currency="EUR", today=today))
        known = [Customer("Somebody", today - (today - today.replace(year=today.year - 1)))]
        selling = Selling(seed, products=goods, customers=known, shoppers=known, currency="EUR", today=today)
        return goods, selling.orders(40)

    assert orders(1) == orders(1)
    assert orders(1) != orders(2)
