"""The base of all serializers: one class validates bodies and declares the projection of reads.

A field is written in the domain's name; the surface makes its key (`first_name`, `firstName`). No serializer is ever
given an instance: reads are the SQL of `crm.api.queries`.
"""

from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import Any, ClassVar, Self

from rest_framework import serializers

from crm.api.surfaces import snake

UNKNOWN = "This field is not known."
NOT_TEXT = "Expected text."


class Serializer(serializers.Serializer):
    """The base of all serializers. `aliases` maps further accepted keys to declared ones."""

    key: ClassVar[Any] = staticmethod(snake)
    aliases: ClassVar[Mapping[str, str]] = {}

    @classmethod
    @cache
    def cased(cls, key: Callable[[str], str]) -> type[Self]:
        """Return the serializer whose keys `key` makes of the fields' names: a surface's (`Surface.serializer`)."""
        if cls.key is key:
            return cls
        members = {"key": staticmethod(key), "__doc__": cls.__doc__, "__module__": cls.__module__}
        return type(cls.__name__, (cls,), members)

    def get_fields(self) -> dict[str, serializers.Field]:
        """Return the declared fields under the surface's keys; a nested serializer has those of its root."""
        root = type(self.root) if isinstance(self.root, Serializer) else type(self)
        fields = {}
        for name, field in super().get_fields().items():
            key = root.key(name)
            if key != name and field.source is None and field.__class__ is not serializers.HiddenField:
                field.source = name
            fields[key] = field
        return fields

    def to_internal_value(self, data: Any) -> Any:
        """Validate; a key that is neither declared nor an alias is an error, a read-only one is ignored."""
        if isinstance(data, Mapping):
            for alias, key in self.aliases.items():
                if alias in data:
                    data = {key: data[alias], **{k: v for k, v in data.items() if k != alias}}
            wrong = {str(name): [UNKNOWN] for name in data if name not in self.fields}
            # DRF would write a number down as text.
            wrong |= {name: [NOT_TEXT] for name in self.texts if not isinstance(data.get(name), str | None)}
            if wrong:
                raise serializers.ValidationError(wrong)
            empty = {name: None for name in self.nullables if data.get(name) == ""}
            data = {**data, **empty} if empty else data
        return super().to_internal_value(data)

    @cached_property
    def nullables(self) -> tuple[str, ...]:
        """Return the keys of the fields that take null and no text: for them an empty text means null."""
        written = ((key, field) for key, field in self.fields.items() if not field.read_only and field.allow_null)
        texts = serializers.CharField
        return tuple(
            key for key, field in written if not (isinstance(field, texts) or getattr(field, "allow_blank", False))
        )

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Return the keys of the fields that take text."""
        written = ((key, field) for key, field in self.fields.items() if not field.read_only)
        return tuple(key for key, field in written if isinstance(field, serializers.CharField))

    @classmethod
    @cache
    def _validator(cls, *, partial: bool = False) -> "Serializer":
        """Return the one instance that validates bodies: fields are costly to make and hold nothing of a request."""
        return cls(partial=partial)

    @classmethod
    def validate_body(cls, body: Any, *, partial: bool = False) -> dict[str, Any]:
        """Return the body's values by domain name, or raise DRF's ValidationError."""
        return dict(cls._validator(partial=partial).run_validation(body))

    @classmethod
    @cache
    def wire_name(cls, name: str) -> str:
        """Return the key under which a domain field stands in this serializer, for error messages."""
        for key, field in cls().fields.items():
            if (field.source or key) == name:
                return str(key)
        return str(cls.key(name))
