"""The shop's configuration: shipping methods and tax rates, and what promotions share with them.

Each change is made under a unique value and with its event.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple, TypedDict, TypeVar, Unpack

from django.db import IntegrityError, transaction

from commerce.models import Promotion, ShippingMethod, TaxRate
from commerce.models.terms import normal_code
from commerce.services.addresses import country_code, state_code
from crm.core import clock, events, money
from crm.core.actor import Actor
from crm.core.db import lock_row
from crm.core.errors import Conflict, Invalid

Row = TypeVar("Row", Promotion, ShippingMethod, TaxRate)


class Kind(NamedTuple):
    """What a row is called in events and titles, and what is said where its unique value is taken."""

    event: str
    title: str
    constraint: str
    taken: str


def add(actor: Actor, kind: Kind, row: Row) -> Row:
    """Save a new row; a value that may stand only once and does so already is a `Conflict`."""
    with _once(kind):
        row.save(force_insert=True)
    events.record(actor, f"{kind.event}.created", row, title=f"{kind.title} {row} created")
    return row


def locked(actor: Actor, row: Row) -> Row:
    """Return the row, which is the caller's alone until the transaction ends."""
    return lock_row(type(row).objects.of(actor).alive(), row.pk)


def change(actor: Actor, kind: Kind, row: Row, changes: Mapping[str, Any], *derived: str) -> Row:
    """Save what changed in a locked row, and the columns derived from it; nothing changed: no event."""
    if changes:
        with _once(kind):
            row.save(update_fields={*changes, *derived, "updated_at"})
        title = f"{kind.title} {row} updated"
        events.record(actor, f"{kind.event}.updated", row, title=title, changes=changes)
    return row


def currency_of(
    actor: Actor, row: Promotion | ShippingMethod, fields: Mapping[str, Any], amounts: Iterable[str]
) -> str:
    """Return the currency of a term's amounts with these fields: the one they name, else its own, at first the shop's.

    A new one converts nothing: each of the `amounts` that the term has must come with it, else `Invalid` names it.
    """
    currency = money.currency_code(fields["currency"]) if "currency" in fields else row.currency or actor.currency
    if row.currency and currency != row.currency:
        faults = {name: "Say the amount in the new currency." for name in amounts if getattr(row, name)}
        faults = {name: reason for name, reason in faults.items() if name not in fields}
        if faults:
            raise Invalid(faults)
    return currency


def remove(actor: Actor, kind: Kind, row: Row) -> None:
    """Delete softly: orders that used it keep what they say, and its unique value can be used again."""
    row = locked(actor, row)
    row.deleted_at = clock.now()
    row.save(update_fields=["deleted_at", "updated_at"])
    events.record(actor, f"{kind.event}.deleted", row, title=f"{kind.title} {row} deleted")


@contextmanager
def _once(kind: Kind) -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if kind.constraint not in str(error):
            raise
        raise Conflict(kind.taken) from error


SHIPPING_METHOD = Kind("shipping_method", "Shipping method", "shipping_code_once", "Another method has this code.")
AMOUNTS = ("price", "free_from")


class ShippingMethodFields(TypedDict, total=False):
    """What may be said of a shipping method, by domain name."""

    currency: str
    price: Decimal
    free_from: Decimal | None
    active: bool


class ShippingMethodChanges(ShippingMethodFields, total=False):
    """The same, with what a new one must have."""

    code: str
    name: str


def create_shipping_method(
    actor: Actor, *, code: str, name: str, **fields: Unpack[ShippingMethodFields]
) -> ShippingMethod:
    """Create a shipping method; amounts are in major units of `currency`, by default the shop's."""
    method = ShippingMethod(organization_id=actor.organization_id)
    _set_shipping_method(actor, method, {**fields, "code": code, "name": name})
    return add(actor, SHIPPING_METHOD, method)


def update_shipping_method(
    actor: Actor, method: ShippingMethod, **fields: Unpack[ShippingMethodChanges]
) -> ShippingMethod:
    """Change a shipping method, amounts in its own currency; orders placed keep the price they have."""
    method = locked(actor, method)
    changes = _set_shipping_method(actor, method, fields)
    return change(actor, SHIPPING_METHOD, method, changes, "code_normalized")


def delete_shipping_method(actor: Actor, method: ShippingMethod) -> None:
    """Delete a shipping method: nobody can choose it any more."""
    remove(actor, SHIPPING_METHOD, method)


def set_up(actor: Actor) -> None:
    """Give a new organization its first way to send, at no charge."""
    create_shipping_method(actor, code="ship_standard", name="Standard shipping", price=Decimal(0))


def _set_shipping_method(actor: Actor, method: ShippingMethod, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Set the fields and return what changed."""
    currency = currency_of(actor, method, fields, AMOUNTS)
    columns = {**fields, "currency": currency}
    for name in AMOUNTS:
        if columns.get(name) is not None:
            columns[name] = money.to_minor(columns[name], currency, field=name)
    changes = events.assign(method, columns)
    method.code_normalized = normal_code(method.code)
    return changes


TAX_RATE = Kind("tax_rate", "Tax rate", "tax_rate_once", "This place has a rate from this day on already.")


class TaxRateFields(TypedDict, total=False):
    """What may be said of a tax rate, by domain name."""

    state: str
    starts_on: date
    applies_to_shipping: bool


class TaxRateChanges(TaxRateFields, total=False):
    """The same, with what a new one must have."""

    name: str
    country: str
    rate: Decimal


def create_tax_rate(
    actor: Actor, *, name: str, country: str, rate: Decimal, **fields: Unpack[TaxRateFields]
) -> TaxRate:
    """Create a tax rate of a country or, with `state`, of a part of it; both are taken as code or name.

    It counts from `starts_on`, which is today in the organization's zone where it is left out.
    """
    row = TaxRate(organization_id=actor.organization_id, starts_on=clock.today(actor.organization_timezone))
    _set_tax_rate(row, {**fields, "name": name, "country": country, "rate": rate})
    return add(actor, TAX_RATE, row)


def update_tax_rate(actor: Actor, rate: TaxRate, /, **fields: Unpack[TaxRateChanges]) -> TaxRate:
    """Change a tax rate; orders placed keep the tax they have."""
    rate = locked(actor, rate)
    return change(actor, TAX_RATE, rate, _set_tax_rate(rate, fields))


def delete_tax_rate(actor: Actor, rate: TaxRate) -> None:
    """Delete a tax rate: no later order meets it."""
    remove(actor, TAX_RATE, rate)


def _set_tax_rate(rate: TaxRate, fields: Mapping[str, Any]) -> dict[str, Any]:
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
