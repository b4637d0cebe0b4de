"""Carts: what a user is about to order. Writing to one holds its row, so that changes and checkouts take turns.

Nothing is reserved: a cart may hold what is in stock at that moment, and the checkout asks again.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db.models import QuerySet
from psycopg.types.json import Jsonb

from commerce.models import Cart, CartItem
from commerce.models.carts import MOST_LINES, MOST_OF_ONE
from commerce.services import sellables
from commerce.services.sellables import Sellable
from crm.core import clock, db, events
from crm.core.actor import Actor
from crm.core.db import CompiledQuery
from crm.core.errors import Invalid, NotFound
from crm.core.ids import uuid7

OUT_OF_STOCK = "OUT_OF_STOCK"
CART_COLUMNS = ("id", "user_id", "created_at", "updated_at")
NOT_IN_CART = "Item not found in cart."


class CartLine(NamedTuple):
    """A line of a cart, priced as of today; ids are text, attributes JSON as it was stored."""

    id: str
    product_id: str
    variant_id: str | None
    quantity: int
    attributes: Any
    sellable: Sellable


@dataclass(frozen=True, slots=True)
class Contents:
    """A cart and its lines, in the order in which they were put in."""

    cart: Cart
    lines: tuple[CartLine, ...]

    def line(self, item_id: UUID | str) -> CartLine:
        """Return the line of this id, or raise `NotFound`."""
        found = next((line for line in self.lines if line.id == str(item_id)), None)
        if found is None:
            raise NotFound(NOT_IN_CART)
        return found

    def wanted_of(self, line: CartLine) -> int:
        """Return how many units all lines together want of the stock that this one is sold from."""
        return sum(other.quantity for other in self.lines if other.sellable.stock_id == line.sellable.stock_id)

    def but(self, gone: CartLine, *instead: CartLine) -> "Contents":
        """Return the same with a line replaced, or left out."""
        at = self.lines.index(gone)
        return Contents(self.cart, (*self.lines[:at], *instead, *self.lines[at + 1 :]))


def contents_of(actor: Actor) -> Contents:
    """Return the actor's cart; it is made when it is first asked for."""
    rows = _CONTENTS.rows(actor)
    return _contents(actor, rows) if rows else Contents(held_cart(actor), ())


def held_cart(actor: Actor) -> Cart:
    """Return the actor's cart, locked until the transaction ends, and made where there is none.

    Only a statement after this one sees what its last holder did.
    """
    moment = clock.now()
    requested = [uuid7(), actor.organization_id, actor.user_id, moment, moment]
    (row,) = db.fetch(_HOLD, requested)
    return _cart(actor, row)


def held_contents(actor: Actor) -> Contents:
    """Return the actor's cart as it stands and stays until the transaction ends."""
    held_cart(actor)
    return _contents(actor, _CONTENTS.rows(actor))


