"""Writes to tax rates. How a checkout finds the one of an address is in `terms`."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from commerce.models import TaxRate
from commerce.services import keeping
from commerce.services.places import country_code, state_code
from crm.core import clock, events
from crm.core.actor import Actor
from crm.core.errors import Invalid

NOUN = keeping.Noun("tax_rate", "Tax rate", "tax_rate_once", "This place has a rate from this day on already.")


def create_tax_rate(actor: Actor, *, name: str, country: str, rate: Decimal, **fields: Any) -> TaxRate:
    """Create a tax rate of a country or, with `state`, of a part of it; both are taken as code or name.

    It counts from `starts_on`, which is today in the organization's zone where it is left out.
    """
    row = TaxRate(organization_id=actor.organization_id, starts_on=clock.today(actor.organization_timezone))
    _set(row, {**fields, "name": name, "country": country, "rate": rate})
    return keeping.add(actor, NOUN, row)


def update_tax_rate(actor: Actor, rate: TaxRate, /, **fields: Any) -> TaxRate:
    """Change a tax rate; orders placed keep the tax they have."""
    rate = keeping.locked(actor, rate)
    return keeping.change(actor, NOUN, rate, _set(rate, fields))


def delete_tax_rate(actor: Actor, rate: TaxRate) -> None:
    """Delete a tax rate: no later order meets it."""
    keeping.remove(actor, NOUN, rate)


def _set(rate: TaxRate, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Set the fields, places by their codes, and return what changed, or raise `Invalid`."""
    columns = dict(fields)
    country = country_code(columns.get("country", rate.country))
    if not country:
        raise Invalid({"country": "Choose a country, such as US."})
    written = columns.get("state", rate.state)
    state = state_code(country, written)
    if written and not state:
        raise Invalid({"state": f"{country} has no such state."})
    return events.assign(rate, columns | {"country": country, "state": state})
