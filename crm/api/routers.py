"""URL patterns: a route without a declared policy stops the start."""

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path, re_path

from crm.api.exceptions import error_response
from crm.api.permissions import required
from crm.api.surfaces import Surface
from crm.api.viewsets import ApiViewSet, ResourceViewSet
from crm.core.errors import NotFound

SERVICES = {
    "create": "create",
    "update": "update",
    "partial_update": "update",
    "destroy": "delete",
    "restore": "restore",
}
COLLECTION = {"get": "list", "post": "create"}
OBJECT = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}


def route(address: str, view: type[ApiViewSet], **actions: Any) -> URLPattern:
    """Return the pattern of a path under the surface's base; `actions` maps methods to the view's actions."""
    for action in actions.values():
        if not hasattr(view, action):
            raise ImproperlyConfigured(f"{view.__name__} has no action {action}.")
        if action not in view.allow_anonymous and required(view, action) is None:
            raise ImproperlyConfigured(f"{view.__name__}.{action} declares no permission and no reason to be public.")
        if _lacks_service(view, action):
            raise ImproperlyConfigured(f"{view.__name__}.{action} has no service.")
    return path(address, view.as_view(actions))


def _lacks_service(view: type[ApiViewSet], action: str) -> bool:
    """Return whether an action is the base class's own, and the service that it calls is not named."""
    if action not in SERVICES or getattr(view, action) is not getattr(ResourceViewSet, action):
        return False
    return getattr(view.services, SERVICES[action]) is None  # type: ignore[attr-defined]  # a resource's


def resource(address: str, view: type[ApiViewSet], *, restore: bool = True, **changed: str) -> list[URLPattern]:
    """Return the usual patterns of a resource: collection, object, and restore where it is offered."""
    patterns = [
        route(address, view, **COLLECTION),
        route(f"{address}/<uuid:pk>", view, **(OBJECT | changed)),
    ]
    if restore:
        patterns.append(route(f"{address}/<uuid:pk>/restore", view, post="restore"))
    return patterns


def mounted(surface: Surface, own: Sequence[URLPattern], apps: Iterable[str]) -> URLResolver:
    """Return everything under a surface's base: its own patterns, `<app>.api.<surface>` of each app, and the 404."""

    def not_found(_request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        return error_response(NotFound("There is nothing at this address."), surface)

    not_found.csrf_exempt = True  # type: ignore[attr-defined]
    modules = [f"{app}.api.{surface.name}" for app in apps]
    patterns: list[Any] = [*own, *(path("", include(module)) for module in modules if find_spec(module))]
    return path(f"{surface.base}/", include([*patterns, re_path("^.*$", not_found)]))
