"""The board as a resource: a pipeline's stages with what they hold, and the first deals of each."""

from collections.abc import Mapping
from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet

from crm.api import filters as filtering
from crm.api.filters import Filters, SearchFilter
from crm.api.resources import Resource, reader
from crm.api.shapes import Shape
from crm.core import money
from crm.core.actor import Actor
from sales.models import Deal, DealStatus
from sales.services import board
from sales.services.board import Board
from sales.services.figures import Money


class BoardFilters(Filters):
    """Filters of a board; `pipeline_id` chooses which."""

    pipeline_id = django_filters.UUIDFilter()
    owner_id = django_filters.UUIDFilter()
    status = django_filters.ChoiceFilter(choices=DealStatus.choices)
    search = SearchFilter()


def beside(actor: Actor, value: Money) -> dict[str, float]:
    """Return what there is in other currencies than the organization's, in major units."""
    return {
        currency: money.to_major(minor, currency)
        for currency, minor in sorted(value.items())
        if currency != actor.currency
    }


def in_own(actor: Actor, value: Money) -> float:
    """Return what there is in the organization's currency, in major units."""
    return money.to_major(value.get(actor.currency, 0), actor.currency)


class BoardView(Resource):
    """A pipeline's board; a surface puts its parts together."""

    model = Deal
    card: ClassVar[type[Shape]]

    def asked(self) -> tuple[Board, dict[str, list[Any]]]:
        """Return the board that the query asks for, and the cards of its stages by their ids: a page of each."""
        number, size = self.page_asked()
        parameters = filtering.asked(self.surface, BoardFilters, self.request.GET, self.renames)
        values = filtering.clean(BoardFilters, parameters)
        pipeline_id = values.pop("pipeline_id", None)
        parameters.pop("pipeline_id", None)
        is_searched = bool(values.pop("search", "").strip())
        found = board.board_of(
            self.actor, pipeline_id, **values, among=deals(self.actor, parameters) if is_searched else None
        )
        replay = filtering.replay(BoardFilters, parameters, self.actor)
        free = replay.parameters if replay else parameters
        cards = reader(Deal, self.card).tops(
            self.actor,
            lambda actor: deals(actor, free),
            of="stage_id",
            groups=[column.id for column in found.columns],
            order=("rank",),
            number=number,
            size=size,
            plan=replay and ("board", replay.key),
            filled=replay.filled if replay else {},
        )
        return found, cards


def deals(actor: Actor, parameters: Mapping[str, str]) -> QuerySet[Deal]:
    """Return the deals on all boards that the filters leave."""
    return filtering.apply(BoardFilters, parameters, Deal.objects.visible_to(actor).alive(), actor)
