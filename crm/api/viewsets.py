"""The base of every API view: who acts, may they, in which transaction, and how the surface responds.

`ApiViewSet` keeps the names of DRF's hooks and none of its content negotiation. `ResourceViewSet` is DRF's
`ModelViewSet` with services in place of `serializer.save()` and SQL in place of instances.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self
from uuid import UUID

from django.db import InterfaceError, OperationalError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from rest_framework.permissions import BasePermission
from rest_framework.viewsets import ViewSet

from crm.api import authentication, filtersets, idempotent, pagination, throttling
from crm.api.authentication import ActorCheck
from crm.api.exceptions import error_response
from crm.api.filtersets import FilterArguments, FilterSet
from crm.api.parsers import StrictJson
from crm.api.permissions import HasPermission, OwnsObject
from crm.api.queries import SerializerQuery, query_of
from crm.api.renderers import json_response
from crm.api.schema import SurfaceSchema
from crm.api.serializers import Serializer
from crm.api.surfaces import Page, Surface
from crm.core import db
from crm.core.actor import Actor
from crm.core.errors import MethodNotAllowed, NotFound, Unauthenticated
from crm.core.rate_limits import RateLimitStatus
from crm.core.tokens import Claims

SAFE_METHODS = frozenset({"GET", "HEAD"})


class ApiViewSet(ViewSet):
    """A view of one surface.

    `permission_resource` is the noun of its permissions, `permissions` maps single actions to others. Of its actions,
    `allow_anonymous` are open to anybody, with the reason; `strict_throttle` try a secret, whose failures count
    (`strict_throttle_fields`: only where the body has this key; `strict_throttle_always`: each request counts);
    `anonymous_throttle` are open and have a wider limit, `heavy_throttle` a narrower one, `unthrottled` none;
    `cacheable` respond to everybody alike; `writes_on_get` write although they are a GET, with the reason.
    `subject` is the row that a response is about, once there is one.

    A signed-in action runs in one transaction of its organization: an exception undoes it whole, a deadlock's victim
    runs again, and a GET cannot write. An anonymous one opens its own.
    """

    surface: Surface
    permission_resource: ClassVar[str | None] = None
    permissions: ClassVar[Mapping[str, str]] = {}
    allow_anonymous: ClassVar[Mapping[str, str]] = {}
    strict_throttle: ClassVar[frozenset[str]] = frozenset()
    strict_throttle_fields: ClassVar[Mapping[str, str]] = {}
    strict_throttle_always: ClassVar[frozenset[str]] = frozenset()
    anonymous_throttle: ClassVar[frozenset[str]] = frozenset()
    heavy_throttle: ClassVar[frozenset[str]] = frozenset()
    unthrottled: ClassVar[frozenset[str]] = frozenset()
    cacheable: ClassVar[frozenset[str]] = frozenset()
    writes_on_get: ClassVar[Mapping[str, str]] = {}
    model: Any = None
    serializer_class: Any = None
    subject: Model | None = None
    request: Any
    rate_limit_status: RateLimitStatus | None

    parser_classes = (StrictJson,)
    authentication_classes = ()
    permission_classes: tuple[type[BasePermission], ...] = (HasPermission, OwnsObject)
    throttle_classes = ()
    schema = SurfaceSchema()

    @property
    def django_request(self) -> HttpRequest:
        """Return Django's own request, which DRF's wraps."""
        request: HttpRequest = self.request._request  # noqa: SLF001 - DRF has no other way to it
        return request

    @property
    def actor(self) -> Actor:
        """Return who acts."""
        actor: Actor = self.request.actor
        return actor

    @property
    def shop(self) -> Any:
        """Return the organization whose shop the URL names, or raise `NotFound`."""
        return authentication.find_shop(self.kwargs["shop"])

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Respond to a request; whatever goes wrong is answered in the surface's shape."""
        self.args, self.kwargs = args, kwargs
        self.request = self.initialize_request(request, *args, **kwargs)
        self.rate_limit_status = None
        try:
            response = self.handle(request)
        except Exception as error:  # noqa: BLE001 - the boundary: every exception becomes a response
            response = self.handle_exception(error)
        self.rate_limit_status = throttling.settle(self, self.rate_limit_status, response.status_code)
        throttling.set_headers(response, self.rate_limit_status)
        if self.action in self.cacheable and response.status_code == 200 and "HTTP_AUTHORIZATION" not in request.META:
            response["Cache-Control"], response["Vary"] = "public", "origin, Authorization"
        return response

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Run the action in the transaction that its method needs; methods without an action are 405, but OPTIONS."""
        if self.action is None or request.method == "OPTIONS":
            self.check_throttles(request, None)
            return self.options(request) if request.method == "OPTIONS" else self.http_method_not_allowed(request)
        if self.action in self.allow_anonymous:
            self.check_throttles(request, None)
            return self.handle_anonymous()
        claims = self.authenticate(request)
        self.check_throttles(request, claims)
        if claims is None:
            self.check_shop(None)
            raise Unauthenticated
        if request.method in SAFE_METHODS and self.action not in self.writes_on_get:
            with authentication.enter_read_only(claims) as check:
                return self.run_read_only(check)
        return self._run_writing(request, claims)

    def handle_anonymous(self) -> HttpResponse:
        """Run an action that is open to anybody."""
        return self._call_action()

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]  # Django's response
        """Return the surface's response to an exception."""
        return error_response(exc, self.surface, self.wire_name)

    def run_read_only(self, check: ActorCheck) -> HttpResponse:
        """Run the action for the cached actor, then check that it is the actor still; else run it again for who is.

        The check travels with the action's first statement: one message to the database instead of two. What the
        database did not respond to is not run again, for then it cannot tell who acts either.
        """
        cached = check.cached
        if cached is None:
            return self.run(check.load())
        state, failure = dict(vars(self)), None
        try:
            response = self.run(cached)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - raised below, unless it was raised for the wrong actor
            failure = error
        actor = check.load()
        if actor is not cached:
            return self.fresh(state).run(actor)
        if failure is not None:
            raise failure
        return response

    def _run_writing(self, request: HttpRequest, claims: Claims) -> HttpResponse:
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        if key is not None:
            return idempotent.respond_once(self, claims, key)
        state = dict(vars(self))
        for attempt in db.deadlock_attempts():
            with attempt, authentication.enter(claims) as actor:
                return self.fresh(state).run(actor)
        raise AssertionError  # the last attempt returns or raises

    def fresh(self, state: Mapping[str, Any]) -> Self:
        """Return a view that has found nothing yet: what one run has found is not another's."""
        view = type(self).__new__(type(self))
        view.__dict__.update(state)
        return view

    def run(self, actor: Actor) -> HttpResponse:
        """Run the action for `actor`, who may be refused."""
        self.check_access(actor)
        return self._call_action()

    def _call_action(self) -> HttpResponse:
        # By the router's table alone: a method's name must not reach any attribute of the view.
        response: HttpResponse = getattr(self, self.action)(self.request, **self.kwargs)
        return response

    def check_access(self, actor: Actor) -> None:
        """Let `actor` act, or raise."""
        self.request.actor = actor
        if self.action not in self.allow_anonymous:
            self.check_shop(actor)
            self.check_permissions(self.request)

    def authenticate(self, request: HttpRequest) -> Claims | None:
        """Return what the request's access token claims, None where there is none; a bad one is `Unauthenticated`."""
        try:
            return authentication.bearer_claims(request)
        except Unauthenticated:
            self.check_throttles(request, None)
            self.check_shop(None)
            raise

    def check_throttles(self, request: HttpRequest, claims: Claims | None) -> None:  # type: ignore[override]
        """Count the request, or raise `RateLimited`."""
        self.rate_limit_status = throttling.count(self, request, claims)
        throttling.refuse_beyond(self.rate_limit_status)

    def check_shop(self, actor: Actor | None) -> None:
        """On the Storefront the URL names the organization: the shop must be open, and the token must be its own."""
        slug = self.kwargs.get("shop")
        if slug is None or (actor is not None and actor.organization_slug == slug and actor.shop_enabled):
            return
        authentication.find_shop(slug)
        if actor is not None:
            raise Unauthenticated("This access token belongs to another shop.")

    def is_strictly_throttled(self) -> bool:
        """Return whether this request counts as an attempt at a secret."""
        if self.action in self.strict_throttle or self.action in self.strict_throttle_always:
            return True
        field = self.strict_throttle_fields.get(self.action)
        return field is not None and isinstance(self.request.data, dict) and field in self.request.data

    def get_input_serializer_class(self) -> Any:
        """Return the serializer of the request's body."""
        return self.serializer_class

    def wire_name(self, name: str) -> str:
        """Return the key of a domain field in this view's bodies, for error messages."""
        serializer = self.get_input_serializer_class()
        return self.surface.key(name) if serializer is None else self.surface.serializer(serializer).wire_name(name)

    def validate(self, serializer: Any = None, *, partial: bool = False) -> dict[str, Any]:
        """Return the body's values by domain name; what is not valid raises."""
        serializer = self.surface.serializer(serializer or self.get_input_serializer_class())
        return serializer.validate_body(self.request.data, partial=partial)

    def query(self, serializer: type[Serializer] | None = None, model: Any = None) -> SerializerQuery:
        """Return the reads of the view's model, or of another, by its serializer or another."""
        return query_of(model or self.model, self.surface.serializer(serializer or self.serializer_class))

    def respond(self, data: Any, status: int = 200) -> HttpResponse:
        """Return data in the surface's envelope."""
        return json_response(self.surface.wrap(data), status)

    def options(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]  # no Response
        """Name the methods; nothing is described here that the schema does not."""
        response = HttpResponse(status=204)
        response["Allow"] = ", ".join(self.allowed_methods)
        return response

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """Return 405 in the surface's shape, with the methods there are."""
        response = self.handle_exception(MethodNotAllowed(f"{request.method} is not allowed here."))
        response["Allow"] = ", ".join(self.allowed_methods)
        return response


