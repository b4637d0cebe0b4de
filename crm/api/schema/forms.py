"""Forms as JSON schemas: shapes, fields, Python types, and objects and lists of them."""

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, NotRequired, Union, get_args, get_origin
from uuid import UUID

from django.db.models import Choices
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from crm.api.schema.descriptions import Json
from crm.api.shapes import Amount, FreeObject, Number, Shape
from crm.core.free_objects import MOST_KEYS

BASIC: Mapping[Any, Json] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    Decimal: {"type": "number"},
    bool: {"type": "boolean"},
    bytes: {"type": "string", "format": "binary"},
    UUID: {"type": "string", "format": "uuid"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    time: {"type": "string", "format": "time"},
    dict: {"type": "object", "additionalProperties": {}},
    list: {"type": "array", "items": {}},
    Any: {},
}


class FormSchema(AutoSchema):
    """Turn forms (see `describes`) into schemas; shapes become components of the document."""

    view: Any

    def named(self, form: Any) -> Any:
        """Return the form that a name stands for: an attribute of the view."""
        return getattr(self.view, form) if isinstance(form, str) else form

    def form(self, form: Any, direction: Any, *, partial: bool = False) -> Json:
        """Return the schema of a form (see `describes`)."""
        form = self.named(form)
        if isinstance(form, type) and issubclass(form, serializers.Serializer):
            return dict(self.resolve_serializer(form(partial=partial), direction).ref)
        if isinstance(form, type) and issubclass(form, Choices):
            return {"type": "string", "enum": list(form.values)}
        if isinstance(form, serializers.Field):
            schema = self._map_serializer_field(form, direction)
            self._insert_field_validators(form, schema)
            return dict(schema)
        return self._plain(form, direction, partial=partial)

    def _plain(self, form: Any, direction: Any, *, partial: bool) -> Json:
        if isinstance(form, Mapping):
            return self._object(form, direction, partial=partial)
        if isinstance(form, list):
            return {"type": "array", "items": self.form(form[0], direction)}
        if isinstance(form, tuple):
            return {"type": "string", "enum": list(form)}
        if get_origin(form) is NotRequired:
            return self.form(get_args(form)[0], direction)
        if get_origin(form) in {Union, UnionType}:
            (inner,) = (part for part in get_args(form) if part is not NoneType)
            return nullable(self.form(inner, direction))
        return dict(BASIC[form])

    def _object(self, forms: Mapping[str, Any], direction: Any, *, partial: bool) -> Json:
        properties, needed = {}, []
        for name, form in forms.items():
            key, inner = self.view.surface.key(name), form
            if get_origin(form) is NotRequired:
                (inner,) = get_args(form)
            elif not partial:
                needed.append(key)
            properties[key] = self.form(inner, direction)
        schema: Json = {"type": "object", "properties": properties}
        if direction == "request":
            schema["additionalProperties"] = False
        return {**schema, "required": needed} if needed else schema

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> Any:  # noqa: FBT001, FBT002 - the library's signature
        if direction == "request" and field.read_only:
            return None
        stands_for = getattr(field, "shown_as" if direction == "response" else "taken_as", None)
        if stands_for is not None:
            stands_for = stands_for() if isinstance(stands_for, type) else stands_for
            stands_for.field_name, stands_for.parent = field.field_name, field.parent
            schema = super()._map_serializer_field(stands_for, direction)
            self._insert_field_validators(stands_for, schema)
            schema |= self._get_serializer_field_meta(field, direction)
        elif isinstance(field, FreeObject):
            bound = {"maxProperties": MOST_KEYS} if direction == "request" else {}
            schema = {**BASIC[dict], **bound, **self._get_serializer_field_meta(field, direction)}
        elif isinstance(field, serializers.ChoiceField) and not isinstance(field, serializers.MultipleChoiceField):
            blank = [""] if direction == "request" and field.allow_blank else []
            schema = {"type": "string", "enum": [*field.choices, *blank]}
            schema = nullable(schema) if field.allow_null else schema
        elif isinstance(field, serializers.EmailField):
            schema = {**BASIC[str], "format": "email", **self._get_serializer_field_meta(field, direction)}
        elif isinstance(field, Amount | Number):
            schema = {"type": "number", **self._get_serializer_field_meta(field, direction)}
        else:
            schema = super()._map_serializer_field(field, direction, bypass_extensions)
        if direction == "response" and schema is not None and self._may_be_null(field):
            schema = nullable(schema)
        return schema

    def _may_be_null(self, field: Any) -> bool:
        """Tell whether a read may find nothing: a joined row, or a column that may be null."""
        if isinstance(field, Shape):
            return bool(field.parent) and field.source not in {"*", None}
        model, source = self._model_of(field.parent), str(field.source or "")
        if model is None or not field.read_only:
            return False
        return source in {
            name
            for column in model._meta.concrete_fields  # noqa: SLF001 - Django's documented model metadata
            if column.null
            for name in (column.name, column.attname)
        }

    def _model_of(self, shape: Any) -> Any:
        """Return the model that a shape reads: the one it names, else its view's where it stands alone."""
        named = getattr(getattr(shape, "Meta", None), "model", None)
        is_alone = isinstance(shape, Shape) and shape.parent is None
        return named or (getattr(self.view, "model", None) if is_alone else None)

    def _insert_field_validators(self, field: Any, schema: Any) -> None:
        super()._insert_field_validators(field, schema)
        if getattr(field, "allow_blank", False) and "oneOf" in schema:  # a text or none: said by `nullable` already
            schema |= schema.pop("oneOf")[0]

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        schema = super()._map_basic_serializer(serializer, direction)
        properties = schema.get("properties", {})
        if direction == "response":
            schema["required"] = sorted(name for name, part in properties.items() if not part.get("writeOnly"))
            return schema
        schema["additionalProperties"] = False
        for alias, key in getattr(serializer, "aliases", {}).items():
            if key in properties:
                properties[alias] = properties[key]
                schema["required"] = [name for name in schema.get("required", []) if name != key]
        return schema


def nullable(schema: Json) -> Json:
    """Return the schema with null beside its values."""
    if "$ref" in schema:
        return {"allOf": [schema], "nullable": True}
    if "enum" in schema and None not in schema["enum"]:
        schema = {**schema, "enum": [*schema["enum"], None]}
    return {**schema, "nullable": True} if schema else schema
