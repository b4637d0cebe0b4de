"""`/orders`: what a shopper has ordered, and what becomes of the cart."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse

from commerce.api.resources.orders import Orders
from commerce.api.shapes.orders import Checkout, ShopOrder
from commerce.models import Order
from commerce.services import checkout, order_status
from crm.api.permissions import SIGNED_IN
from crm.api.resources import query_of
from crm.api.routes import route
from crm.api.schema import describes
from crm.api.storefront import STOREFRONT
from crm.core.actor import Actor
from crm.core.errors import Forbidden, NotFound


class ShopOrders(Orders):
    """`/orders`: a user's own; those who work on everybody's orders may read any by its id."""

    surface = STOREFRONT
    shape = ShopOrder
    body_shape = Checkout
    permissions = dict.fromkeys(("list", "create", "retrieve", "cancel"), SIGNED_IN)
    creates = checkout.checkout

    def rows(self, actor: Actor) -> QuerySet[Any]:
        """Return the user's own."""
        return Order.objects.of(actor).filter(user_id=actor.user_id)

    @describes(answer="shape")
    def retrieve(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Show an order."""
        found = query_of(Order, ShopOrder).one(self.actor, Order.objects.of, pk, cache_key=self._cache_key("any"))
        if found is None:
            raise NotFound("Order not found.")
        self.require_sight(found["user_id"])
        return self.answer(found)

    @describes(answer="shape")
    def cancel(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Cancel an order that has not been shipped."""
        order = self.get_row(pk, among=Order.objects.of(self.actor))
        self.require_sight(order.user_id)
        return self.shown(order_status.cancel_order(self.actor, order))

    def require_sight(self, user_id: UUID | str | None) -> None:
        """Refuse another's order, but to those who see and work on everybody's."""
        is_own = str(user_id) == str(self.actor.user_id)
        if not is_own and not (self.actor.sees_all and self.actor.can("orders:update")):
            raise Forbidden("You don't have permission to view this order.")


urlpatterns = [
    route("orders", ShopOrders, get="list", post="create"),
    route("orders/<uuid:pk>", ShopOrders, get="retrieve"),
    route("orders/<uuid:pk>/cancel", ShopOrders, post="cancel"),
]
