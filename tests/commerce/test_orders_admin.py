"""The back office of orders, over HTTP, signed in as an operator."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commerce.models import Order
from crm.core.models import Event
from tests.commerce.shop import in_stock, order, put, sell
from tests.support.back_office import saved, text_of, within

INLINES = {"items-TOTAL_FORMS": 0, "items-INITIAL_FORMS": 0}


@pytest.fixture
def placed(acme, shopper, laptop):
    put(shopper, laptop, 2)
    response = order(shopper, notes="Ring twice")
    with acme.inside():
        return Order.objects.of(acme.id).get(pk=response.json()["data"]["id"])


def address(row):
    return f"/admin/commerce/order/{row.pk}/change/"


def stored(tenant, row):
    with tenant.inside():
        return Order.objects.of(tenant.id).get(pk=row.pk)


def test_an_order_is_found_and_shown_with_its_lines(acme, back_office, placed):
    for query in ({"q": placed.order_number}, {"q": str(placed.pk)}, within(acme), {"status__exact": "pending"}):
        assert str(placed.pk) in text_of(back_office.get("/admin/commerce/order/", query))

    page = text_of(back_office.get(address(placed)))

    for text in ("LAPTOP-001", "Professional Laptop", "999.99 USD", "1,999.98 USD", "Ring twice", "123 Main St"):
        assert text in page
    assert 'name="total"' not in page
    assert back_office.get("/admin/commerce/order/add/").status_code == 403


def test_an_order_moves_on_by_the_service(acme, back_office, laptop, placed):
    told = {"next_status": "shipped", "tracking": "1Z999", "remark": "With UPS"}
    saved(back_office.post(address(placed), told | INLINES))
    saved(back_office.post(address(placed), INLINES))
    saved(back_office.post(address(placed), {"next_status": "refunded", "restock": "on"} | INLINES))

    found = stored(acme, placed)
    assert (found.status, found.tracking_number, in_stock(acme, laptop)) == ("refunded", "1Z999", [5])
    with acme.inside():
        events = Event.objects.of(acme.id).filter(subject_id=placed.pk).order_by("id")
        assert [(event.name, event.content, event.actor_id) for event in events] == [
            ("order.created", "Ring twice", acme.customer.pk),
            ("order.status_changed", "With UPS", None),
            ("order.status_changed", "", None),
        ]


@pytest.mark.parametrize("told", [{"next_status": "refunded"}, {"next_status": "lost"}, {"tracking": "1Z999"}])
def test_a_step_that_is_none_is_told_on_the_page(acme, back_office, placed, told):
    response = back_office.post(address(placed), told | INLINES)

    assert response.status_code == 200
    assert response.context_data["adminform"].form.errors["next_status"]
    assert stored(acme, placed).status == "pending"


def test_what_the_service_refuses_is_told(acme, back_office, placed):
    saved(back_office.post(address(placed), {"next_status": "shipped", "restock": "on"} | INLINES))

    assert "Only what is cancelled or refunded goes back into stock." in text_of(back_office.get(address(placed)))
    assert stored(acme, placed).status == "pending"


def test_a_list_takes_the_same_number_of_queries_however_long(acme, back_office, shopper):
    pen = sell(acme, "PEN", units=100)

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert back_office.get("/admin/commerce/order/", within(acme)).status_code == 200
        return len(captured)

    def buy():
        put(shopper, pen)
        assert order(shopper).status_code == 201

    buy()
    queries()
    one = queries()
    for _ in range(5):
        buy()

    assert queries() == one
