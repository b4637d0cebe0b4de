"""The back office of the catalog, over HTTP, signed in as an operator."""

import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from commerce.admin.catalog import VARIANTS_SHOWN
from commerce.models import Brand, Category, MovementType, Product, StockMovement, Variant
from commerce.services import products, stock
from crm.core.models import Event
from tests.commerce.shop import in_stock, vary
from tests.support.back_office import saved, text_of, within


@pytest.fixture
def lamp(acme):
    with acme.inside():
        return products.create_product(
            acme.actor("manager"),
            name="Lamp",
            sku="LAMP",
            price=Decimal("19.99"),
            category="Light",
            stock_quantity=7,
            attributes={"watt": 5},
        )


def form_of(product, **changed):
    """The fields of a product's page as a browser would send them."""
    told = {
        **{name: getattr(product, name) for name in ("name", "sku", "description", "status", "currency")},
        "category": product.category_id or "",
        "price": "19.99",
        "attributes": '{"watt": 5}',
        "variants-TOTAL_FORMS": 0,
        "variants-INITIAL_FORMS": 0,
    }
    return told | changed


def variant_row(number, product, pk="", **told):
    return {
        f"variants-{number}-{name}": value
        for name, value in {"id": pk, "product": product.pk, "active": "on", "attributes": "{}", **told}.items()
    }


def told(tenant, pk):
    with tenant.inside():
        return list(Event.objects.of(tenant.id).filter(subject_id=pk).order_by("id").values_list("name", flat=True))


def address(row, action="change"):
    return f"/admin/commerce/{type(row).__name__.lower()}/{row.pk}/{action}/"


def test_a_product_is_found_and_shown_with_its_ledger(acme, lamp, back_office):
    for query in ({"q": "lam"}, {"q": "LAM"}, {"q": str(lamp.pk)}, {"q": "lamp", **within(acme)}):
        assert str(lamp.pk) in text_of(back_office.get("/admin/commerce/product/", query))
    page = text_of(back_office.get(address(lamp)))
    assert "restock +7" in page
    assert 'value="19.99"' in page
    link = re.search(r"/admin/commerce/stockmovement/\?stock__id__exact=[0-9a-f-]+", page).group()
    assert "Opening stock" in text_of(back_office.get(link))


@pytest.mark.parametrize(
    ("currency", "price", "listed", "filled_in"),
    [
        ("USD", "1250", "1,250.00 USD", "1250.00"),
        ("JPY", "1250", "1,250 JPY", "1250"),
        ("KWD", "5", "5.000 KWD", "5.000"),
    ],
)
def test_amounts_have_the_decimals_of_their_currency(acme, back_office, currency, price, listed, filled_in):
    with acme.inside():
        product = products.create_product(acme.actor("manager"), name="Lamp", price=Decimal(price), currency=currency)

    assert listed in text_of(back_office.get(f"/admin/commerce/product/?organization__id__exact={acme.id}"))
    page = back_office.get(f"/admin/commerce/product/{product.pk}/change/").content.decode()
    assert f'name="price" value="{filled_in}"' in page


def test_a_product_is_changed_and_its_stock_adjusted_by_the_services(acme, lamp, back_office):
    change = {"price": "24.50", "images": "https://example.com/1.jpg\nhttps://example.com/2.jpg", "category": ""}
    saved(back_office.post(address(lamp), form_of(lamp, **change)))
    adjust = {"adjustment": "-2", "adjustment_type": "damage", "adjustment_reason": "Fell down"}
    saved(back_office.post(address(lamp), form_of(lamp, **change, **adjust)))

    with acme.inside():
        found = Product.objects.of(acme.id).select_related("stock").get(pk=lamp.pk)
        movement = StockMovement.objects.of(acme.id).filter(stock=found.stock_id).latest("created_at")
    assert (found.price, found.category_id, found.stock.quantity) == (2450, None, 5)
    assert found.images == ["https://example.com/1.jpg", "https://example.com/2.jpg"]
    assert (movement.type, movement.change, movement.reason, movement.created_by_id) == (
        "damage",
        -2,
        "Fell down",
        None,
    )
    assert told(acme, lamp.pk) == ["product.created", "product.updated", "product.stock_adjusted"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"adjustment": "-8"}, "8 cannot be taken."),
        ({"price": "1.001"}, "USD has 2 decimals"),
        ({"currency": "JPY"}, "cannot stand for amounts"),
    ],
)
def test_a_refusal_is_told_and_nothing_is_saved(acme, lamp, back_office, changed, message):
    response = back_office.post(address(lamp), form_of(lamp, name="Renamed", **changed), follow=True)

    assert message in text_of(response)
    assert told(acme, lamp.pk) == ["product.created"]


