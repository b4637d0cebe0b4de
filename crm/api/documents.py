"""The three OpenAPI documents and one Swagger page for them, served without any help from outside."""

from collections.abc import Mapping
from functools import cache
from threading import Lock
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import get_resolver, path
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from crm.api.platform import PLATFORM
from crm.api.renderers import json_response
from crm.api.schema import ERRORS, JSON_MEDIA, error_schema
from crm.api.storefront import STOREFRONT
from crm.api.surfaces import Surface
from crm.api.team import TEAM

Document = dict[str, Any]

SURFACES: Mapping[str, Surface] = {surface.name: surface for surface in (TEAM, PLATFORM, STOREFRONT)}
_ABOUT = {
    "team": "A team's CRM, in camelCase.",
    "platform": "A multi-tenant CRM with commerce, in snake_case.",
    "storefront": "An organization's shop, in snake_case. `shop` is the organization's slug.",
}
_lock = Lock()


class Generator(SchemaGenerator):
    """Generates the document of one surface from its own URL patterns."""

    def __init__(self, *, surface: Surface) -> None:
        self.surface = surface
        mounted = [part for part in get_resolver().url_patterns if str(part.pattern) == f"{surface.base}/"]
        super().__init__(patterns=mounted)

    def get_schema(self, request: Any = None, public: bool = True) -> Document:  # noqa: FBT001, FBT002 - the library's signature
        """Return the document with the surface's name, errors and security."""
        document: Document = super().get_schema(request, public)
        document["info"] |= {"title": self.surface.title, "description": _ABOUT[self.surface.name]}
        components = document.setdefault("components", {})
        components["schemas"] = dict(
            sorted({**components.get("schemas", {}), "Error": error_schema(self.surface)}.items())
        )
        content = {JSON_MEDIA: {"schema": {"$ref": "#/components/schemas/Error"}}}
        components["responses"] = {name: {"description": text, "content": content} for name, text in ERRORS.values()}
        components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
        return document


class SchemaProblem(Exception):
    """A view describes itself badly; the message says which and how."""


@cache
def _generated(name: str) -> Document:
    document = Generator(surface=SURFACES[name]).get_schema()
    if GENERATOR_STATS:
        raise SchemaProblem("\n".join([*GENERATOR_STATS._warn_cache, *GENERATOR_STATS._error_cache]))  # noqa: SLF001 - there is no other way to read them
    validate_schema(document)
    return document


def document_of(name: str) -> Document:
    """Return a surface's OpenAPI document, made once per process; the generator is not safe for two at a time."""
    with _lock:
        return _generated(name)


@cache
def text_of(name: str) -> bytes:
    """Return the document as it is stored in `docs/openapi`."""
    return orjson.dumps(document_of(name), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def schema(_request: HttpRequest, name: str) -> HttpResponse:
    """Answer with the document of a surface."""
    if name not in SURFACES:
        return json_response({"error": {"code": "NOT_FOUND", "message": "There is no such document."}}, 404)
    return HttpResponse(text_of(name), content_type=JSON_MEDIA)


def page(request: HttpRequest) -> HttpResponse:
    """Show Swagger UI with all three documents."""
    return render(request, "api/docs.html", {"version": settings.VERSION})


urlpatterns = [path("api-docs", page), path("api-docs/<str:name>.json", schema)]
