"""Opportunities (deals) on the Platform surface."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from contacts.api.shapes import CompanyRef
from crm.api.platform import PLATFORM
from crm.api.routes import resource, route
from crm.api.shapes import Line
from crm.core.errors import Invalid
from sales.api.resources.deals import Deals
from sales.api.shapes.deals import DealFields, Worth

MOVED = ("stage_id", "pipeline_id", "status")


class PlatformOpportunity(DealFields):
    """An opportunity with its account."""

    name = Line(source="title", max_length=200)
    amount = Worth()
    account_id = serializers.UUIDField(source="company_id", required=False, allow_null=True)
    account = CompanyRef(source="company", read_only=True)
    aliases = {"title": "name", "value": "amount"}

    def to_internal_value(self, data: Any) -> Any:
        """Leave the stage to `/move`, which keeps its history."""
        if self.partial and isinstance(data, Mapping):
            banned = [name for name in MOVED if name in data]
            if banned:
                raise Invalid(
                    "The stage is changed by POST …/move.",
                    code="STAGE_CHANGE_NOT_ALLOWED",
                    **dict.fromkeys(banned, "Use /move."),
                )
        return super().to_internal_value(data)


class PlatformOpportunities(Deals):
    """`/opportunities`."""

    surface = PLATFORM
    shape = PlatformOpportunity
    noun = "Opportunity"
    plural = "opportunities"
    renames = {"company_id": "account_id"}
    orders = {**Deals.orders, "name": "title", "value": "amount"}


urlpatterns = [
    *resource("opportunities", PlatformOpportunities),
    route("opportunities/<uuid:pk>/move", PlatformOpportunities, post="move"),
    route("opportunities/<uuid:pk>/history", PlatformOpportunities, get="history"),
]