def test_variants_are_made_changed_and_deleted_on_the_product_s_page(acme, lamp, back_office):
    added = variant_row(0, lamp, name="Red", price="21", stock_quantity="3")
    saved(back_office.post(address(lamp), form_of(lamp, **{"variants-TOTAL_FORMS": 1}, **added)))
    with acme.inside():
        red = Variant.objects.of(acme.id).select_related("stock").get(product=lamp)
    assert (red.name, red.sku, red.price, red.stock.quantity) == ("Red", "LAMP-RED", 2100, 3)

    counts = {"variants-TOTAL_FORMS": 1, "variants-INITIAL_FORMS": 1}
    row = {"name": "Dark red", "sku": red.sku, "price": "21.0", "stock_quantity": "3"}
    saved(back_office.post(address(lamp), form_of(lamp, **counts, **variant_row(0, lamp, red.pk, **row))))
    saved(back_office.post(address(lamp), form_of(lamp, **counts, **variant_row(0, lamp, red.pk, **row))))
    assert told(acme, red.pk) == ["variant.created", "variant.updated"]

    saved(back_office.post(address(lamp), form_of(lamp, **counts, **variant_row(0, lamp, red.pk, **row, DELETE="on"))))
    assert told(acme, red.pk)[-1] == "variant.deleted"
    assert "Dark red" not in text_of(back_office.get(address(lamp)))


def test_a_product_of_very_many_variants_is_saved_page_by_page(acme, lamp, back_office):
    for number in range(VARIANTS_SHOWN + 2):
        vary(acme, lamp, f"V{number:02}")
    for page, shown in ((1, VARIANTS_SHOWN), (2, 2)):
        opened = text_of(back_office.get(address(lamp), {"variants-page": page}))
        pks = re.findall(r'name="variants-\d+-id" value="([0-9a-f-]+)"', opened)
        assert len(pks) == shown

        counts = {"variants-TOTAL_FORMS": shown, "variants-INITIAL_FORMS": shown, "variants-page": page}
        rows = [variant_row(n, lamp, pk, name=f"{page}.{n}", sku=f"{page}.{n}") for n, pk in enumerate(pks)]
        told_all = {name: value for row in rows for name, value in row.items()}
        saved(back_office.post(address(lamp), form_of(lamp, **counts, **told_all)))

    with acme.inside():
        names = set(Variant.objects.of(acme.id).values_list("name", flat=True))
    assert names == {f"1.{n}" for n in range(VARIANTS_SHOWN)} | {"2.0", "2.1"}


def test_what_is_sold_while_a_page_is_open_stays_sold(acme, lamp, back_office):
    red = vary(acme, lamp, "RED", units=10)
    opened = text_of(back_office.get(address(lamp)))
    assert re.search(r'<input[^>]+name="initial-variants-0-stock_quantity" value="10"', opened)
    with acme.inside():
        stock.take_stock(acme.actor("manager"), {red.stock_id: 2}, type=MovementType.SALE, reference=None)

    counts = {"variants-TOTAL_FORMS": 1, "variants-INITIAL_FORMS": 1, "initial-variants-0-stock_quantity": "10"}
    row = variant_row(0, lamp, red.pk, name="Dark red", sku="RED", price="", stock_quantity="10")
    saved(back_office.post(address(lamp), form_of(lamp, **counts, **row)))
    assert in_stock(acme, red) == [8]

    saved(back_office.post(address(lamp), form_of(lamp, **counts, **(row | {"variants-0-stock_quantity": "9"}))))
    assert in_stock(acme, red) == [9]
    assert told(acme, red.pk) == ["variant.created", "variant.updated"]


