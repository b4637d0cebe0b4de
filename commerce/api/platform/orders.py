"""Orders on the Platform surface: `/orders`."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse

from commerce.api.serializers.orders import (
    NewOrderSerializer,
    OrderFieldsSerializer,
    StatusChangeSerializer,
    StatusEntrySerializer,
)
from commerce.api.viewsets.orders import OrderFilterSet, OrderViewSet
from commerce.services import orders
from crm.api.platform import PLATFORM
from crm.api.routers import route
from crm.api.schema import extend_schema
from crm.api.viewsets import Services
from crm.core.models import Event


class PlatformOrderViewSet(OrderViewSet):
    """`/orders`."""

    surface = PLATFORM
    serializer_class = OrderFieldsSerializer
    input_serializer_class = NewOrderSerializer
    filterset_class = OrderFilterSet
    permissions = {"change_status": "orders:update", "history": "orders:view"}
    counter = "orders"
    services = Services(create=orders.enter_order)

    def get_counter(self) -> str | None:
        """Orders are counted by who entered them, which is not all that their own scope shows to somebody."""
        return self.counter if self.actor.sees_all else None

    @extend_schema(request=StatusChangeSerializer, response="serializer_class")
    def change_status(self, request: Any, pk: UUID) -> HttpResponse:
        """Change an order's status: forward, to cancelled before it is shipped, to refunded after."""
        order = orders.change_status(self.actor, self.get_object(pk), **self.validate(StatusChangeSerializer))
        return self.respond_with(order)

    @extend_schema(response={"items": [StatusEntrySerializer]})
    def history(self, request: Any, pk: UUID) -> HttpResponse:
        """Return an order's history, oldest first."""
        rows = orders.history_of(self.actor, self.get_object(pk))
        return self.respond({"items": self.query(StatusEntrySerializer, Event).all(rows, order=("occurred_at", "id"))})


urlpatterns = [
    route("orders", PlatformOrderViewSet, get="list", post="create"),
    route("orders/<uuid:pk>", PlatformOrderViewSet, get="retrieve"),
    route("orders/<uuid:pk>/status", PlatformOrderViewSet, put="change_status"),
    route("orders/<uuid:pk>/history", PlatformOrderViewSet, get="history"),
]
