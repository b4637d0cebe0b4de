"""The lane of API requests through the middleware: short, JSON only, and closed to what no view should see."""

import itertools
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from uuid import UUID

from corsheaders.middleware import CorsMiddleware
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch, resolve

from crm.api.exceptions import error_response, failure_response
from crm.api.platform import PLATFORM
from crm.api.storefront import STOREFRONT
from crm.api.surfaces import Surface
from crm.api.team import TEAM
from crm.core.errors import Invalid, Malformed, NotFound
from crm.server.environ import REFUSAL

_BASES = (("/api/v1", PLATFORM), ("/api", TEAM), ("/shop", STOREFRONT))
_BARE = frozenset(base for base, _ in _BASES)
API_POLICY = "default-src 'none'; frame-ancestors 'none'"  # JSON that a browser takes for a page does nothing
NUL = "\0"
UUIDS = re.compile("[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


def surface_of(path: str) -> Surface | None:
    """Return the surface that a path belongs to, however it is cut or its slashes repeated."""
    path = f"/{path.lstrip('/')}"
    for base, surface in _BASES:
        if path == base or path.startswith(f"{base}/"):
            return surface
    return None


class Cors(CorsMiddleware):
    """Cross-origin headers where a browser asks from another origin; every other request only says that they vary."""

    def __call__(self, request: HttpRequest) -> Any:
        """Answer preflights and add the headers; a request without an Origin costs nothing."""
        if "HTTP_ORIGIN" in request.META:
            return super().__call__(request)
        response: Any = self.get_response(request)
        if not response.has_header("Vary"):
            response["Vary"] = "origin"
        return response


class ApiMiddleware:
    """Answer API requests without sessions, CSRF, messages and frames: those serve the admin's pages.

    A bearer token is all an API request has to show, so nothing of that stack could protect it, and it costs more
    than the request itself. What Django would refuse as HTML (a bad host, an unknown path) is JSON here.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Resolve and call the view; what no surface has passes on, its errors as JSON where that was asked for."""
        surface = surface_of(request.path_info)
        refusal = request.META.get(REFUSAL)
        if refusal is not None:
            response = error_response(refusal, surface or PLATFORM, str)
        elif surface is not None:
            response = _answered(request, surface)
        else:
            response = self.get_response(request)
            wants_json = "application/json" in request.META.get("HTTP_ACCEPT", "")
            return _as_json(response, PLATFORM) if wants_json else response
        response.headers.setdefault("Cache-Control", "no-store")  # but where the view shares its answer
        response.headers["Content-Security-Policy"] = API_POLICY
        return response


def _answered(request: HttpRequest, surface: Surface) -> HttpResponse:
    try:
        _refuse_unfit(request)
        match = request.resolver_match = _resolved(request.path_info)
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    except Exception as error:  # noqa: BLE001 - the boundary: every exception becomes an answer
        return error_response(error, surface, str)
    return response


def _resolved(path: str) -> ResolverMatch:
    """Resolve a path by its template: ids are taken out first, so that Django compares each template only once."""
    ids = UUIDS.findall(path)
    if not ids:
        return _resolved_once(path)
    numbers = itertools.count()
    match = _resolved_once(UUIDS.sub(lambda _: str(UUID(int=next(numbers))), path))
    kwargs = {name: _put_back(value, ids) for name, value in match.kwargs.items()}
    return ResolverMatch(match.func, match.args, kwargs, route=match.route)


def _put_back(value: UUID | str, ids: list[str]) -> UUID | str:
    if isinstance(value, UUID):
        return UUID(ids[value.int])
    return UUIDS.sub(lambda stand_in: ids[UUID(stand_in[0]).int], value)  # a slug may look like an id


_resolved_once = lru_cache(maxsize=4096)(resolve)


def _refuse_unfit(request: HttpRequest) -> None:
    """Raise for a host that is not ours, and for NUL, which the database takes nowhere."""
    request.get_host()
    # A base without what follows would be read as another surface's unknown path.
    if NUL in request.path_info or request.path_info in _BARE:
        raise NotFound("There is nothing at this address.")
    query = request.META.get("QUERY_STRING", "")
    if "%00" in query or NUL in query:
        faults = {
            name.replace(NUL, ""): "NUL characters are not allowed."
            for name, values in request.GET.lists()
            if NUL in name or any(NUL in value for value in values)
        }
        raise Invalid(faults)


def _as_json(response: HttpResponse, surface: Surface) -> HttpResponse:
    status = response.status_code
    if status < 400 or not response.get("Content-Type", "").startswith("text/html"):
        return response
    if status >= 500:
        return failure_response(surface)
    return error_response(Malformed() if status == 400 else NotFound(), surface)
