"""How the shop's terms are kept: each change under its unique value and with its event."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

from django.db import IntegrityError, transaction

from commerce.models import Promotion, ShippingMethod, TaxRate
from crm.core import clock, events, money
from crm.core.actor import Actor
from crm.core.db import lock_row
from crm.core.errors import Conflict, Invalid

Term = TypeVar("Term", Promotion, ShippingMethod, TaxRate)


class Noun(NamedTuple):
    """What a term is called in events and titles, and what is said where its unique value stands already."""

    event: str
    title: str
    constraint: str
    taken: str


def add(actor: Actor, noun: Noun, row: Term) -> Term:
    """Save a new row; a value that may stand only once and does so already is a `Conflict`."""
    with _once(noun):
        row.save(force_insert=True)
    events.record(actor, f"{noun.event}.created", row, title=f"{noun.title} {row} created")
    return row


def locked(actor: Actor, row: Term) -> Term:
    """Return the row, which is the caller's alone until the transaction ends."""
    return lock_row(type(row).objects.of(actor).alive(), row.pk)


def change(actor: Actor, noun: Noun, row: Term, changes: Mapping[str, Any], *derived: str) -> Term:
    """Save what changed in a locked row, and the columns derived from it; nothing changed: no event."""
    if changes:
        with _once(noun):
            row.save(update_fields={*changes, *derived, "updated_at"})
        title = f"{noun.title} {row} updated"
        events.record(actor, f"{noun.event}.updated", row, title=title, changes=changes)
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


def remove(actor: Actor, noun: Noun, row: Term) -> None:
    """Delete softly: orders that used it keep what they say, and its unique value can be used again."""
    row = locked(actor, row)
    row.deleted_at = clock.now()
    row.save(update_fields=["deleted_at", "updated_at"])
    events.record(actor, f"{noun.event}.deleted", row, title=f"{noun.title} {row} deleted")


@contextmanager
def _once(noun: Noun) -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if noun.constraint not in str(error):
            raise
        raise Conflict(noun.taken) from error