@pytest.mark.parametrize("written", ["", "{}", " "])
def test_no_attributes_are_an_empty_object(acme, lamp, back_office, written):
    added = variant_row(0, lamp, name="Red") | {"variants-0-attributes": written}
    before = {"initial-attributes": '{"watt": 5}'}  # beside the field, as the page has it
    saved(
        back_office.post(
            address(lamp), form_of(lamp, attributes=written, **before, **{"variants-TOTAL_FORMS": 1}, **added)
        )
    )
    body = {"tenant": str(acme.id), "name": "Big Lamp", "price": "5", "status": "active", "attributes": written}
    saved(
        back_office.post(
            "/admin/commerce/product/add/", body | {"variants-TOTAL_FORMS": 0, "variants-INITIAL_FORMS": 0}
        )
    )

    with acme.inside():
        found = [*Product.objects.of(acme.id), *Variant.objects.of(acme.id)]
    assert [row.attributes for row in found] == [{}, {}, {}]


@pytest.mark.parametrize("written", ["null", "[1]", "5", "{", r'{"a": "\u0000"}', r'{"a": "\ud800"}', '{"a": NaN}'])
def test_attributes_are_an_object_that_can_be_stored(acme, lamp, back_office, written):
    before = {"initial-attributes": '{"watt": 5}'}
    response = back_office.post(address(lamp), form_of(lamp, attributes=written, **before))

    assert response.context_data["adminform"].form.errors["attributes"]
    assert escape(written) in text_of(response)
    assert told(acme, lamp.pk) == ["product.created"]


def test_prices_have_the_decimals_of_their_currency(acme, back_office):
    for currency, price in (("KWD", "1.255"), ("JPY", "1500"), ("USD", "19.90")):
        with acme.inside():
            products.create_product(acme.actor("manager"), name="Lamp", price=Decimal(price), currency=currency)

    page = text_of(back_office.get("/admin/commerce/product/", within(acme)))
    assert all(price in page for price in ("1.255 KWD", "1,500 JPY", "19.90 USD"))


def test_a_product_is_made_in_an_organization(acme, back_office):
    page = "/admin/commerce/product/add/"
    assert back_office.get(page).status_code == 200
    body = {"tenant": str(acme.id), "name": "Big Lamp", "price": "5", "status": "active", "attributes": "{}"}

    saved(back_office.post(page, body | {"variants-TOTAL_FORMS": 0, "variants-INITIAL_FORMS": 0}))

    with acme.inside():
        made = Product.objects.of(acme.id).get(name="Big Lamp")
    assert (made.sku, made.currency, made.price) == ("BIG-LAMP", "USD", 500)


def test_products_are_deleted_and_restored_by_the_services(acme, lamp, back_office):
    for action in ("delete_rows", "restore_rows"):
        back_office.post("/admin/commerce/product/", {"action": action, "_selected_action": [str(lamp.pk)]})

    assert told(acme, lamp.pk) == ["product.created", "product.deleted", "product.restored"]


@pytest.mark.parametrize("model", [Category, Brand])
def test_categories_and_brands_are_kept_by_the_services(acme, back_office, model):
    where = f"/admin/commerce/{model.__name__.lower()}/"
    saved(back_office.post(f"{where}add/", {"tenant": str(acme.id), "name": "Ünder", "active": "on"}))
    with acme.inside():
        row = model.objects.of(acme.id).get(slug="under")
    saved(back_office.post(f"{where}{row.pk}/change/", {"name": "Over", "slug": "under", "active": "on"}))
    listed = text_of(back_office.get(where, {"q": "over"}))
    assert str(row.pk) in listed
    assert "restore_rows" not in listed
    back_office.post(where, {"action": "delete_rows", "_selected_action": [str(row.pk)]})

    noun = model.__name__.lower()
    assert told(acme, row.pk) == [f"{noun}.created", f"{noun}.updated", f"{noun}.deleted"]


def test_a_list_reads_no_row_alone(acme, lamp, back_office):
    def count():
        with CaptureQueriesContext(connection) as asked:
            text_of(back_office.get("/admin/commerce/product/", within(acme)))
        return len(asked)

    few = count()
    with acme.inside():
        for number in range(9):
            products.create_product(acme.actor("manager"), name=f"P{number}", price=Decimal(1), category=f"C{number}")
    assert count() == few
