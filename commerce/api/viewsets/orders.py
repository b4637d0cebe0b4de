"""Orders as a resource: what each surface does with them alike."""

from typing import Any

import django_filters

from commerce.models import Order, OrderStatus
from crm.api.filtersets import FilterSet, FromFilter, ToFilter
from crm.api.permissions import HasPermission
from crm.api.viewsets import ResourceViewSet


class OrderSearch(django_filters.CharFilter):
    """The beginning of an order's number, or words of its customer: compiled each time, unlike one search column."""

    def filter(self, qs: Any, value: str) -> Any:
        """Narrow to the matches; blank text narrows nothing."""
        return qs.searched(self.parent.actor, value) if value and value.strip() else qs


class OrderFilterSet(FilterSet):
    """Filters of order lists; dates mean whole days in the organization's time zone."""

    search = OrderSearch(help_text="Finds the beginning of a number, and words of the customer by their beginnings.")
    status = django_filters.ChoiceFilter(choices=OrderStatus.choices)
    customer_id = django_filters.UUIDFilter()
    date_from = FromFilter("created_at")
    date_to = ToFilter("created_at")


class OrderViewSet(ResourceViewSet):
    """Orders. Whoever sees one may work on it, where a permission lets them: `OrderRows` says who sees what."""

    permission_resource = "orders"
    permission_classes = (HasPermission,)
    model = Order
    verbose_name = "Order"
    verbose_name_plural = "orders"
    ordering_fields = {"created_at": "created_at", "order_number": "order_number", "total": "total", "status": "status"}
