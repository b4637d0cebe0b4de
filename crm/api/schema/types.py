"""Types as JSON schemas: serializers, fields, Python types, and objects and lists of them."""

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, NotRequired, Union, get_args, get_origin
from uuid import UUID

from django.db.models import Choices
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import force_instance
from rest_framework import serializers

from crm.api.fields import AmountField, FloatField, JSONObjectField
from crm.api.schema.descriptions import Json
from crm.api.serializers import Serializer
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


class TypeSchema(AutoSchema):
    """Turn types (see `extend_schema`) into schemas; serializers become components of the document."""

    view: Any

    def named(self, declared: Any) -> Any:
        """Return the type that a name stands for: an attribute of the view."""
        return getattr(self.view, declared) if isinstance(declared, str) else declared

    def schema_of(self, declared: Any, direction: Any, *, partial: bool = False) -> Json:
        """Return the schema of a type (see `extend_schema`)."""
        declared = self.named(declared)
        if isinstance(declared, type) and issubclass(declared, serializers.Serializer):
            declared = self.view.surface.serializer(declared)
            return dict(self.resolve_serializer(declared(partial=partial), direction).ref)
        if isinstance(declared, type) and issubclass(declared, Choices):
            return {"type": "string", "enum": list(declared.values)}
        if isinstance(declared, serializers.Field):
            schema = self._map_serializer_field(declared, direction)
            self._insert_field_validators(declared, schema)
            return dict(schema)
        return self._plain(declared, direction, partial=partial)

    def resolve_serializer(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> Any:  # noqa: FBT001, FBT002 - the library's signature
        """Return the component of a serializer; one that is nested has the surface's keys as well."""
        serializer = force_instance(serializer)
        if isinstance(serializer, Serializer):
            serializer.__class__ = self.view.surface.serializer(type(serializer))
        return super().resolve_serializer(serializer, direction, bypass_extensions)

    def _plain(self, declared: Any, direction: Any, *, partial: bool) -> Json:
        if isinstance(declared, Mapping):
            return self._object(declared, direction, partial=partial)
        if isinstance(declared, list):
            return {"type": "array", "items": self.schema_of(declared[0], direction)}
        if isinstance(declared, tuple):
            return {"type": "string", "enum": list(declared)}
        if get_origin(declared) is NotRequired:
            return self.schema_of(get_args(declared)[0], direction)
        if get_origin(declared) in {Union, UnionType}:
            (inner,) = (part for part in get_args(declared) if part is not NoneType)
            return nullable(self.schema_of(inner, direction))
        return dict(BASIC[declared])

    def _object(self, types: Mapping[str, Any], direction: Any, *, partial: bool) -> Json:
        properties, needed = {}, []
        for name, declared in types.items():
            key, inner = self.view.surface.key(name), declared
            if get_origin(declared) is NotRequired:
                (inner,) = get_args(declared)
            elif not partial:
                needed.append(key)
            properties[key] = self.schema_of(inner, direction)
        schema: Json = {"type": "object", "properties": properties}
        if direction == "request":
            schema["additionalProperties"] = False
        return {**schema, "required": needed} if needed else schema

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> Any:  # noqa: FBT001, FBT002 - the library's signature
        if direction == "request" and field.read_only:
            return None
        stands_for = getattr(field, "response_schema" if direction == "response" else "request_schema", None)
        if stands_for is not None:
            stands_for = stands_for() if isinstance(stands_for, type) else stands_for
            stands_for.field_name, stands_for.parent = field.field_name, field.parent
            schema = super()._map_serializer_field(stands_for, direction)
            self._insert_field_validators(stands_for, schema)
            schema |= self._get_serializer_field_meta(field, direction)
        elif isinstance(field, JSONObjectField):
            bound = {"maxProperties": MOST_KEYS} if direction == "request" else {}
            schema = {**BASIC[dict], **bound, **self._get_serializer_field_meta(field, direction)}
        elif isinstance(field, serializers.ChoiceField) and not isinstance(field, serializers.MultipleChoiceField):
            blank = [""] if direction == "request" and field.allow_blank else []
            schema = {"type": "string", "enum": [*field.choices, *blank]}
            schema = nullable(schema) if field.allow_null else schema
        elif isinstance(field, serializers.EmailField):
            schema = {**BASIC[str], "format": "email", **self._get_serializer_field_meta(field, direction)}
        elif isinstance(field, AmountField | FloatField):
            schema = {"type": "number", **self._get_serializer_field_meta(field, direction)}
        else:
            schema = super()._map_serializer_field(field, direction, bypass_extensions)
        if direction == "response" and schema is not None and self._may_be_null(field):
            schema = nullable(schema)
        return schema

    def _may_be_null(self, field: Any) -> bool:
        """Tell whether a read may find nothing: a joined row, or a column that may be null."""
        if isinstance(field, Serializer):
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

    def _model_of(self, serializer: Any) -> Any:
        """Return the model that a serializer reads: the one it names, else its view's where it stands alone."""
        named = getattr(getattr(serializer, "Meta", None), "model", None)
        is_alone = isinstance(serializer, Serializer) and serializer.parent is None
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
