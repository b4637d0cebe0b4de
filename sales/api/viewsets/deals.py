"""Deals as a resource: filters, orders, moves and history."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any
from uuid import UUID

import django_filters
from django.db.models import BigIntegerField, Case, QuerySet, Value, When
from django.http import HttpResponse

from crm.api.filtersets import FilterSet, FreeTextFilter, FromFilter, SearchFilter, TagsFilter, ToFilter
from crm.api.schema import extend_schema
from crm.api.viewsets import ResourceViewSet, Services
from crm.core import money
from crm.core.models import Event
from sales.api.serializers.deals import HistoryEntrySerializer, MoveSerializer
from sales.models import CHANCE, Deal, DealStatus, Priority
from sales.services import deal_moves, deals

USUAL = 2  # decimals of a currency
MATCHES = [("any", "any"), ("all", "all")]
# The currencies whose minor units are not hundredths, by their decimals.
_CODES = {
    exponent: sorted(code for code, decimals in money.EXPONENTS.items() if decimals == exponent)
    for exponent in set(money.EXPONENTS.values())
}


class WorthFilter(django_filters.NumberFilter):
    """A bound in major units, each deal's in its own currency."""

    def filter(self, qs: Any, value: Decimal | None) -> Any:
        """Narrow by the stored minor units."""
        if value is None:
            return qs
        bound = Case(
            *(When(currency__in=codes, then=self.minor(value, exponent)) for exponent, codes in _CODES.items()),
            default=self.minor(value, USUAL),
        )
        return qs.filter(**{f"amount__{self.lookup_expr}": bound})

    def minor(self, value: Decimal, exponent: int) -> Value:
        """Return the bound in minor units; Django would take a plain number for one of four bytes."""
        return Value(_whole(value, exponent, self.lookup_expr), BigIntegerField())


def _whole(value: Decimal, exponent: int, lookup: str) -> int:
    """Return the last whole number of minor units within the bound; a bound beyond every amount stays beyond."""
    nearest = min(max(value, Decimal(-1)), Decimal(money.LARGEST_MINOR + 1))
    return int(nearest.scaleb(exponent).to_integral_value(ROUND_CEILING if lookup == "gte" else ROUND_FLOOR))


class DealFilterSet(FilterSet):
    """Filters of deal lists."""

    search = SearchFilter()
    status = django_filters.ChoiceFilter(choices=DealStatus.choices)
    priority = django_filters.ChoiceFilter(choices=Priority.choices)
    owner_id = django_filters.UUIDFilter()
    company_id = django_filters.UUIDFilter()
    contact_id = django_filters.UUIDFilter()
    pipeline_id = django_filters.UUIDFilter()
    stage_id = django_filters.UUIDFilter()
    source = FreeTextFilter()
    currency = FreeTextFilter()
    tags = TagsFilter()
    tags_match = django_filters.ChoiceFilter(choices=MATCHES, method="with_tags")
    amount_min = WorthFilter(lookup_expr="gte")
    amount_max = WorthFilter(lookup_expr="lte")
    probability_min = django_filters.NumberFilter(method="with_chance")
    probability_max = django_filters.NumberFilter(method="with_chance")
    expected_close_from = django_filters.DateFilter("expected_close_date", lookup_expr="gte")
    expected_close_to = django_filters.DateFilter("expected_close_date", lookup_expr="lte")
    created_from = FromFilter("created_at")
    created_to = ToFilter("created_at")
    closed_from = FromFilter("closed_at")
    closed_to = ToFilter("closed_at")

    def with_tags(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Leave the rows to `tags`, which asks how they match."""
        return rows

    def with_chance(self, rows: QuerySet[Any], name: str, value: Decimal) -> QuerySet[Any]:
        """Keep the deals whose percent, as it is shown, is within the bound."""
        lookup = "gte" if name == "probability_min" else "lte"
        return rows.alias(chance=CHANCE).filter(
            **{f"chance__{lookup}": Value(_whole(value, 0, lookup), BigIntegerField())}
        )


class DealViewSet(ResourceViewSet):
    """Deals (opportunities)."""

    permission_resource = "deals"
    permissions = {"move": "deals:update", "history": "deals:view"}
    model = Deal
    verbose_name = "Deal"
    verbose_name_plural = "deals"
    filterset_class = DealFilterSet
    counter = "deals"
    ordering_fields = {
        "created_at": "created_at",
        "updated_at": "updated_at",
        "title": "title",
        "amount": "amount",
        "status": "status",
        "expected_close_date": "expected_close_date",
        "closed_at": "closed_at",
    }
    services = Services(
        create=deals.create_deal, update=deals.update_deal, delete=deals.delete_deal, restore=deals.restore_deal
    )

    @extend_schema(request=MoveSerializer, response="serializer_class")
    def move(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Move one to another stage, of its pipeline or of another: won and lost follow from the stage."""
        return self.respond_with(deal_moves.move_deal(self.actor, self.get_object(pk), **self.validate(MoveSerializer)))

    @extend_schema(response={"items": [HistoryEntrySerializer]})
    def history(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Return an opportunity's history, oldest first."""
        rows = deal_moves.history_of(self.actor, self.get_object(pk))
        return self.respond({"items": self.query(HistoryEntrySerializer, Event).all(rows, order=("occurred_at", "id"))})
