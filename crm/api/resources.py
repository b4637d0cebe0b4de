"""A resource once: its rows, filters, orders and the services that change it. A surface adds its shape."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import HttpResponse

from crm.api import filters as filtering
from crm.api.filters import FilterArguments, Filters
from crm.api.queries import SerializerQuery
from crm.api.responses import json_response
from crm.api.shapes import Shape
from crm.api.surfaces import Page
from crm.api.views import ApiView
from crm.core.actor import Actor
from crm.core.errors import Invalid, NotFound

LARGEST_PAGE = 2**53 - 1  # every JSON reader knows it exactly; no list is that long


@cache
def query_of(model: type[Model], shape: type[Shape]) -> SerializerQuery:
    """Return the one query of a model in a shape."""
    return SerializerQuery(model, shape)


class Resource(ApiView):
    """List, retrieve, create, update, delete and restore, each by one service call.

    `noun` and `plural` name it in answers, `orders` maps what `sort` may name to columns, `tally` is the kept count
    of an unfiltered list, `renames` the filter keys that casing alone does not make. `is_compiled` says that `rows`
    and `details` depend on the actor alone (not on the URL), so that their SQL is compiled once. `adds` are the forms
    of what `beside` shows with a single object. The services take
    (actor, …): `creates(actor, **fields)`, `updates(actor, row, **fields)`, `deletes(actor, row)`,
    `restores(actor, row)`.
    """

    model: type[Model]
    noun: ClassVar[str]
    plural: ClassVar[str]
    shape: type[Shape]
    list_shape: ClassVar[type[Shape] | None] = None
    body_shape: ClassVar[type[Shape] | None] = None
    filters: ClassVar[type[Filters] | None] = None
    renames: ClassVar[Mapping[str, str]] = {}
    orders: ClassVar[Mapping[str, str]] = {"created_at": "created_at"}
    default_order: ClassVar[Sequence[str]] = ("-created_at", "-id")
    tally: ClassVar[str | None] = None
    is_compiled: ClassVar[bool] = True
    adds: ClassVar[Mapping[str, Any]] = {}
    creates: ClassVar[Callable[..., Any]]
    updates: ClassVar[Callable[..., Any]]
    deletes: ClassVar[Callable[..., Any]]
    restores: ClassVar[Callable[..., Any]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Keep the named services plain functions: they take the actor, not the view."""
        super().__init_subclass__(**kwargs)
        for name in ("creates", "updates", "deletes", "restores"):
            service = cls.__dict__.get(name)
            if service is not None and not isinstance(service, staticmethod):
                setattr(cls, name, staticmethod(service))

    def input_shape(self) -> type[Shape]:
        """Return the shape of bodies: the one shown, unless they differ."""
        return self.body_shape or self.shape

    def rows(self, actor: Actor) -> QuerySet[Any]:
        """Return the rows a list shows: a function of the actor alone."""
        return self.model.objects.visible_to(actor).alive()  # type: ignore[attr-defined]

    def details(self, actor: Actor) -> QuerySet[Any]:
        """Return the rows a detail may show."""
        return self.rows(actor)

    def list(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Answer a page."""
        number, size = self.page_asked()
        order = self.order_asked()
        page = query_of(self.model, self.list_shape or self.shape).page(
            self.actor, order=order, number=number, size=size, **self.list_arguments()
        )
        return self.answer_page(page)

    def list_arguments(self) -> dict[str, Any]:
        """Return which rows a list shows, as arguments of `SerializerQuery.page`."""
        data = self.filters_asked()
        if not data or self.filters is None:
            return {"rows": self.rows, "tally": self.kept_count(), "cache_key": self._cache_key("list")}
        query = filtering.parse(self.filters, data, self.actor)
        return {
            "rows": lambda actor: self.filtered(actor, query),
            "cache_key": query.cache_key and self._cache_key(query.cache_key),
            "values": query.values,
        }

    def kept_count(self) -> str | None:
        """Return the kept count of what the actor sees of an unfiltered list, or None where none is kept."""
        return self.tally

    def filtered(self, actor: Actor, query: FilterArguments) -> QuerySet[Any]:
        """Return the rows that the query's filters leave."""
        return self.narrowed(actor, self.rows(actor), query)

    def narrowed(self, actor: Actor, rows: QuerySet[Any], query: FilterArguments) -> QuerySet[Any]:
        """Apply the filter set to rows."""
        return filtering.apply(self.filters, query, rows, actor) if self.filters else rows

    def retrieve(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Answer one object, or 404."""
        found = query_of(self.model, self.shape).one(self.actor, self.details, pk, cache_key=self._cache_key("details"))
        if found is None:
            raise NotFound(f"{self.noun} not found.")
        return self.answer({**found, **self.beside(pk)} if self.adds else found)

    def create(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Create one, answer 201 with it as it now stands."""
        row = self.creates(self.actor, **self.read())
        return self.shown(row, 201)

    def partial_update(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Change any part of one."""
        row = self.get_row(pk)
        row = self.updates(self.actor, row, **self.read(partial=True))
        return self.shown(row)

    update = partial_update

    def destroy(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Delete one softly."""
        self.deletes(self.actor, self.get_row(pk))
        status, body = self.surface.deleted(self.noun, str(pk))
        return json_response(body, status)

    def restore(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Bring a deleted one back; one that is not deleted stays as it is."""
        row = self.restores(self.actor, self.get_row(pk, among=self.restorable(self.actor)))
        return self.shown(row)

    def restorable(self, actor: Actor) -> QuerySet[Any]:
        """Return the rows that a restore may name, deleted or not."""
        return self.model.objects.visible_to(actor)  # type: ignore[attr-defined]

    def _cache_key(self, name: Any) -> Any:
        return (type(self), name) if self.is_compiled else None

    def get_row(self, pk: UUID, *, among: QuerySet[Any] | None = None, noun: str | None = None) -> Any:
        """Return a row, checked against the object permissions, or raise `NotFound`.

        The model's, unless it is `among` others, which have a `noun` of their own.
        """
        rows = self.details(self.actor) if among is None else among
        row = rows.filter(pk=pk).first()
        if row is None:
            raise NotFound(f"{noun or self.noun} not found.")
        self.check_object_permissions(self.request, row)
        self.subject = row
        return row

    def shown(self, row: Any, status: int = 200, **extra: Any) -> HttpResponse:
        """Answer with the row read back in the shape; `extra` goes beside its fields."""
        self.subject = row
        data = query_of(self.model, self.shape).one(
            self.actor, self.readable, row.pk, cache_key=self._cache_key("readable")
        )
        extra |= self.beside(row.pk)
        return self.answer({**(data or {}), **extra} if extra else data, status)

    def beside(self, pk: UUID) -> dict[str, Any]:
        """Return what a single object is shown with that is no field of its shape, by the surface's keys."""
        return {}

    def readable(self, actor: Actor) -> QuerySet[Any]:
        """Return the rows that may be shown after a change: the organization's, deleted or not."""
        return self.model.objects.of(actor)  # type: ignore[attr-defined]

    def answer_page(self, page: Page) -> HttpResponse:
        """Answer a page in the surface's envelope."""
        return json_response(self.surface.wrap_page(page, self.plural))

    def page_asked(self) -> tuple[int, int]:
        """Return page number and size; a size over the largest is clamped, a bad value is `Invalid`."""
        parameters = self.surface.pages
        size = parameters.default
        for name in parameters.size:
            if self.request.GET.get(name, "") != "":
                size = min(self._positive(name), parameters.largest)
                break
        return self._positive(parameters.number, default=1), size

    def _positive(self, name: str, default: int = 0) -> int:
        raw = self.request.GET.get(name, "")
        if raw == "" and default:
            return default
        if not (raw.isascii() and raw.isdigit() and (number := int(raw[:20])) > 0):
            raise Invalid(**{name: "Enter a whole number from 1."})
        return min(number, LARGEST_PAGE)

    def order_asked(self) -> Sequence[str]:
        """Return the columns to order by: `sort` names one (`-name` for descending), `order` may turn it."""
        asked = self.request.GET.get("sort", "")
        direction = self.request.GET.get("order", "")
        if direction not in {"", "asc", "desc"}:
            raise Invalid(order="Choose asc or desc.")
        if not asked:
            return self.default_order if direction != "asc" else [name.removeprefix("-") for name in self.default_order]
        names = {self.surface.key(name): column for name, column in self.orders.items()}
        column = names.get(asked.removeprefix("-"))
        if column is None:
            raise Invalid(sort=f"Choose one of: {', '.join(names)}.")
        sign = "-" if asked.startswith("-") or direction == "desc" else ""
        return (f"{sign}{column}", f"{sign}id")

    def filters_asked(self) -> dict[str, str]:
        """Return the filters in the query, by domain name."""
        if self.filters is None or not self.request.GET:
            return {}
        return filtering.asked(self.surface, self.filters, self.request.GET, self.renames)
