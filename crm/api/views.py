"""The base of every API view: who asks, may they, in which transaction, and how the surface answers."""

from collections.abc import Mapping
from functools import cache, partial
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string
from rest_framework.permissions import BasePermission
from rest_framework.viewsets import ViewSet

from crm.api import throttling
from crm.api.errors import error_response
from crm.api.parsing import StrictJson
from crm.api.permissions import HoldsPermission, OwnsObject
from crm.api.responses import json_response
from crm.api.schema import SurfaceSchema
from crm.api.surfaces import Surface
from crm.core import db, idempotency, tokens
from crm.core.actor import Actor
from crm.core.errors import Kind, NotFound, Unauthenticated
from crm.core.rates import Standing

READING = frozenset({"GET", "HEAD"})
KEPT_REFUSALS = frozenset({409})  # final business refusals, kept under an Idempotency-Key like successes


@cache
def _named(name: str) -> Any:
    return import_string(getattr(settings, name))


class ApiView(ViewSet):
    """A view of one surface.

    `resource` is the noun of the permissions, `permissions` what single actions need instead, `public` the actions
    open to anybody with the reason, `guarded` those that try a secret, whose failures count (`guarded_by`: only where
    the body has this key), `counted` the public ones of which each request counts so, `limited` the public ones that
    have a wider limit, `bulk` the heavy ones, `uncounted` those without a limit, `shared` those that answer everybody
    the same, so that caches may keep it, `writing` the ones that write although they answer a GET, with the reason.
    `subject` is the row that the answer is about, once there is one.
    A signed-in action runs in one transaction inside its organization: an exception undoes it whole, a deadlock's
    victim is done again, and any other GET cannot write. A public one opens its own.
    """

    surface: Surface
    resource: ClassVar[str | None] = None
    permissions: ClassVar[Mapping[str, str]] = {}
    public: ClassVar[Mapping[str, str]] = {}
    guarded: ClassVar[frozenset[str]] = frozenset()
    guarded_by: ClassVar[Mapping[str, str]] = {}
    counted: ClassVar[frozenset[str]] = frozenset()
    limited: ClassVar[frozenset[str]] = frozenset()
    bulk: ClassVar[frozenset[str]] = frozenset()
    uncounted: ClassVar[frozenset[str]] = frozenset()
    shared: ClassVar[frozenset[str]] = frozenset()
    writing: ClassVar[Mapping[str, str]] = {}
    shape: Any = None
    subject: Model | None = None
    request: Any
    standing: Standing | None
    given: frozenset[str] | None  # what the view was given before it began

    parser_classes = (StrictJson,)
    authentication_classes = ()
    permission_classes: tuple[type[BasePermission], ...] = (HoldsPermission, OwnsObject)
    throttle_classes = ()
    schema = SurfaceSchema()

    @property
    def django_request(self) -> HttpRequest:
        """Return Django's own request, which DRF's wraps."""
        found: HttpRequest = self.request._request  # noqa: SLF001 - DRF has no other way to it
        return found

    @property
    def actor(self) -> Actor:
        """Return who acts."""
        actor: Actor = self.request.actor
        return actor

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer a request; whatever goes wrong is answered in the surface's shape."""
        self.args, self.kwargs = args, kwargs
        self.request = self.initialize_request(request, *args, **kwargs)
        self.standing, self.given = None, None
        try:
            response = self._answer(request)
        except Exception as error:  # noqa: BLE001 - the boundary: every exception becomes an answer
            response = error_response(error, self.surface, self.rename)
        self.standing = throttling.settle(self, self.standing, response.status_code)
        throttling.set_headers(response, self.standing)
        if self.action in self.shared and response.status_code == 200 and "HTTP_AUTHORIZATION" not in request.META:
            response["Cache-Control"], response["Vary"] = "public", "origin, Authorization"
        return response

    def guards(self) -> bool:
        """Tell whether this request is counted as an attempt at a secret."""
        if self.action in self.guarded or self.action in self.counted:
            return True
        field = self.guarded_by.get(self.action)
        return field is not None and isinstance(self.request.data, dict) and field in self.request.data

    def rename(self, name: str) -> str:
        """Return the key of a domain field in this view's bodies, for error messages."""
        shape = self.input_shape()
        return shape.key_of(name) if shape is not None else self.surface.key(name)

    def input_shape(self) -> Any:
        """Return the shape of the request's body."""
        return self.shape

    def _answer(self, request: HttpRequest) -> HttpResponse:
        # By the table of actions alone: a method's name must not reach any attribute of the view.
        handler = (
            self.options if request.method == "OPTIONS" else getattr(self, self.action or "http_method_not_allowed")
        )
        if self.action in self.public or request.method == "OPTIONS" or self.action is None:
            self._admit(request, None)
            return self.perform_for_anybody(handler)
        claims = self._claims(request)
        self._admit(request, claims)
        if claims is None:
            self._check_shop(None)
            raise Unauthenticated
        if request.method in READING and self.action not in self.writing:
            return _named("SIGNED_IN_READING")(claims, partial(self.perform, handler))
        return self._write(request, claims, handler)

    def _write(self, request: HttpRequest, claims: tokens.Claims, handler: Any) -> HttpResponse:
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        asked = None

        def work() -> HttpResponse:
            nonlocal asked
            with _named("SIGNED_IN")(claims) as actor:
                if key is None:
                    return self.perform(handler, actor)
                self._let_in(actor)
                asked = idempotency.Request.of(actor, f"{request.method} {request.path}", key, request.body)
                return self._once(asked, handler)

        try:
            return db.retry_on_deadlock(work)
        except Exception as error:
            if asked is not None:
                self._keep_refusal(asked, error)
            raise

    def perform_for_anybody(self, handler: Any) -> HttpResponse:
        """Do a public action."""
        response: HttpResponse = handler(self.request, **self.kwargs)
        return response

    def perform(self, handler: Any, actor: Actor) -> HttpResponse:
        """Do the action for `actor`; what the view has found for another before is forgotten."""
        state = vars(self)
        if self.given is None:
            self.given = frozenset(state)
        for name in state.keys() - self.given:
            del state[name]
        self._let_in(actor)
        response: HttpResponse = handler(self.request, **self.kwargs)
        return response

    def _let_in(self, actor: Actor) -> None:
        self.request.actor = actor
        if self.action not in self.public:
            self._check_shop(actor)
            self.check_permissions(self.request)

    def _claims(self, request: HttpRequest) -> tokens.Claims | None:
        scheme, _, raw = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer" or not raw.strip():
            return None
        try:
            return tokens.read(raw.strip())
        except Unauthenticated:
            self._admit(request, None)
            self._check_shop(None)
            raise

    def _admit(self, request: HttpRequest, claims: tokens.Claims | None) -> None:
        self.standing = throttling.count(self, request, claims)
        throttling.refuse_beyond(self.standing)

    def _check_shop(self, actor: Actor | None) -> None:
        """On the Storefront the URL names the organization: the shop must be there, and the token must be its own."""
        slug = self.kwargs.get("shop")
        if slug is None or (actor is not None and actor.organization_slug == slug and actor.shop_enabled):
            return
        _named("SHOP_LOADER")(slug)
        if actor is not None:
            raise Unauthenticated("This access token belongs to another shop.")

    @property
    def shop(self) -> Any:
        """Return the organization whose shop the URL names, or raise `NotFound`."""
        return _named("SHOP_LOADER")(self.kwargs["shop"])

    def _once(self, asked: idempotency.Request, handler: Any) -> HttpResponse:
        def work() -> idempotency.Answer:
            response = self.perform(handler, asked.actor)
            return idempotency.Answer(response.status_code, response.content, self.subject)

        answer, is_repeat = idempotency.once(asked, work)
        response = HttpResponse(answer.body, status=answer.status, content_type="application/json")
        response["Content-Length"] = str(len(answer.body))
        if is_repeat:
            response["Idempotent-Replayed"] = "true"
        return response

    def _keep_refusal(self, asked: idempotency.Request, error: Exception) -> None:
        if getattr(error, "kind", None) is not Kind.CONFLICT or error.code == "IDEMPOTENCY_IN_PROGRESS":  # type: ignore[attr-defined]
            return
        response = error_response(error, self.surface, self.rename)
        if response.status_code in KEPT_REFUSALS:
            idempotency.keep_refusal(asked, idempotency.Answer(response.status_code, response.content, self.subject))

    def read(self, shape: Any = None, *, partial: bool = False) -> dict[str, Any]:
        """Validate the body against a shape and return its values by domain name."""
        values: dict[str, Any] = (shape or self.input_shape()).checked(self.request.data, partial=partial)
        return values

    def answer(self, data: Any, status: int = 200) -> HttpResponse:
        """Answer with data in the surface's envelope."""
        return json_response(self.surface.wrap(data), status)

    def options(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]  # no Response
        """Name the methods; nothing is described here that the schema does not."""
        response = HttpResponse(status=204)
        response["Allow"] = ", ".join(self.allowed_methods)
        return response

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """Answer 405 in the surface's shape, with the methods there are."""
        fault = MethodNotAllowed(f"{request.method} is not allowed here.")
        response = error_response(fault, self.surface)
        response["Allow"] = ", ".join(self.allowed_methods)
        return response


class MethodNotAllowed(NotFound):
    """The path is there, the method is not."""

    kind = Kind.METHOD_NOT_ALLOWED
