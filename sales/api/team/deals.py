"""Deals on the Team surface."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from contacts.api.shapes import CompanyRef
from crm.api.routes import OBJECT, route
from crm.api.shapes import CamelShape, Line
from crm.api.team import TEAM
from sales.api.resources.deals import Deals
from sales.api.shapes.deals import DealFields, Worth
from sales.api.shapes.pipelines import Position
from sales.services import places


class TeamDeal(DealFields, CamelShape):
    """A deal in camelCase. A position counts where the body also names a stage."""

    title = Line(max_length=200)
    value = Worth(source="amount")
    company_id = serializers.UUIDField(required=False, allow_null=True)
    company = CompanyRef(read_only=True)
    position = Position(write_only=True, allow_null=True)


class TeamDeals(Deals):
    """`/deals`: one deal and its position in its stage; the list is the board (`sales.api.team.board`)."""

    surface = TEAM
    shape = TeamDeal
    adds = {"position": int}

    def beside(self, pk: UUID) -> dict[str, Any]:
        """Show how many deals that the actor sees come before it in its stage."""
        return {"position": places.position_of(self.actor, pk)}


urlpatterns = [route("deals/<uuid:pk>", TeamDeals, **OBJECT)]
