"""Tax rates: which one an address meets, and how they are set up."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from commerce.models import TaxRate
from commerce.services import order_terms
from crm.core import clock
from crm.core.models import Event
from tests.support.clients import codes, fields

NEW_YORK = {"country": "US", "state": "NY"}


@pytest.fixture
def rates(acme):
    def make(*given):
        with acme.inside():
            for country, state, rate, days in given:
                started = clock.today("UTC") - timedelta(days)
                TaxRate.objects.create(
                    organization_id=acme.id, name=rate, country=country, state=state, rate=rate, starts_on=started
                )

    return make


def tax_at(acme, address, on=None):
    with acme.inside():
        tax = order_terms.tax_for(acme.actor("owner"), address, on)
    return tax and tax.rate


@pytest.mark.parametrize("country", ["US", "us", "USA", "United States", "united states of america", "U.S.A."])
@pytest.mark.parametrize("state", ["NY", "ny", "New York", " new york ", "US-NY", "N.Y."])
def test_an_address_is_met_however_it_is_written(acme, rates, country, state):
    rates(("US", "NY", "8.75", 0))

    assert tax_at(acme, {"country": country, "state": state}) == Decimal("8.75")


@pytest.mark.parametrize(
    ("address", "rate"),
    [
        ({"country": "US", "state": "NY"}, "8.8750"),  # the newest that has started
        ({"country": "US", "state": "OR"}, "0"),  # none of its own beats the country's
        ({"country": "US", "state": "CA"}, "3"),
        ({"country": "US", "state": "Atlantis"}, "3"),
        ({"country": "US"}, "3"),
        ({"country": "United States", "state": None}, "3"),
        ({"country": "DE", "state": "NY"}, None),
        ({"country": "Atlantis", "state": "NY"}, None),
        ({"country": None, "state": "NY"}, None),
        ({"state": "NY"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_the_state_goes_before_the_country_and_the_newest_that_has_started(acme, rates, address, rate):
    rates(
        ("US", "NY", "8", 400),
        ("US", "NY", "8.875", 30),
        ("US", "NY", "9", -1),
        ("US", "OR", "0", 400),
        ("US", "", "3", 10),
        ("US", "", "2", 900),
    )

    assert tax_at(acme, address) == (rate and Decimal(rate))


def test_a_rate_starts_with_the_organization_s_day(acme, client_for, time_after):
    client_for(acme.owner).patch("settings/organization", {"timezone": "Pacific/Auckland"})
    day = clock.today("Pacific/Auckland") + timedelta(1)
    with acme.inside():
        TaxRate.objects.create(organization_id=acme.id, name="GST", country="NZ", rate=15, starts_on=day)

    assert tax_at(acme, {"country": "NZ"}) is None
    assert tax_at(acme, {"country": "NZ"}, on=day) == 15
    begins, _ = clock.day_bounds(day, "Pacific/Auckland")
    with time_after(seconds=(begins - clock.now()).total_seconds() + 1):
        assert tax_at(acme, {"country": "NZ"}) == 15


def test_the_tax_of_another_organization_is_not_ours(acme, other, rates):
    rates(("US", "NY", "8.75", 0))

    assert tax_at(other, NEW_YORK) is None
    assert tax_at(acme, NEW_YORK, on=date(2000, 1, 1)) is None


def test_the_tax_is_one_prepared_statement(acme, rates, django_assert_num_queries):
    rates(("US", "NY", "8.75", 0))
    actor = acme.actor("owner")
    with acme.inside():
        with django_assert_num_queries(1):
            order_terms.tax_for(actor, NEW_YORK)
        with django_assert_num_queries(0):
            order_terms.tax_for(actor, {})


# --- Set up on the Platform

NY = {"name": "New York", "country": "US", "state": "NY", "rate": 8.75}


def test_a_rate_is_made_shown_changed_and_deleted(acme, client_for):
    manager, reader = client_for(acme.manager, "platform"), client_for(acme.staff, "platform")

    created = manager.post("tax-rates", {"name": "NY", "country": "usa", "state": "new york", "rate": "8.75"})
    assert created.status_code == 201
    made = created.json()
    told = ("name", "country", "state", "rate", "starts_on", "applies_to_shipping")
    today = clock.today("UTC").isoformat()
    assert [made[key] for key in told] == ["NY", "US", "NY", 8.75, today, False]
    assert set(made) == {*told, "id", "created_at", "updated_at"}
    path = f"tax-rates/{made['id']}"
    assert reader.get(path).json() == reader.get("tax-rates", country="us", state="ny").json()["items"][0] == made
    assert reader.get("tax-rates", country="DE").json()["items"] == []

    change = {"state": None, "rate": 5, "starts_on": "2026-01-01", "applies_to_shipping": True}
    changed = manager.patch(path, change).json()
    assert {key: changed[key] for key in change} == change
    assert tax_at(acme, {"country": "US", "state": "CA"}) == 5
    assert manager.delete(path).json() == {"message": "Tax rate deleted successfully"}
    assert tax_at(acme, {"country": "US"}) is None
    with acme.inside():
        events = Event.objects.of(acme.id).filter(name__startswith="tax_rate.").order_by("recorded_at")
        assert [event.name for event in events] == ["tax_rate.created", "tax_rate.updated", "tax_rate.deleted"]


def test_a_place_has_one_rate_from_a_day_on(acme, client_for):
    manager = client_for(acme.manager, "platform")
    assert manager.post("tax-rates", NY | {"starts_on": "2026-01-01"}).status_code == 201

    assert codes(manager.post("tax-rates", NY | {"starts_on": "2026-01-01", "state": "US-NY"})) == (409, "CONFLICT")
    assert manager.post("tax-rates", NY | {"starts_on": "2026-01-02"}).status_code == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"country": "Atlantis"}, "country"),
        ({"country": "-"}, "country"),
        ({"country": ""}, "country"),
        ({"country": None}, "country"),
        ({"state": "Bavaria and more"}, "state"),
        ({"country": "DE"}, "state"),  # NY is none of its states
        ({"rate": -1}, "rate"),
        ({"rate": 100.5}, "rate"),
        ({"rate": 8.87555}, "rate"),
        ({"rate": None}, "rate"),
        ({"starts_on": "tomorrow"}, "starts_on"),
        ({"starts_on": None}, "starts_on"),
        ({"applies_to_shipping": "perhaps"}, "applies_to_shipping"),
    ],
)
def test_a_bad_rate_is_refused_by_field(acme, client_for, body, field):
    manager = client_for(acme.manager, "platform")
    made = manager.post("tax-rates", NY).json()

    for response in (
        manager.post("tax-rates", NY | {"starts_on": "2030-01-01"} | body),
        manager.patch(f"tax-rates/{made['id']}", body),
    ):
        assert (codes(response), fields(response)) == ((422, "VALIDATION_ERROR"), {field})
    assert manager.get("tax-rates").json()["items"] == [made]
