"""Filters of lists: django-filter sets in the domain's names, asked for by the surface's keys."""

import operator
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import reduce
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from crm.api.surfaces import Surface
from crm.core import clock, search
from crm.core.actor import Actor
from crm.core.db import Param
from crm.core.errors import Invalid

MOST_COMPILED = 4  # filters at once; rarer combinations are compiled each time, for each would be kept


@dataclass(frozen=True, slots=True)
class FilterArguments:
    """What a query's filters are applied with: by name, values, or `Param` for what is given at each run.

    `cache_key` names the SQL that they lead to, or is None where each value has SQL of its own; `values` are those of
    the parameters. `data` is the query itself, by domain name.
    """

    data: Mapping[str, str]
    arguments: Mapping[str, Any]
    cache_key: tuple[Any, ...] | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


class FilterSet(django_filters.FilterSet):
    """The base of all filter sets: `self.actor` asks, `self.data` are the parameters.

    Values are cleaned by each filter's form field, but no form is built: that would cost more than the query.
    """

    actor: Actor

    @classmethod
    def for_query(cls, actor: Actor, data: Mapping[str, str]) -> "FilterSet":
        """Return a set for one query."""
        filterset = cls.__new__(cls)
        filterset.actor, filterset.data = actor, data
        return filterset

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

    def sql_value(self, actor: Actor, value: str) -> Any:
        """Return the value of the filter's parameter, or None where the SQL itself depends on the value."""
        return search.tsquery(actor.organization_id, value)

    def filter(self, qs: Any, value: str | Param) -> Any:
        """Narrow to the matches; blank text narrows nothing."""
        return qs.searched(self.parent.actor, value) if isinstance(value, Param) or (value and value.strip()) else qs


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


class TagsFilter(django_filters.CharFilter):
    """Rows that carry any tag of a comma list, or (`tags_match=all`) all of them."""

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

    def sql_value(self, actor: Actor, value: str) -> Any:
        """Return the value of the filter's parameter."""
        return value


class MomentField(forms.Field):
    """A day (`2026-03-01`) or a moment (`2026-03-01T12:00:00Z`)."""

    def to_python(self, value: Any) -> date | datetime | None:
        """Return what the text says; a moment without a zone is one of UTC."""
        if not value:
            return None
        try:
            return clock.parse_iso(value)
        except ValueError as error:
            raise ValidationError("Enter a date or a time in ISO 8601.") from error


class FromFilter(django_filters.Filter):
    """Rows from a moment on, or from the first instant of a day in the organization's time zone."""

    field_class = MomentField

    def sql_value(self, actor: Actor, value: date | datetime) -> datetime:
        """Return the first moment that counts."""
        if isinstance(value, datetime):
            return value
        return clock.day_bounds(value, actor.organization_timezone)[0]

    lookup = "gte"

    def filter(self, qs: Any, value: date | datetime | Param | None) -> Any:
        """Narrow to what is on this side of the bound."""
        if not value:
            return qs
        bound = value if isinstance(value, Param) else self.sql_value(self.parent.actor, value)
        return qs.filter(**{f"{self.field_name}__{self.lookup}": bound})


class ToFilter(FromFilter):
    """Rows up to a moment, or to the end of a day in the organization's time zone."""

    lookup = "lt"

    def sql_value(self, actor: Actor, value: date | datetime) -> datetime:
        """Return the first moment that counts no more."""
        if not isinstance(value, datetime):
            return clock.day_bounds(value, actor.organization_timezone)[1]
        return value if value == clock.LATEST else value + timedelta(microseconds=1)


def filter_data(
    surface: Surface, filters: type[FilterSet], query: Mapping[str, str], renames: Mapping[str, str]
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


def clean(filters: type[FilterSet], parameters: Mapping[str, str]) -> dict[str, Any]:
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
        raise Invalid(faults)
    return values


def parse(filters: type[FilterSet], data: Mapping[str, str], actor: Actor) -> FilterArguments:
    """Return the filters of a query, ready to be applied; a bad value is `Invalid`.

    Ids, moments and texts reach SQL as parameters. What is one of a few values is part of the cache key.
    """
    arguments = clean(filters, data)
    if len(data) > MOST_COMPILED:
        return FilterArguments(data, arguments)
    key: list[Any] = []
    values: dict[str, Any] = {}
    for name in sorted(data):
        declared = filters.base_filters.get(name)
        key.append(name)
        if isinstance(declared, django_filters.ChoiceFilter | django_filters.BooleanFilter):
            key.append(data[name])
            continue
        value = _sql_value(declared, arguments.get(name), actor)
        if value is None:
            return FilterArguments(data, clean(filters, data))
        arguments[name], values[name] = Param(name), value
    return FilterArguments(data, arguments, tuple(key), values)


def _sql_value(declared: Any, value: Any, actor: Actor) -> Any:
    """Return what a filter's value is as a parameter of SQL, or None where the SQL itself depends on the value."""
    if value in {None, ""} or getattr(declared, "method", None) is not None:
        return None
    if hasattr(declared, "sql_value"):
        return declared.sql_value(actor, value)
    is_plain = isinstance(declared, django_filters.UUIDFilter | django_filters.DateFilter)
    return value if is_plain and declared.lookup_expr in {"exact", "gte", "lte"} else None


def apply(filters: type[FilterSet], query: FilterArguments, rows: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """Return the rows that the filters leave."""
    filterset = filters.for_query(actor, query.data)
    for name, value in query.arguments.items():
        rows = filterset.narrow(rows, name, value)
    return rows
