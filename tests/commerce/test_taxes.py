"""Tax rates: which one an address meets, and how they are set up."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from commerce.models import TaxRate
from commerce.services import terms
from crm.core import clock

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
        tax = terms.tax_for(acme.actor("owner"), address, on)
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
            terms.tax_for(actor, NEW_YORK)
        with django_assert_num_queries(0):
            terms.tax_for(actor, {})
