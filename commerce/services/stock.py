"""Stock: a balance changes only together with a movement in its ledger.

Whoever changes balances locks their rows by primary key, in one statement and after any product it locks, so that
nobody waits in a circle; what is in stock is then known, and a shortage is refused before anything is written. The
CHECK constraint on the balance stands behind that, and the ledger can only be added to.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, Model, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from commerce.models import MovementType, Product, StockItem, StockMovement, Variant
from crm.core import clock, db, events, money
from crm.core.actor import Actor
from crm.core.db import lock_row
from crm.core.errors import Conflict, Invalid

OPENING = "Opening stock"
ADJUST = "stock:create"  # what changing a balance takes, whichever entry point


class Shortage(NamedTuple):
    """A stock item that has less than is wanted of it."""

    stock_id: UUID
    wanted: int
    available: int


class Balance(NamedTuple):
    """What is in stock, and from which balance on (downwards) that is little."""

    quantity: int
    reorder_level: int


class InsufficientStock(Conflict):
    """Not everything wanted is there; nothing was taken. `short` names what is missing."""

    code = "INSUFFICIENT_STOCK"
    message = "There is not enough in stock."

    def __init__(self, short: Sequence[Shortage], **details: str) -> None:
        self.short = tuple(short)
        super().__init__(details=details)


def take_stock(
    actor: Actor, wanted: Mapping[UUID, int], *, type: MovementType, reference: Model | None, reason: str = ""
) -> list[StockMovement]:
    """Take units (1 or more) out of each stock item, or raise `InsufficientStock` and take nothing.

    The movement says why, and `reference` names what they were taken for, whose own event tells of it. The number of
    statements does not depend on the number of items.
    """
    return _move(actor, {key: -units for key, units in _positive(wanted).items()}, type, reason, reference=reference)


def return_stock(
    actor: Actor,
    quantities: Mapping[UUID, int],
    *,
    type: MovementType = MovementType.RETURN,
    reference: Model | None,
    reason: str = "",
) -> list[StockMovement]:
    """Put units (1 or more) back into each stock item, as `take_stock` takes them."""
    return _move(actor, _positive(quantities), type, reason, reference=reference)


def adjust_stock(
    actor: Actor,
    product: Product,
    *,
    adjustment: int,
    type: MovementType | str,
    reason: str = "",
    cost_per_unit: Decimal | None = None,
    variant: Variant | None = None,
) -> StockMovement:
    """Change what a product, or a variant with a stock of its own, has by `adjustment` (signed, not 0).

    `cost_per_unit` is in major units of the product's currency. Below zero: `InsufficientStock`.
    """
    if adjustment == 0:
        raise Invalid({"adjustment": "Enter an adjustment other than 0."})
    cost = None
    if cost_per_unit is not None:
        cost = (money.to_minor(cost_per_unit, product.currency, field="cost_per_unit"), product.currency)
    try:
        (movement,) = _move(actor, {stock_item_id(product, variant): adjustment}, MovementType(type), reason, cost=cost)
    except InsufficientStock as refusal:
        (short,) = refusal.short
        message = f"There are {short.available} in stock, {short.wanted} cannot be taken."
        raise InsufficientStock(refusal.short, adjustment=message) from refusal
    _record_adjustment(actor, product, variant, movement)
    return movement


def correct_stock(actor: Actor, product: Product, quantity: int, *, variant: Variant | None = None) -> None:
    """Let the balance be `quantity`, as somebody counted it: the difference is a movement; none, none.

    A difference takes the permission `stock:create`.
    """
    stock_id = stock_item_id(product, variant)
    item = lock_row(StockItem.objects.of(actor), stock_id)
    if item.quantity != quantity:
        actor.require(ADJUST)
        (movement,) = _move(actor, {stock_id: quantity - item.quantity}, MovementType.CORRECTION, "Set to a new count")
        _record_adjustment(actor, product, variant, movement)


def open_stock(actor: Actor, quantity: int, *, reorder_level: int = 0) -> StockItem:
    """Make a balance; what is there from the start is its first movement."""
    item = StockItem(organization_id=actor.organization_id, quantity=quantity, reorder_level=reorder_level)
    db.insert(item)
    if quantity:
        movement = _movement(actor, item.pk, quantity, MovementType.RESTOCK, OPENING)
        movement.balance = quantity
        db.insert(movement)
    return item


def change_reorder_level(actor: Actor, stock_id: UUID, level: int) -> dict[str, dict[str, int]]:
    """Set from which balance on (downwards) stock counts as low; return the change as an event tells it."""
    item = lock_row(StockItem.objects.of(actor), stock_id)
    changes = events.assign(item, {"reorder_level": level})
    if changes:
        item.save(update_fields=["reorder_level", "updated_at"])
    return changes


def stock_item_id(product: Product, variant: Variant | None = None) -> UUID:
    """Return the stock item that a product, or this variant of it, is sold from."""
    own: UUID | None = variant.stock_id if variant else None
    return own or product.stock_id


def _positive(units: Mapping[UUID, int]) -> Mapping[UUID, int]:
    if any(number < 1 for number in units.values()):
        raise ValueError("Stock is taken and returned in units of 1 and more.")
    return units


def _move(
    actor: Actor,
    changes: Mapping[UUID, int],
    type: MovementType,
    reason: str,
    *,
    reference: Model | None = None,
    cost: tuple[int, str] | None = None,
) -> list[StockMovement]:
    """Lock, check, change every balance and write every movement; tell of what fell to its reorder level."""
    if not changes:
        return []
    items = _held(actor, changes)
    short = _shortages(items, changes)
    if short:
        raise InsufficientStock(short)
    # Made after the lock: a ledger is in the order in which its balance changed.
    movements = {
        stock_id: _movement(actor, stock_id, change, type, reason, reference=reference, cost=cost)
        for stock_id, change in changes.items()
    }
    for stock_id, balance in _written(actor, list(movements.values())):
        movements[UUID(stock_id)].balance = balance
    low = [
        movement
        for movement in movements.values()
        if movement.balance <= items[movement.stock_id].reorder_level < movement.balance - movement.change
    ]
    if low:
        _record_low(actor, low, items)
    return list(movements.values())


def _movement(
    actor: Actor,
    stock_id: UUID,
    change: int,
    type: MovementType,
    reason: str,
    *,
    reference: Model | None = None,
    cost: tuple[int, str] | None = None,
) -> StockMovement:
    return StockMovement(
        organization_id=actor.organization_id,
        stock_id=stock_id,
        change=change,
        type=type,
        reason=reason,
        cost_per_unit=cost[0] if cost else None,
        currency=cost[1] if cost else "",
        reference_type=str(reference._meta.model_name) if reference else "",  # noqa: SLF001 - documented metadata
        reference_id=reference.pk if reference else None,
        created_by_id=actor.user_id,
        created_at=clock.now(),
    )


def _shortages(items: Mapping[UUID, Balance], changes: Mapping[UUID, int]) -> list[Shortage]:
    """Return what has less than is to be taken from it; an item that is not there has nothing."""
    available = {stock_id: items[stock_id].quantity if stock_id in items else 0 for stock_id in changes}
    return [
        Shortage(stock_id, -change, available[stock_id])
        for stock_id, change in changes.items()
        if available[stock_id] + change < 0 or stock_id not in items
    ]


_HELD = """
    SELECT id, quantity, reorder_level FROM commerce_stockitem WHERE organization_id = %s AND id = ANY(%s)
    ORDER BY id FOR NO KEY UPDATE
