"""Filters of lists: django-filter sets in the domain's names, asked for by the surface's keys."""

import operator
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from typing import Any
from uuid import UUID

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from crm.api.surfaces import Surface
from crm.core import clock, search
from crm.core.actor import Actor
from crm.core.errors import Invalid
from crm.core.replay import ORGANIZATION

MOST_REPLAYED = 4  # filters at once; rarer combinations are compiled each time, for each would be kept

STAND_IN_DAY = datetime(1, 2, 1, tzinfo=UTC)


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


class ContainsFilter(django_filters.CharFilter):
    """A text that one of the columns contains, case aside: for what is few, and has no search column."""

    def __init__(self, *columns: str, **kwargs: Any) -> None:
        self.columns = columns
        super().__init__(**({"help_text": f"Finds what is part of: {', '.join(columns)}."} | kwargs))

    def filter(self, qs: Any, value: str) -> Any:
        """Narrow to the matches; blank text narrows nothing."""
        text = (value or "").strip()
        if not text:
            return qs
        return qs.filter(reduce(operator.or_, (Q(**{f"{column}__icontains": text}) for column in self.columns)))


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


class FreeTextFilter(django_filters.CharFilter):
    """A text of people's own words: case aside."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(lookup_expr="iexact", **kwargs)


class MomentField(forms.Field):
    """A day (`2026-03-01`) or a moment (`2026-03-01T12:00:00Z`)."""

    def to_python(self, value: Any) -> date | datetime | None:
        """Return what the text says; a moment without a zone is one of UTC."""
        if not value:
            return None
        try:
            return clock.read(value)
        except ValueError as error:
            raise ValidationError("Enter a date or a time in ISO 8601.") from error


class FromFilter(django_filters.Filter):
    """Rows from a moment on, or from the first instant of a day in the organization's time zone."""

    field_class = MomentField

    def bound(self, actor: Actor, value: date | datetime) -> datetime:
        """Return the first moment that counts."""
        if isinstance(value, datetime):
            return value
        return clock.day_bounds(value, actor.organization_timezone)[0]

    def filter(self, qs: Any, value: date | datetime | None) -> Any:
        """Narrow to what is not before."""
        return qs.filter(**{f"{self.field_name}__gte": self.bound(self.parent.actor, value)}) if value else qs


class ToFilter(FromFilter):
    """Rows up to a moment, or to the end of a day in the organization's time zone."""

    def bound(self, actor: Actor, value: date | datetime) -> datetime:
        """Return the first moment that counts no more."""
        if not isinstance(value, datetime):
            return clock.day_bounds(value, actor.organization_timezone)[1]
        return value if value == clock.LATEST else value + timedelta(microseconds=1)

    def filter(self, qs: Any, value: date | datetime | None) -> Any:
        """Narrow to what is before."""
        return qs.filter(**{f"{self.field_name}__lt": self.bound(self.parent.actor, value)}) if value else qs


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
    if len(parameters) > MOST_REPLAYED:
        return None
    key: list[Any] = []
    stand_ins: dict[str, str] = {}
    filled: dict[Any, Any] = {}
    for position, name in enumerate(sorted(parameters)):
        declared = filters.base_filters.get(name)
        if isinstance(declared, django_filters.ChoiceFilter | django_filters.BooleanFilter):
            key.append(parameters[name])
        else:
            free = _free(declared, parameters[name], values.get(name), actor, position)
            if free is None:
                return None
            stand_ins[name], stands_for, value = free
            filled[stands_for] = value
        key.append(name)
    return Replay(tuple(key), {**parameters, **stand_ins}, filled)


def _free(declared: Any, raw: str, value: Any, actor: Actor, position: int) -> tuple[str, Any, Any] | None:
    """Return a stand-in for a value that reaches SQL as a parameter, what it becomes there, and what fills it."""
    found: tuple[str, Any, Any] | None = None
    if isinstance(declared, SearchFilter):
        if query := search.tsquery(actor.organization_id, raw):
            stand_in = f"standin{position}"
            found = stand_in, search.tsquery(ORGANIZATION, stand_in), query
    elif value in {None, ""} or getattr(declared, "method", True):
        pass
    elif isinstance(declared, django_filters.UUIDFilter) and declared.lookup_expr == "exact":
        pk = UUID(int=0xD0 + position)
        found = str(pk), pk, value
    elif isinstance(declared, FreeTextFilter):
        found = (text := f"\ue000{position}"), text, value
    elif isinstance(declared, FromFilter):
        moment = STAND_IN_DAY + timedelta(days=position)
        found = moment.isoformat(), declared.bound(actor, moment), declared.bound(actor, value)
    elif isinstance(declared, django_filters.DateFilter):
        day = (STAND_IN_DAY + timedelta(days=position)).date()
        found = day.isoformat(), day, value
    return found
