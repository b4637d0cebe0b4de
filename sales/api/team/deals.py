"""Deals on the Team surface."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from contacts.api.serializers import CompanyRefSerializer
from crm.api.fields import LineField
from crm.api.routers import OBJECT, route
from crm.api.team import TEAM
from sales.api.serializers.deals import DealFieldsSerializer, WorthSerializer
from sales.api.serializers.pipelines import Position
from sales.api.viewsets.deals import DealViewSet
from sales.services import deal_ranks


class TeamDealSerializer(DealFieldsSerializer):
    """A deal in camelCase. A position counts where the body also names a stage."""

    title = LineField(max_length=200)
    value = WorthSerializer(source="amount")
    company_id = serializers.UUIDField(required=False, allow_null=True)
    company = CompanyRefSerializer(read_only=True)
    position = Position(write_only=True, allow_null=True)


class TeamDealViewSet(DealViewSet):
    """`/deals`: one deal and its position in its stage; the list is the board (`sales.api.team.board`)."""

    surface = TEAM
    serializer_class = TeamDealSerializer
    extra_schema = {"position": int}

    def extra_fields(self, pk: UUID) -> dict[str, Any]:
        """Show how many deals that the actor sees come before it in its stage."""
        return {"position": deal_ranks.position_of(self.actor, pk)}


urlpatterns = [route("deals/<uuid:pk>", TeamDealViewSet, **OBJECT)]
