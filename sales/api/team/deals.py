"""Deals on the Team surface."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from rest_framework import serializers

from contacts.api.shapes import CompanyRef
from crm.api.routes import OBJECT, route
from crm.api.schema import describes
from crm.api.shapes import CamelShape
from crm.api.team import TEAM
from sales.api.resources.deals import Deals
from sales.api.shapes.deals import DealFields, Worth
from sales.services import places

POSITION = {"position": int}


class TeamDeal(DealFields, CamelShape):
    """A deal in camelCase."""

    title = serializers.CharField(max_length=200)
    value = Worth(source="amount")
    company_id = serializers.UUIDField(required=False, allow_null=True)
    company = CompanyRef(read_only=True)


class TeamDeals(Deals):
    """`/deals`: one deal and its position in its stage; the list is the board (`sales.api.team.board`)."""

    surface = TEAM
    shape = TeamDeal

    @describes(adds=POSITION)
    def create(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Create one at the end of its stage."""
        return super().create(request, **kwargs)

    @describes(adds=POSITION)
    def retrieve(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Answer one, and how many that the actor sees come before it."""
        return self.shown(self.get_row(pk))

    @describes(adds=POSITION)
    def partial_update(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Change any part of one; a stage moves it."""
        return super().partial_update(request, pk, **kwargs)

    def shown(self, row: Any, status: int = 200, **extra: Any) -> HttpResponse:
        """Answer with the deal and its position."""
        return super().shown(row, status, position=places.position_of(self.actor, row.pk), **extra)


urlpatterns = [route("deals/<uuid:pk>", TeamDeals, **OBJECT)]
