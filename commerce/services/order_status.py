"""How far an order is: forward, or back into the shelf."""

from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, Sum

from commerce.models import Order, OrderStatus, StockMovement
from commerce.models.orders import TRANSITIONS
from commerce.services import terms
from commerce.services.stock import return_stock
from crm.core import clock, events
from crm.core.actor import Actor
from crm.core.db import lock_row
from crm.core.errors import Conflict, Invalid
from crm.core.models import Event, TimelineKind

INVALID_TRANSITION = "INVALID_TRANSITION"
HISTORY = ("order.created", "order.status_changed")


def change_status(
    actor: Actor, order: Order, *, status: str, tracking_number: str = "", notes: str = "", restock: bool = False
) -> Order:
    """Move an order on, as `TRANSITIONS` allows; another step is a `Conflict`.

    A cancelled order gives back its stock and its promotions' uses; a refunded one its stock where `restock` says
    that the goods came back. `notes` go to the order's history.
    """
    if restock and status not in {OrderStatus.CANCELLED, OrderStatus.REFUNDED}:
        raise Invalid({"restock": "Only what is cancelled or refunded goes back into stock."})
    order = lock_row(Order.objects.visible_to(actor), order.pk)
    if status not in TRANSITIONS[order.status]:
        raise Conflict(f"An order that is {order.status} cannot become {status}.", code=INVALID_TRANSITION)
    changes = events.assign(
        order, {"status": status} | ({"tracking_number": tracking_number} if tracking_number else {})
    )
    if status == OrderStatus.CANCELLED:
        terms.give_back(actor, order)
    if restock or status == OrderStatus.CANCELLED:
        _return_stock(actor, order)
    order.save(update_fields=[*changes, "stock_returned_at", "updated_at"])
    events.record(actor, "order.status_changed", order, **story(order, changes, notes))
    return order


def story(order: Order, changes: Mapping[str, Any], notes: str) -> dict[str, Any]:
    """Return what the event of a change of an order's status tells."""
    return {
        "title": f"Order {order.order_number} is {order.status}",
        "kind": TimelineKind.ORDER,
        "contact_id": order.customer_id,
        "company_id": order.customer.company_id,
        "content": notes,
        "changes": changes,
        "metadata": {"order_number": order.order_number, "status": str(order.status)},
    }


def history_of(actor: Actor, order: Order) -> QuerySet[Event]:
    """Return the events that tell how an order came to be where it is; its creation is the first."""
    return Event.objects.of(actor).filter(subject_id=order.pk, name__in=HISTORY)


def cancel_order(actor: Actor, order: Order) -> Order:
    """Cancel an order that has not been shipped."""
    return change_status(actor, order, status=OrderStatus.CANCELLED)


def _return_stock(actor: Actor, order: Order) -> None:
    """Put back, once, what the ledger says the order took; the caller has locked the order."""
    if order.stock_returned_at is not None:
        return
    movements = StockMovement.objects.of(actor).filter(reference_id=order.pk)
    taken: Counter[UUID] = Counter()
    for stock_id, change in movements.values_list("stock_id").annotate(change=Sum("change")):
        taken[stock_id] = -change
    return_stock(actor, +taken, reference=order, reason=order.order_number)
    order.stock_returned_at = clock.now()