def add_item(
    actor: Actor,
    *,
    product_id: UUID,
    quantity: int,
    variant_id: UUID | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> Contents:
    """Put so many of a product, or of a variant of it, into the actor's cart; the same choice is one line."""
    chosen = orjson.dumps(attributes or {}, option=orjson.OPT_SORT_KEYS)
    cart = held_cart(actor)
    added = db.fetch(
        _ADD,
        {
            "id": uuid7(),
            "organization": actor.organization_id,
            "cart": cart.pk,
            "product": product_id,
            "variant": variant_id,
            "quantity": quantity,
            "attributes": Jsonb(attributes or {}, dumps=orjson.dumps),
            "choice": _choice(product_id, variant_id, chosen),
            "most": MOST_OF_ONE,
            "moment": cart.updated_at,
        },
    )
    if not added:
        raise _refusal(actor, product_id, variant_id)
    ((item_id, units),) = added
    contents = _contents(actor, _CONTENTS.rows(actor))
    line = contents.line(item_id)
    _check(actor, contents, line)
    if len(contents.lines) > MOST_LINES:
        raise Invalid({"product_id": f"A cart holds at most {MOST_LINES} different items."})
    title = f"{quantity} x {line.sellable.name} put into the cart"
    _record(actor, cart, "cart.item_added", line, title=title, units=(units - quantity, units))
    return contents


def change_quantity(actor: Actor, item_id: UUID, *, quantity: int) -> Contents:
    """Let a line of the actor's cart be so many; the same as before changes nothing."""
    before = held_contents(actor)
    line = before.line(item_id)
    if line.quantity == quantity:
        return before
    wanted = line._replace(quantity=quantity)
    after = before.but(line, wanted)
    _check(actor, after, wanted)
    _items(actor, before.cart).filter(pk=item_id).update(quantity=quantity, updated_at=clock.now())
    title = f"{line.sellable.name} in the cart: {quantity} instead of {line.quantity}"
    _record(actor, before.cart, "cart.item_changed", line, title=title, units=(line.quantity, quantity))
    return after


def remove_item(actor: Actor, item_id: UUID) -> Contents:
    """Take a line out of the actor's cart."""
    before = held_contents(actor)
    line = before.line(item_id)
    _items(actor, before.cart).filter(pk=item_id).delete()
    title = f"{line.sellable.name} taken out of the cart"
    _record(actor, before.cart, "cart.item_removed", line, title=title, units=(line.quantity, 0))
    return before.but(line)


def empty_cart(actor: Actor) -> Contents:
    """Take everything out of the actor's cart."""
    cart = held_cart(actor)
    if clear(actor, cart):
        events.record(actor, "cart.emptied", cart, title="Cart emptied")
    return Contents(cart, ())


def clear(actor: Actor, cart: Cart) -> int:
    """Delete the lines of a cart that is held; return how many there were."""
    return len(db.fetch(_EMPTY, [actor.organization_id, cart.pk]))


_CONTENTS = CompiledQuery(
    lambda actor: (
        Cart.objects.of(actor)
        .filter(user_id=actor.user_id)
        .order_by("items__created_at", "items__id")
        .values_list(
            *CART_COLUMNS,
            *(f"items__{name}" for name in ("id", "product_id", "variant_id", "quantity", "attributes")),
            *sellables.columns("items__product__", "items__variant__"),
        )
    )
)
_EMPTY = "DELETE FROM commerce_cartitem WHERE organization_id = %s AND cart_id = %s RETURNING id"
_HOLD = """
INSERT INTO commerce_cart (id, organization_id, user_id, created_at, updated_at) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (organization_id, user_id) DO UPDATE SET updated_at = EXCLUDED.updated_at
RETURNING id, user_id, created_at, updated_at
"""
_ADD = """
INSERT INTO commerce_cartitem (
    id, organization_id, cart_id, product_id, variant_id, quantity, attributes, choice, created_at, updated_at
)
SELECT %(id)s::uuid, product.organization_id, %(cart)s::uuid, product.id, variant.id, %(quantity)s::integer,
       %(attributes)s::jsonb, %(choice)s::text, %(moment)s::timestamptz, %(moment)s::timestamptz
FROM commerce_product product
LEFT JOIN commerce_variant variant ON variant.organization_id = product.organization_id
     AND variant.product_id = product.id AND variant.id = %(variant)s::uuid
     AND variant.deleted_at IS NULL
WHERE product.organization_id = %(organization)s::uuid AND product.id = %(product)s::uuid AND product.deleted_at IS NULL
  AND (%(variant)s::uuid IS NULL OR variant.id IS NOT NULL) AND %(quantity)s::integer <= %(most)s::integer
ON CONFLICT (organization_id, cart_id, choice) DO UPDATE
SET quantity = commerce_cartitem.quantity + EXCLUDED.quantity, updated_at = EXCLUDED.updated_at
WHERE commerce_cartitem.quantity + EXCLUDED.quantity <= %(most)s::integer
RETURNING id, quantity
"""


def _contents(actor: Actor, rows: list[tuple[Any, ...]]) -> Contents:
    """Return the cart that rows of `_CONTENTS` tell of; an empty one is a row without a line."""
    lines = (CartLine._make((*row[4:9], Sellable._make(row[9:]))) for row in rows if row[4] is not None)
    return Contents(_cart(actor, rows[0]), tuple(lines))


def _cart(actor: Actor, row: tuple[Any, ...]) -> Cart:
    pk, user_id, created_at, updated_at, *_ = row
    return Cart(
        id=UUID(pk),
        organization_id=actor.organization_id,
        user_id=UUID(user_id),
        created_at=created_at,
        updated_at=updated_at,
    )


def _items(actor: Actor, cart: Cart) -> QuerySet[CartItem]:
    return CartItem.objects.of(actor).filter(cart_id=cart.pk)


def _choice(product_id: UUID, variant_id: UUID | None, attributes: bytes) -> str:
    """Return the digest by which the same choice is found again."""
    return hashlib.sha256(
        b"%s %s %s" % (product_id.bytes, variant_id.bytes if variant_id else b"", attributes)
    ).hexdigest()


def _check(actor: Actor, contents: Contents, line: CartLine) -> None:
    """Raise `Invalid` unless the line is sold, and there is enough for all lines from its stock."""
    reason = line.sellable.unavailable_reason(actor.currency)
    if reason:
        raise Invalid({"product_id": reason})
    if contents.wanted_of(line) > line.sellable.available:
        left = f"Only {line.sellable.available} of {line.sellable.name} in stock."
        raise Invalid({"quantity": left}, message=left, code=OUT_OF_STOCK)


def _refusal(actor: Actor, product_id: UUID, variant_id: UUID | None) -> Invalid:
    """Return why nothing could be put in."""
    if not sellables.find(actor, [(product_id, None)]):
        return Invalid({"product_id": "There is no such product."})
    if variant_id and not sellables.find(actor, [(product_id, variant_id)]):
        return Invalid({"variant_id": "There is no such variant of this product."})
    return Invalid({"quantity": f"At most {MOST_OF_ONE} of one item."})


def _record(actor: Actor, cart: Cart, name: str, line: CartLine, *, title: str, units: tuple[int, int]) -> None:
    events.record(
        actor,
        name,
        cart,
        title=title[:400],
        changes={"quantity": {"from": units[0], "to": units[1]}},
        metadata={"product_id": line.product_id, "variant_id": line.variant_id},
    )
