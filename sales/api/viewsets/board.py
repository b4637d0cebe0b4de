"""The board as a resource: a pipeline's stages with what they hold, and the first deals of each."""

from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers

from crm.api import filtersets, pagination
from crm.api.filtersets import FilterArguments, FilterSet, SearchFilter
from crm.api.serializers import Serializer
from crm.api.viewsets import ResourceViewSet
from crm.core import money
from crm.core.actor import Actor
from sales.models import Deal, DealStatus, StageKind
from sales.services import board
from sales.services.board import Board, Column
from sales.services.figures import Money

QUERY = {"pipeline_id": UUID, "owner_id": UUID, "status": tuple(DealStatus.values)}
BY_CURRENCY = serializers.DictField(child=serializers.FloatField())


@dataclass(frozen=True, slots=True)
class StageKeys:
    """How a surface calls what a stage holds."""

    count: str
    value: str
    others: str
    cards: str


def stage_form(keys: StageKeys, card: type[Serializer]) -> dict[str, Any]:
    """Return what describes a stage on a board."""
    stage = {"id": UUID, "name": str, "position": int, "probability": int, "type": tuple(StageKind.values)}
    return {**stage, keys.count: int, keys.value: float, keys.others: BY_CURRENCY, keys.cards: [card]}


class BoardFilterSet(FilterSet):
    """Filters of a board; `pipeline_id` chooses which."""

    pipeline_id = django_filters.UUIDFilter()
    owner_id = django_filters.UUIDFilter()
    status = django_filters.ChoiceFilter(choices=DealStatus.choices)
    search = SearchFilter()


def in_others(actor: Actor, value: Money) -> dict[str, float]:
    """Return what there is in other currencies than the organization's, in major units."""
    return {
        currency: money.to_major(minor, currency)
        for currency, minor in sorted(value.items())
        if currency != actor.currency
    }


def in_own(actor: Actor, value: Money) -> float:
    """Return what there is in the organization's currency, in major units."""
    return money.to_major(value.get(actor.currency, 0), actor.currency)


class BoardViewSet(ResourceViewSet):
    """A pipeline's board; a surface says what a deal looks like there, and puts the parts together."""

    model = Deal
    card: ClassVar[type[Serializer]]
    keys: ClassVar[StageKeys]

    def asked(self) -> tuple[Board, list[dict[str, Any]]]:
        """Return the board that the query asks for and its stages as they are shown, each with a page of its deals."""
        number, size = pagination.page_of(self.request.GET, self.surface)
        data = filtersets.filter_data(self.surface, BoardFilterSet, self.request.GET, self.filter_names)
        values = filtersets.clean(BoardFilterSet, data)
        pipeline_id = values.pop("pipeline_id", None)
        data.pop("pipeline_id", None)
        is_searched = bool(values.pop("search", "").strip())
        among = (
            deals(self.actor, FilterArguments(data, filtersets.clean(BoardFilterSet, data))) if is_searched else None
        )
        found = board.board_of(self.actor, pipeline_id, **values, among=among)
        query = filtersets.parse(BoardFilterSet, data, self.actor)
        cards = self.query(self.card, Deal).top_per_group(
            self.actor,
            lambda actor: deals(actor, query),
            of="stage_id",
            groups=[column.id for column in found.columns],
            order=("rank",),
            number=number,
            size=size,
            cache_key=query.cache_key,
            values=query.values,
        )
        return found, [self._shown(column, cards[column.id]) for column in found.columns]

    def _shown(self, column: Column, cards: list[Any]) -> dict[str, Any]:
        return {
            "id": column.id,
            "name": column.name,
            "position": column.position,
            "probability": column.probability,
            "type": column.kind,
            self.keys.count: column.total.count,
            self.keys.value: in_own(self.actor, column.total.value),
            self.keys.others: in_others(self.actor, column.total.value),
            self.keys.cards: cards,
        }


def deals(actor: Actor, query: FilterArguments) -> QuerySet[Deal]:
    """Return the deals on all boards that the filters leave."""
    return filtersets.apply(BoardFilterSet, query, Deal.objects.visible_to(actor).alive(), actor)
