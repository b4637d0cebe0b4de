"""Opportunities (deals) on the Platform surface."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from contacts.api.serializers import CompanyRefSerializer
from crm.api.fields import LineField
from crm.api.platform import PLATFORM
from crm.api.routers import resource, route
from crm.core.errors import Invalid
from sales.api.serializers.deals import DealFieldsSerializer, WorthSerializer
from sales.api.viewsets.deals import DealViewSet

MOVED = ("stage_id", "pipeline_id", "status")


class PlatformOpportunitySerializer(DealFieldsSerializer):
    """An opportunity with its account."""

    name = LineField(source="title", max_length=200)
    amount = WorthSerializer()
    account_id = serializers.UUIDField(source="company_id", required=False, allow_null=True)
    account = CompanyRefSerializer(source="company", read_only=True)
    aliases = {"title": "name", "value": "amount"}

    def to_internal_value(self, data: Any) -> Any:
        """Leave the stage to `/move`, which keeps its history."""
        if self.partial and isinstance(data, Mapping):
            banned = [name for name in MOVED if name in data]
            if banned:
                raise Invalid(
                    dict.fromkeys(banned, "Use /move."),
                    message="The stage is changed by POST …/move.",
                    code="STAGE_CHANGE_NOT_ALLOWED",
                )
        return super().to_internal_value(data)


class PlatformOpportunityViewSet(DealViewSet):
    """`/opportunities`."""

    surface = PLATFORM
    serializer_class = PlatformOpportunitySerializer
    verbose_name = "Opportunity"
    verbose_name_plural = "opportunities"
    filter_names = {"company_id": "account_id"}
    ordering_fields = {**DealViewSet.ordering_fields, "name": "title", "value": "amount"}


urlpatterns = [
    *resource("opportunities", PlatformOpportunityViewSet),
    route("opportunities/<uuid:pk>/move", PlatformOpportunityViewSet, post="move"),
    route("opportunities/<uuid:pk>/history", PlatformOpportunityViewSet, get="history"),
]