"""
_CHANGE = """
    WITH moved AS (
        SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[]) AS moved (id, stock_id, change)
    ), changed AS (
        UPDATE commerce_stockitem SET quantity = quantity + moved.change, updated_at = %s
        FROM moved WHERE commerce_stockitem.organization_id = %s AND commerce_stockitem.id = moved.stock_id
        RETURNING commerce_stockitem.id, quantity
    )
    INSERT INTO commerce_stockmovement (id, organization_id, stock_id, change, balance, type, reason, cost_per_unit,
                                        currency, reference_type, reference_id, created_by_id, created_at)
    SELECT moved.id, %s::uuid, moved.stock_id, moved.change, changed.quantity, %s, %s, %s::bigint,
           %s, %s, %s::uuid, %s::uuid, %s
    FROM moved JOIN changed ON changed.id = moved.stock_id
    RETURNING stock_id, balance
"""


def _held(actor: Actor, stock_ids: Iterable[UUID]) -> dict[UUID, Balance]:
    """Lock the balances in the order of their keys, as `lock_rows` would: every sale passes here, so it is prepared."""
    rows = db.fetch(_HELD, [actor.organization_id, list(stock_ids)])
    return {UUID(pk): Balance(*balance) for pk, *balance in rows}


def _written(actor: Actor, movements: Sequence[StockMovement]) -> list[tuple[str, int]]:
    """Change the balances by their movements and store these, in one statement; return id and balance of each."""
    alike = movements[0]
    params = [
        [movement.pk for movement in movements],
        [movement.stock_id for movement in movements],
        [movement.change for movement in movements],
        alike.created_at,
        actor.organization_id,
        actor.organization_id,
        alike.type,
        alike.reason,
        alike.cost_per_unit,
        alike.currency,
        alike.reference_type,
        alike.reference_id,
        alike.created_by_id,
        alike.created_at,
    ]
    return [(stock_id, balance) for stock_id, balance in db.fetch(_CHANGE, params)]


def _record_adjustment(actor: Actor, product: Product, variant: Variant | None, movement: StockMovement) -> None:
    events.record(actor, "product.stock_adjusted", product, **adjustment_story(product, variant, movement))


def adjustment_story(product: Product, variant: Variant | None, movement: StockMovement) -> dict[str, Any]:
    """Return what the event of an adjustment tells."""
    return {
        "title": f"Stock of {_called(product, variant)} adjusted by {movement.change:+d} ({movement.type})",
        "content": movement.reason,
        "changes": {"stock_quantity": {"from": movement.balance - movement.change, "to": movement.balance}},
        "metadata": {
            "movement_id": str(movement.pk),
            "type": str(movement.type),
            "adjustment": movement.change,
            "variant_id": str(variant.pk) if variant else None,
        },
    }


def _record_low(actor: Actor, movements: Sequence[StockMovement], items: Mapping[UUID, Balance]) -> None:
    """Record `product.stock_low` for each product or variant whose stock has just fallen to its reorder level."""
    low = {movement.stock_id: movement for movement in movements}
    products: list[tuple[Product, Variant | None]] = [
        (product, None) for product in Product.objects.of(actor).alive().filter(stock_id__in=low).order_by("id")
    ]
    variants = Variant.objects.of(actor).alive().filter(stock_id__in=low).select_related("product").order_by("id")
    for product, variant in [*products, *((variant.product, variant) for variant in variants)]:
        stock_id = stock_item_id(product, variant)
        values = low_story(product, variant, low[stock_id].balance, items[stock_id].reorder_level)
        events.record(actor, "product.stock_low", product, **values)


def low_story(product: Product, variant: Variant | None, balance: int, level: int) -> dict[str, Any]:
    """Return what the event of stock that has become low tells."""
    return {
        "title": f"Stock of {_called(product, variant)} is low: {balance} left",
        "metadata": {
            "stock_quantity": balance,
            "reorder_level": level,
            "variant_id": str(variant.pk) if variant else None,
        },
    }


def _called(product: Product, variant: Variant | None) -> str:
    return f"{product} ({variant})" if variant else str(product)


def differences(organization_id: UUID) -> list[tuple[StockItem, int]]:
    """Return the stock items whose balance is not the sum of their movements, each with that sum."""
    of_item = StockMovement.objects.filter(organization_id=OuterRef("organization_id"), stock_id=OuterRef("pk"))
    summed = of_item.order_by().values("stock_id").annotate(n=Sum("change")).values("n")
    items = StockItem.objects.of(organization_id).annotate(summed=Coalesce(Subquery(summed), 0))
    return [(item, int(item.summed)) for item in items.exclude(quantity=F("summed")).order_by("id")]
