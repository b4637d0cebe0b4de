"""Orders on the Platform surface: `/orders`."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse

from commerce.api.resources.orders import OrderFilters, Orders
from commerce.api.shapes.orders import NewOrder, OrderFields, StatusChange, StatusEntry
from commerce.services import order_entry, order_status
from crm.api.platform import PLATFORM
from crm.api.resources import query_of
from crm.api.routes import route
from crm.api.schema import describes
from crm.core.models import Event


class PlatformOrders(Orders):
    """`/orders`."""

    surface = PLATFORM
    shape = OrderFields
    body_shape = NewOrder
    filters = OrderFilters
    permissions = {"change_status": "orders:update", "history": "orders:view"}
    tally = "orders"
    creates = order_entry.enter_order

    def kept_count(self) -> str | None:
        """Orders are counted by who entered them, which is not all that their own scope shows to somebody."""
        return self.tally if self.actor.sees_all else None

    @describes(body=StatusChange, answer="shape")
    def change_status(self, request: Any, pk: UUID) -> HttpResponse:
        """Move an order on: forward, to cancelled before it is shipped, to refunded after."""
        order = order_status.change_status(self.actor, self.get_row(pk), **self.read(StatusChange))
        return self.shown(order)

    @describes(answer={"items": [StatusEntry]})
    def history(self, request: Any, pk: UUID) -> HttpResponse:
        """Answer how it came to be where it is, its creation first."""
        rows = order_status.history_of(self.actor, self.get_row(pk))
        return self.answer({"items": query_of(Event, StatusEntry).all(rows, order=("occurred_at", "id"))})


urlpatterns = [
    route("orders", PlatformOrders, get="list", post="create"),
    route("orders/<uuid:pk>", PlatformOrders, get="retrieve"),
    route("orders/<uuid:pk>/status", PlatformOrders, put="change_status"),
    route("orders/<uuid:pk>/history", PlatformOrders, get="history"),
]
