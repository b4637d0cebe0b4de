"""Customers: what a contact has bought, and whose its orders are once it is merged into another."""

from typing import Any
from uuid import UUID

from django.db.models import Count, F, FloatField, IntegerField, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from commerce.models import Order, PromotionUse
from commerce.models.orders import UNCOUNTED
from contacts.models import Contact
from crm.core.actor import Actor
from crm.core.db.expressions import Major


def total_orders() -> Any:
    """Return the SQL over a contact of how many orders it has, without those cancelled or refunded."""
    return Coalesce(_asked(_orders(), Count("pk")), Value(0), output_field=IntegerField())


def total_value() -> Any:
    """Return the SQL over a contact of what these come to, in major units of the organization's currency.

    Orders in another currency, from before the organization's own was changed, are not in it.
    """
    alike = _orders().filter(currency=OuterRef("organization__currency"))
    worth = _asked(alike, Major(Sum("total"), F("currency")), "currency")
    return Coalesce(worth, Value(0.0), output_field=FloatField())


def reassign_orders(actor: Actor, gone_id: UUID, kept_id: UUID) -> None:
    """Let the orders of a contact that was merged into another be the other's, and its shopper see them all."""
    Order.objects.of(actor).filter(customer_id=gone_id).update(customer_id=kept_id)
    shopper = Contact.objects.of(actor).filter(pk=kept_id, user_id__isnull=False).values("user_id")
    if found := shopper.first():
        Order.objects.of(actor).filter(customer_id=kept_id, user_id=None).update(user_id=found["user_id"])
    PromotionUse.objects.of(actor).filter(customer_id=gone_id).update(customer_id=kept_id)


def _orders() -> QuerySet[Order]:
    of_contact = Order.objects.filter(organization_id=OuterRef("organization_id"), customer_id=OuterRef("pk"))
    return of_contact.exclude(status__in=UNCOUNTED).order_by()


def _asked(orders: QuerySet[Order], figure: Any, *by: str) -> Subquery:
    return Subquery(orders.values("customer_id", *by).annotate(figure=figure).values("figure"))
