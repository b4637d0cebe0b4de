"""Filters of lists: django-filter sets in the domain's names, asked for by the surface's keys."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import django_filters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from crm.api.surfaces import Surface
from crm.core import search
from crm.core.actor import Actor
from crm.core.errors import Invalid
from crm.core.replay import ORGANIZATION


@dataclass(frozen=True, slots=True)
class Replay:
    """A question to compile once: its key, its parameters with stand-ins, and what to fill in for them."""

    key: tuple[Any, ...]
    parameters: Mapping[str, str]
    filled: Mapping[Any, Any]


class Filters(django_filters.FilterSet):
    """The base of all filter sets: `self.actor` asks, `self.data` are the parameters.

    Values are cleaned by each filter's form field, but no form is built: that would cost more than the query.
    """

    actor: Actor

    @classmethod
    def asked_by(cls, actor: Actor, parameters: Mapping[str, str]) -> "Filters":
        """Return a set for one question."""
        asker = cls.__new__(cls)
        asker.actor, asker.data = actor, parameters
        return asker

    def narrow(self, rows: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        """Return the rows that one cleaned value leaves."""
        declared = self.base_filters[name]
        if isinstance(declared.method, str):
            return rows if value in (None, "") else getattr(self, declared.method)(rows, name, value)
        bound = copy(declared)
        bound.parent = self
        return bound.filter(rows, value)


class SearchFilter(django_filters.CharFilter):
    """Word prefixes over the model's search column."""

    def filter(self, qs: Any, value: str) -> Any:
        """Narrow to the matches; blank text narrows nothing."""
        return qs.searched(self.parent.actor, value) if value and value.strip() else qs


class WordsFilter(django_filters.CharFilter):
    """A comma list."""

    def filter(self, qs: Any, value: str) -> Any:
        """Pass the list on to the filter's method."""
        return super().filter(qs, [word.strip() for word in value.split(",") if word.strip()] if value else None)


class TagsFilter(WordsFilter):
    """Rows that carry any of the tags, or (`tags_match=all`) all of them."""

    def filter(self, qs: Any, value: str) -> Any:
        """Narrow by array overlap or containment."""
        tags = [tag.strip() for tag in (value or "").split(",") if tag.strip()]
        if not tags:
            return qs
        match = "contains" if self.parent.data.get("tags_match") == "all" else "overlap"
        return qs.filter(**{f"{self.field_name}__{match}": tags})


def asked(
    surface: Surface, filters: type[Filters], query: Mapping[str, str], renames: Mapping[str, str]
) -> dict[str, str]:
    """Return the filter parameters present in the query, by domain name."""
    found = {}
    for name in (*filters.base_filters, "tags_match"):
        keys = surface.search if name == "search" else (renames.get(name) or surface.key(name),)
        for key in keys:
            if query.get(key, "") != "":
                found[name] = query[key]
                break
    return found


def clean(filters: type[Filters], parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return the parameters as values; a bad one is `Invalid`, naming the parameter."""
    values, faults = {}, {}
    for name, raw in parameters.items():
        if "\0" in raw:
            faults[name] = "NUL characters are not allowed."
        elif name in filters.base_filters:
            try:
                values[name] = filters.base_filters[name].field.clean(raw)
                if values[name] is None and isinstance(filters.base_filters[name], django_filters.BooleanFilter):
                    faults[name] = "Choose true or false."
            except ValidationError as error:
                faults[name] = str(error.messages[0])
    if faults:
        raise Invalid(**faults)
    return values


def apply(filters: type[Filters], parameters: Mapping[str, str], rows: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """Return the rows that the parameters leave."""
    asker = filters.asked_by(actor, parameters)
    for name, value in clean(filters, parameters).items():
        rows = asker.narrow(rows, name, value)
    return rows


def replay(filters: type[Filters], parameters: Mapping[str, str], actor: Actor) -> Replay | None:
    """Return how to compile this question once for every value of its free parameters, or None where SQL may differ.

    Ids and search texts are free: they reach SQL as parameters. What is one of a few values is part of the key.
    """
    values = clean(filters, parameters)
    key: list[Any] = []
    stand_ins: dict[str, str] = {}
    filled: dict[Any, Any] = {}
    for position, name in enumerate(sorted(parameters)):
        declared = filters.base_filters.get(name)
        if isinstance(declared, SearchFilter):
            query = search.tsquery(actor.organization_id, parameters[name])
            if query is None:
                return None
            stand_ins[name] = f"standin{position}"
            filled[search.tsquery(ORGANIZATION, stand_ins[name])] = query
        elif (
            isinstance(declared, django_filters.UUIDFilter) and declared.lookup_expr == "exact" and not declared.method
        ):
            stand_in = UUID(int=0xD0 + position)
            stand_ins[name], filled[stand_in] = str(stand_in), values[name]
        elif isinstance(declared, django_filters.ChoiceFilter | django_filters.BooleanFilter):
            key.append(parameters[name])
        else:
            return None
        key.append(name)
    return Replay(tuple(key), {**parameters, **stand_ins}, filled)
