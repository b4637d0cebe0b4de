"""The back office of the shop's terms, signed in as an operator."""

import pytest

from commerce.models import Promotion, ShippingMethod, TaxRate
from crm.core import clock
from crm.core.models import Event
from tests.support.back_office import saved, text_of, within

PAGES = {
    "promotion": (
        Promotion,
        {"code": "SPRING", "type": "percentage", "value": "8.75", "active": "on"},
        {"value": "12.5"},
        {"value": 1250},
        ({"value": "101"}, "up to 100"),
    ),
    "shippingmethod": (
        ShippingMethod,
        {"code": "post", "name": "Post", "price": "4.5", "free_from": "100", "active": "on"},
        {"price": "5.25", "free_from": ""},
        {"price": 525, "free_from": None},
        ({"price": "5.255"}, "2 decimals"),
    ),
    "taxrate": (
        TaxRate,
        {"name": "NY", "country": "us", "state": "NY", "rate": "8.75", "starts_on": "2026-01-01"},
        {"rate": "9", "state": ""},
        {"rate": 9, "state": ""},
        ({"country": "XX"}, "Choose a country"),
    ),
}


@pytest.mark.parametrize("page", PAGES)
def test_terms_are_made_changed_refused_and_deleted_by_the_services(acme, back_office, page):
    model, body, change, became, (bad, refusal) = PAGES[page]
    base = f"/admin/commerce/{page}"
    assert back_office.get(f"{base}/add/").status_code == 200

    saved(back_office.post(f"{base}/add/", {"tenant": str(acme.id), **body}))
    with acme.inside():
        made = model.objects.of(acme.id).latest("created_at")
    one = f"{base}/{made.pk}/change/"
    assert str(made) in text_of(back_office.get(one))
    assert str(made.pk) in text_of(back_office.get(f"{base}/", within(acme)))

    saved(back_office.post(one, body | change))
    with acme.inside():
        made.refresh_from_db()
    assert {name: getattr(made, name) for name in became} == became

    assert refusal in text_of(back_office.post(one, body | bad, follow=True))
    back_office.post(f"{base}/", {"action": "delete_rows", "_selected_action": [str(made.pk)]})
    with acme.inside():
        made.refresh_from_db()
        events = Event.objects.of(acme.id).filter(subject_id=made.pk).order_by("recorded_at")
        assert [event.name.partition(".")[2] for event in events] == ["created", "updated", "deleted"]
    assert made.deleted_at < clock.now()


def test_a_promotion_shows_its_value_as_people_write_it(acme, back_office):
    for kind, value, shown in (("percentage", 875, "8.75"), ("fixed", 1250, "12.5")):
        with acme.inside():
            row = Promotion.objects.create(
                organization_id=acme.id, code=kind, code_normalized=kind, type=kind, value=value, currency="USD"
            )
        assert f'value="{shown}"' in text_of(back_office.get(f"/admin/commerce/promotion/{row.pk}/change/"))