@dataclass(frozen=True, slots=True)
class Services:
    """What changes a resource: `create(actor, **fields)`, `update(actor, row, **fields)`, `delete` and `restore`."""

    create: Callable[..., Any] | None = None
    update: Callable[..., Any] | None = None
    delete: Callable[..., Any] | None = None
    restore: Callable[..., Any] | None = None


class ResourceViewSet(ApiViewSet):
    """List, retrieve, create, update, delete and restore, each by one service call.

    `verbose_name` names it in responses, `ordering_fields` maps what `sort` may name to columns, `counter` is the row
    counter of an unfiltered list, `filter_names` the filter keys that casing alone does not make. `is_compiled` says
    that its querysets depend on the actor alone (not on the URL), so that their SQL is compiled once. `extra_schema`
    describes what `extra_fields` adds to a single object.

    Querysets take the actor, and are narrowed to what it may see: visibility is the object check of `retrieve`. What
    is written goes through `get_object`, which checks the object permissions as well.
    """

    model: Any
    verbose_name: ClassVar[str]
    verbose_name_plural: ClassVar[str]
    serializer_class: type[Serializer]
    list_serializer_class: ClassVar[type[Serializer] | None] = None
    input_serializer_class: ClassVar[type[Serializer] | None] = None
    filterset_class: ClassVar[type[FilterSet] | None] = None
    filter_names: ClassVar[Mapping[str, str]] = {}
    ordering_fields: ClassVar[Mapping[str, str]] = {"created_at": "created_at"}
    ordering: ClassVar[Sequence[str]] = ("-created_at", "-id")
    counter: ClassVar[str | None] = None
    is_compiled: ClassVar[bool] = True
    extra_schema: ClassVar[Mapping[str, Any]] = {}
    services: ClassVar[Any] = Services()

    def get_input_serializer_class(self) -> type[Serializer]:
        """Return the serializer of bodies: the one of responses, unless they differ."""
        return self.input_serializer_class or self.serializer_class

    def get_queryset(self, actor: Actor) -> QuerySet[Any]:
        """Return the rows a list shows: a function of the actor alone."""
        return self.model.objects.visible_to(actor).alive()

    def get_detail_queryset(self, actor: Actor) -> QuerySet[Any]:
        """Return the rows a detail may show."""
        return self.get_queryset(actor)

    def get_readable_queryset(self, actor: Actor) -> QuerySet[Any]:
        """Return the rows that may be shown after a change: the organization's, deleted or not."""
        return self.model.objects.of(actor)

    def get_restorable_queryset(self, actor: Actor) -> QuerySet[Any]:
        """Return the rows that a restore may name, deleted or not."""
        return self.model.objects.visible_to(actor)

    def get_object(self, pk: UUID, *, queryset: QuerySet[Any] | None = None, verbose_name: str | None = None) -> Any:
        """Return a row, checked against the object permissions, or raise `NotFound`.

        The model's, unless it is in another `queryset`, whose rows have a `verbose_name` of their own.
        """
        rows = self.get_detail_queryset(self.actor) if queryset is None else queryset
        row = rows.filter(pk=pk).first()
        if row is None:
            raise NotFound(f"{verbose_name or self.verbose_name} not found.")
        self.check_object_permissions(self.request, row)
        self.subject = row
        return row

    def list(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Respond with a page."""
        number, size = pagination.page_of(request.GET, self.surface)
        ordering = pagination.ordering_of(request.GET, self.surface, self.ordering_fields, self.ordering)
        page = self.query(self.list_serializer_class).page(
            self.actor, order=ordering, number=number, size=size, **self.list_arguments()
        )
        return self.respond_with_page(page)

    def list_arguments(self) -> dict[str, Any]:
        """Return which rows a list shows, as arguments of `SerializerQuery.page`."""
        data = self.get_filter_data()
        if not data or self.filterset_class is None:
            return {"rows": self.get_queryset, "counter": self.get_counter(), "cache_key": self.cache_key("list")}
        query = filtersets.parse(self.filterset_class, data, self.actor)
        return {
            "rows": lambda actor: self.get_filtered_queryset(actor, query),
            "cache_key": query.cache_key and self.cache_key(query.cache_key),
            "values": query.values,
        }

    def get_counter(self) -> str | None:
        """Return the counter of what the actor sees of an unfiltered list, or None where its rows are counted."""
        return self.counter

    def get_filter_data(self) -> dict[str, str]:
        """Return the filters in the query, by domain name."""
        if self.filterset_class is None or not self.request.GET:
            return {}
        return filtersets.filter_data(self.surface, self.filterset_class, self.request.GET, self.filter_names)

    def get_filtered_queryset(self, actor: Actor, query: FilterArguments) -> QuerySet[Any]:
        """Return the rows that the query's filters leave."""
        return self.filter_queryset(actor, self.get_queryset(actor), query)

    def filter_queryset(self, actor: Actor, rows: QuerySet[Any], query: FilterArguments) -> QuerySet[Any]:
        """Apply the filter set to rows."""
        return filtersets.apply(self.filterset_class, query, rows, actor) if self.filterset_class else rows

    def cache_key(self, name: Any) -> Any:
        """Return the key under which a query is compiled once, or None where the URL is part of it."""
        return (type(self), name) if self.is_compiled else None

    def retrieve(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Respond with one object, or 404."""
        data = self.query().one(self.actor, self.get_detail_queryset, pk, cache_key=self.cache_key("details"))
        if data is None:
            raise NotFound(f"{self.verbose_name} not found.")
        return self.respond({**data, **self.extra_fields(pk)} if self.extra_schema else data)

    def create(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Create one; respond 201 with it as it is now."""
        row = self.services.create(self.actor, **self.service_options(), **self.validate())
        return self.respond_with(row, 201, **self.write_extra(row))

    def partial_update(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Change any part of one."""
        row = self.get_object(pk)
        row = self.services.update(self.actor, row, **self.service_options(), **self.validate(partial=True))
        return self.respond_with(row, **self.write_extra(row))

    update = partial_update

    def destroy(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Soft-delete one."""
        self.services.delete(self.actor, self.get_object(pk))
        status, body = self.surface.deleted(self.verbose_name, str(pk))
        return json_response(body, status)

    def restore(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Restore a deleted one; one that is not deleted stays as it is."""
        row = self.get_object(pk, queryset=self.get_restorable_queryset(self.actor))
        row = self.services.restore(self.actor, row)
        return self.respond_with(row, **self.write_extra(row))

    def service_options(self) -> dict[str, Any]:
        """Return what create and update are given beside the body, such as options of the query string."""
        return {}

    def extra_fields(self, pk: UUID) -> dict[str, Any]:
        """Return what a single object is shown with that is no field of its serializer, by the surface's keys."""
        return {}

    def write_extra(self, row: Any) -> dict[str, Any]:
        """Return what is shown with an object after a change alone, by the surface's keys."""
        return {}

    def respond_with(self, row: Any, status: int = 200, **extra: Any) -> HttpResponse:
        """Respond with the row, read back by its serializer's query; `extra` goes beside its fields."""
        self.subject = row
        data = self.query().one(self.actor, self.get_readable_queryset, row.pk, cache_key=self.cache_key("readable"))
        extra |= self.extra_fields(row.pk)
        return self.respond({**(data or {}), **extra} if extra else data, status)

    def respond_with_page(self, page: Page) -> HttpResponse:
        """Respond with a page in the surface's envelope."""
        return json_response(self.surface.wrap_page(page, self.verbose_name_plural))
