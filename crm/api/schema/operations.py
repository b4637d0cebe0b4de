"""Operations: an action's name, parameters, body, answer and refusals, in the words of its surface."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from uuid import UUID

import django_filters
import uritemplate
from drf_spectacular.plumbing import resolve_django_path_parameter

from crm.api.permissions import MEMBER, SIGNED_IN, required
from crm.api.schema.descriptions import DESCRIPTION, ERRORS, JSON_MEDIA, MARK, Description, Json, described
from crm.api.schema.types import BASIC, TypeSchema
from crm.api.surfaces import Page
from crm.core.errors import ErrorKind

IDEMPOTENCY_HEADER = "Idempotency-Key"
EXAMPLE_SHOP = "northwind"  # the demo's organization, so that the page's examples work there as they stand
FILTER_TYPES: Sequence[tuple[type[django_filters.Filter], Any]] = (
    (django_filters.UUIDFilter, UUID),
    (django_filters.BooleanFilter, bool),
    (django_filters.NumberFilter, Decimal),
    (django_filters.IsoDateTimeFilter, datetime),
    (django_filters.DateTimeFilter, datetime),
    (django_filters.DateFilter, date),
)
# action: the word in operation ids, the word in summaries, whether it concerns the list
STANDARD: Mapping[str, tuple[str, str]] = {
    "list": ("list", "List"),
    "create": ("create", "Create"),
    "retrieve": ("get", "Show"),
    "update": ("update", "Change"),
    "partial_update": ("update", "Change"),
    "destroy": ("delete", "Delete"),
    "restore": ("restore", "Restore"),
}


class SurfaceSchema(TypeSchema):
    """Describe a view of a surface: its envelope, its errors, its parameters, the shapes it names."""

    @property
    def action(self) -> Any:
        """Return the function that answers."""
        return getattr(self.view, self.view.action)

    @property
    def description(self) -> Description:
        """Return what the action says of itself, on top of what a resource's standard action is known to do."""
        own: Description | None = getattr(self.action, DESCRIPTION, None)
        standard = self._standard()
        if standard is None:
            return own or Description(response={})
        if own is None:
            return standard
        return replace(standard, **{name: getattr(own, name) for name in own.given})

    def _standard(self) -> Description | None:
        view = self.view
        if not hasattr(view, "list_serializer_class") or view.serializer_class is None:
            return None
        body, adds = view.get_input_serializer_class(), view.extra_schema
        return {
            "list": Description(page=view.list_serializer_class or view.serializer_class),
            "retrieve": Description(response=view.serializer_class, extra=adds),
            "create": Description(request=body, response=view.serializer_class, status=201, extra=adds),
            "update": Description(request=body, response=view.serializer_class, partial=True, extra=adds),
            "partial_update": Description(request=body, response=view.serializer_class, partial=True, extra=adds),
            "destroy": Description(deletes=True),
            "restore": Description(response=view.serializer_class, extra=adds),
        }.get(view.action)

    # --- Names and words

    def get_operation_id(self) -> str:
        """Return `contacts_list`, `auth_login`: the words of the path, and the verb where it is not among them."""
        words = [word.replace("-", "_") for word in self._words()]
        verb = STANDARD.get(self.view.action, (self.view.action,))[0]
        if self.method == "PATCH" and "put" in self.view.action_map:
            verb = "patch"
        said = {part for word in words for part in word.split("_")}
        return "_".join([*words, *(part for part in verb.split("_") if part not in said)])

    def get_tags(self) -> list[str]:
        """Group by the first word after the base."""
        return [next(iter(self._words()), "surface")]

    def _words(self) -> list[str]:
        base = len([part for part in self.view.surface.base.split("/") if part])
        return [word for word in self.path.strip("/").split("/")[base:] if not word.startswith("{")]

    def get_summary(self) -> str:
        """Return one short line."""
        if self.view.action in STANDARD and hasattr(self.view, "verbose_name_plural"):
            word = STANDARD[self.view.action][1]
            is_list = self.view.action == "list"
            noun = self.view.verbose_name_plural.replace("_", " ") if is_list else self.view.verbose_name.lower()
            return f"{word} {noun}"
        return _first_sentence(self.action.__doc__)

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular's own signature
        """Return the docstring where it says more than the summary, and the permission that is needed."""
        standard = self.view.action in STANDARD and hasattr(self.view, "verbose_name_plural")
        text = "" if standard else " ".join((self.action.__doc__ or "").split())
        parts = [text] if text and text.rstrip(".") != self.get_summary() else []
        return "\n\n".join([*parts, self._who()])

    def _who(self) -> str:
        if self.view.action in self.view.allow_anonymous:
            return "Open to anybody."
        needed = required(self.view, self.view.action)
        everybody = {SIGNED_IN: "Needs a signed-in user.", MEMBER: "Needs a member of the team."}
        return everybody.get(needed or SIGNED_IN, f"Needs the permission `{needed}`.")

    def get_auth(self) -> list[Json]:
        """Ask for the access token, except where the action is public."""
        return [] if self.view.action in self.view.allow_anonymous else [{"bearer": []}]

    # --- Parameters

    def _get_parameters(self) -> list[Json]:
        found = [self._path_parameter(name) for name in uritemplate.variables(self.path)]
        found += [_query(name, schema, text) for name, (schema, text) in self._query_parameters().items()]
        if self.method == "POST" and self.view.action not in self.view.allow_anonymous:
            text = "Makes the request safe to repeat: the same key and body within 24 hours get the first answer."
            schema = {"type": "string", "minLength": 1, "maxLength": 255}
            found.append({"in": "header", "name": IDEMPOTENCY_HEADER, "schema": schema, "description": text})
        return found

    def _path_parameter(self, name: str) -> Json:
        if name == "shop":
            schema = {"type": "string", "example": EXAMPLE_SHOP}
            text = "The organization's slug."
            return {"in": "path", "name": name, "required": True, "schema": schema, "description": text}
        known = resolve_django_path_parameter(self.path_regex, name, [])
        return known or {"in": "path", "name": name, "required": True, "schema": {"type": "string"}}

    def _query_parameters(self) -> dict[str, tuple[Json, str]]:
        view, description = self.view, self.description
        found: dict[str, tuple[Json, str]] = {}
        if description.page is not None and view.action == "list" and hasattr(view, "ordering_fields"):
            found |= self._filters() | self._pages() | self._orders()
        elif description.page is not None:
            found |= self._pages()
        for name, declared in description.parameters.items():
            found[view.surface.key(name)] = (self.schema_of(declared, "request"), "")
        return found

    def _pages(self) -> dict[str, tuple[Json, str]]:
        pages = self.view.surface.pages
        first, *others = pages.size
        size = {"type": "integer", "minimum": 1, "default": pages.default}
        found = {
            pages.number: ({"type": "integer", "minimum": 1, "default": 1}, "One beyond the last is empty."),
            first: (size, f"Rows a page; more than {pages.largest} is taken as {pages.largest}."),
        }
        return found | {name: ({"type": "integer", "minimum": 1}, f"The same as `{first}`.") for name in others}

    def _orders(self) -> dict[str, tuple[Json, str]]:
        names = [self.view.surface.key(name) for name in self.view.ordering_fields]
        sort = {"type": "string", "enum": [*names, *(f"-{name}" for name in names)]}
        order = {"type": "string", "enum": ["asc", "desc"]}
        return {"sort": (sort, "The field to order by; `-` turns the order."), "order": (order, "")}

    def _filters(self) -> dict[str, tuple[Json, str]]:
        view = self.view
        if view.filterset_class is None:
            return {}
        found: dict[str, tuple[Json, str]] = {}
        for name, declared in view.filterset_class.base_filters.items():
            if name == "search":
                first, *others = view.surface.search
                target = str(declared.extra.get("help_text", "Finds words by their beginnings."))
                found[first] = ({"type": "string"}, target)
                found |= {other: ({"type": "string"}, f"The same as `{first}`.") for other in others}
                continue
            key = view.filter_names.get(name) or view.surface.key(name)
            found[key] = (_filter_schema(declared), str(declared.extra.get("help_text", "")))
            if name == "tags":
                match = {"type": "string", "enum": ["any", "all"], "default": "any"}
                found[view.surface.key("tags_match")] = (match, "Whether any or all of the tags must be there.")
        return found

    # --- Bodies

    def _get_request_body(self, direction: Any = "request") -> Json | None:
        description = self.description
        if description.request is None or self.method not in {"POST", "PUT", "PATCH"}:
            return None
        schema = self.schema_of(
            self.named(description.request), direction, partial=description.partial or self.method == "PATCH"
        )
        return {"content": {description.request_media_type: {"schema": schema}}, "required": True}

    def _get_response_bodies(self, direction: Any = "response") -> Json:
        status, success = self._success(direction)
        refused = {
            str(code): {"$ref": f"#/components/responses/{ERRORS[code][0]}"} for code in sorted(self._refusals())
        }
        others = {
            str(code): self._answer(code, declared, direction)
            for code, declared in self.description.other_responses.items()
        }
        return {str(status): success, **refused, **others}

    def _success(self, direction: Any) -> tuple[int, Json]:
        description, surface = self.description, self.view.surface
        if description.deletes:
            status, sample = surface.deleted(self.view.verbose_name, "id")
            return status, _response(status, None if sample is None else described(sample, None))
        if description.page is not None:
            inner = self.schema_of(self.named(description.page), direction)
            plural = getattr(self.view, "verbose_name_plural", "items")
            body = described(surface.wrap_page(Page([MARK], 1, 1, 1), plural), inner)
            return description.status, _response(description.status, body)
        return description.status, self._answer(description.status, description.response, direction)

    def _answer(self, status: int, declared: Any, direction: Any) -> Json:
        description, surface = self.description, self.view.surface
        if declared is None:
            return _response(status, None)
        inner = self.schema_of(self.named(declared), direction)
        if description.extra:
            beside = {surface.key(key): self.schema_of(extra, direction) for key, extra in description.extra.items()}
            inner = {"allOf": [inner, {"type": "object", "properties": beside}]}
        is_bare = description.unwrapped or description.response_media_type != JSON_MEDIA
        return _response(
            status, inner if is_bare else described(surface.wrap(MARK), inner), description.response_media_type
        )

    def _refusals(self) -> set[int]:
        view, description = self.view, self.description
        surface = view.surface
        found = {surface.status_of(ErrorKind.MALFORMED), 503, *description.error_statuses}
        if description.request is not None:
            found |= {surface.status_of(ErrorKind.INVALID), 413, 415}
        elif self._query_parameters():
            found.add(surface.status_of(ErrorKind.INVALID))
        if view.action not in view.allow_anonymous:
            found |= {401, 403}
        if uritemplate.variables(self.path):
            found.add(404)
        if self.method != "GET":
            found.add(409)
        if self.method == "POST" and view.action not in view.allow_anonymous:
            found.add(422)
        if (
            surface.is_limited
            or view.action in view.strict_throttle | view.strict_throttle_always | view.anonymous_throttle
        ):
            found.add(429)
        return found


def _first_sentence(text: str | None) -> str:
    return " ".join((text or "").split()).partition(". ")[0].rstrip(".")


def _query(name: str, schema: Json, text: str) -> Json:
    parameter = {"in": "query", "name": name, "schema": schema}
    return {**parameter, "description": text} if text else parameter


def _response(status: int, schema: Json | None, media: str = JSON_MEDIA) -> Json:
    phrase = HTTPStatus(status).phrase
    return (
        {"description": phrase} if schema is None else {"content": {media: {"schema": schema}}, "description": phrase}
    )


def _filter_schema(declared: django_filters.Filter) -> Json:
    if isinstance(declared, django_filters.ChoiceFilter):
        return {"type": "string", "enum": [value for value, _ in declared.extra["choices"]]}
    for family, python_type in FILTER_TYPES:
        if isinstance(declared, family):
            return dict(BASIC[python_type])
    return {"type": "string"}
