"""`/orders`: what a shopper has ordered, and what becomes of the cart."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse

from commerce.api.serializers.orders import CheckoutSerializer, ShopOrderSerializer
from commerce.api.viewsets.orders import OrderViewSet
from commerce.models import Order
from commerce.services import checkout, orders
from crm.api.permissions import SIGNED_IN
from crm.api.routers import route
from crm.api.schema import extend_schema
from crm.api.storefront import STOREFRONT
from crm.api.viewsets import Services
from crm.core.actor import Actor
from crm.core.errors import Forbidden, NotFound


class ShopOrderViewSet(OrderViewSet):
    """`/orders`: a user's own; those who work on everybody's orders may read any by its id."""

    surface = STOREFRONT
    serializer_class = ShopOrderSerializer
    input_serializer_class = CheckoutSerializer
    permissions = dict.fromkeys(("list", "create", "retrieve", "cancel"), SIGNED_IN)
    services = Services(create=checkout.checkout)

    def get_queryset(self, actor: Actor) -> QuerySet[Any]:
        """Return the user's own."""
        return Order.objects.of(actor).filter(user_id=actor.user_id)

    @extend_schema(response="serializer_class")
    def retrieve(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Show an order."""
        found = self.query(ShopOrderSerializer, Order).one(
            self.actor, Order.objects.of, pk, cache_key=self.cache_key("any")
        )
        if found is None:
            raise NotFound("Order not found.")
        self.require_sight(found["user_id"])
        return self.respond(found)

    @extend_schema(response="serializer_class")
    def cancel(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Cancel an order that has not been shipped."""
        order = self.get_object(pk, queryset=Order.objects.of(self.actor))
        self.require_sight(order.user_id)
        return self.respond_with(orders.cancel_order(self.actor, order))

    def require_sight(self, user_id: UUID | str | None) -> None:
        """Refuse another's order, but to those who see and work on everybody's."""
        is_own = str(user_id) == str(self.actor.user_id)
        if not is_own and not (self.actor.sees_all and self.actor.can("orders:update")):
            raise Forbidden("You don't have permission to view this order.")


urlpatterns = [
    route("orders", ShopOrderViewSet, get="list", post="create"),
    route("orders/<uuid:pk>", ShopOrderViewSet, get="retrieve"),
    route("orders/<uuid:pk>/cancel", ShopOrderViewSet, post="cancel"),
]
