"""Shapes: what an object looks like on a surface. One DRF serializer reads bodies and declares the projection of reads.

A field is written in the domain's name; the surface's key is made from it (`first_name`, `firstName`).
"""

from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import Any, ClassVar

from django.db.models import F, TextField, Value
from django.db.models.functions import NullIf
from rest_framework import serializers

from crm.api.surfaces import camel, snake
from crm.core import free_objects, money, web_addresses
from crm.core.characters import no_controls, one_line
from crm.core.db.expressions import Major, json_object
from crm.core.web_addresses import web_address

UNKNOWN = "This field is not known."
NOT_TEXT = "Expected text."


class Shape(serializers.Serializer):
    """The base of all shapes. `aliases` maps further accepted keys to declared ones."""

    key: ClassVar[Any] = staticmethod(snake)
    aliases: ClassVar[Mapping[str, str]] = {}

    def get_fields(self) -> dict[str, serializers.Field]:
        """Return the declared fields under the surface's keys; a nested shape speaks as the one it stands in."""
        spoken = type(self.root) if isinstance(self.root, Shape) else type(self)
        fields = {}
        for name, field in super().get_fields().items():
            key = spoken.key(name)
            if key != name and field.source is None and field.__class__ is not serializers.HiddenField:
                field.source = name
            fields[key] = field
        return fields

    def to_internal_value(self, data: Any) -> Any:
        """Validate; a key that is neither declared nor an alias is an error, a read-only one is passed over."""
        if isinstance(data, Mapping):
            for alias, key in self.aliases.items():
                if alias in data:
                    data = {key: data[alias], **{k: v for k, v in data.items() if k != alias}}
            wrong = {str(name): [UNKNOWN] for name in data if name not in self.fields}
            # DRF would write a number down as text.
            wrong |= {name: [NOT_TEXT] for name in self.texts if not isinstance(data.get(name), str | None)}
            if wrong:
                raise serializers.ValidationError(wrong)
        return super().to_internal_value(data)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Return the keys of the fields that take text."""
        written = ((key, field) for key, field in self.fields.items() if not field.read_only)
        return tuple(key for key, field in written if isinstance(field, serializers.CharField))

    @classmethod
    @cache
    def reader_of_bodies(cls, *, partial: bool = False) -> "Shape":
        """Return the one instance that validates bodies: fields are costly to make and hold nothing of a request."""
        return cls(partial=partial)

    @classmethod
    def checked(cls, body: Any, *, partial: bool = False) -> dict[str, Any]:
        """Return the body's values by domain name, or raise DRF's ValidationError."""
        return dict(cls.reader_of_bodies(partial=partial).run_validation(body))

    @classmethod
    @cache
    def key_of(cls, name: str) -> str:
        """Return the key under which a domain field stands in this shape, for error messages."""
        for key, field in cls().fields.items():
            if (field.source or key) == name:
                return str(key)
        return cls.key(name)


class CamelShape(Shape):
    """A shape of the Team surface."""

    key = staticmethod(camel)


class Optional(serializers.Field):
    """What text fields that may be empty share: stored as '', shown as null, null taken as ''."""

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        """Take null as nothing."""
        if data is None and self.allow_null:
            return (True, "")
        return super().validate_empty_values(data)

    def expression(self, source: str) -> Any:
        """Return the SQL that reads the column."""
        return NullIf(F(source), Value(""), output_field=TextField()) if self.allow_null else F(source)


class Line(serializers.CharField):
    """Text of one line, such as a name: a line break becomes a blank, other control characters are refused."""

    default_validators = [no_controls]

    def to_internal_value(self, data: Any) -> str:
        """Return it in one line."""
        return one_line(super().to_internal_value(data))


class Text(Optional, Line):
    """Optional text of one line."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"required": False, "allow_blank": True, "allow_null": True} | kwargs))


class LongText(Optional, serializers.CharField):
    """Optional text of any number of lines."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"required": False, "allow_blank": True, "allow_null": True} | kwargs))


class Email(Optional, serializers.EmailField):
    """An optional e-mail address."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"required": False, "allow_blank": True, "allow_null": True, "max_length": 254} | kwargs))


class WebAddress(Text):
    """An optional web address (`crm.core.web_addresses`)."""

    default_validators = [web_address]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"max_length": web_addresses.LONGEST} | kwargs))


class Choice(Optional, serializers.ChoiceField):
    """One of a model's choices."""

    def __init__(self, choices: Any, **kwargs: Any) -> None:
        pairs = choices.choices if hasattr(choices, "choices") else choices
        super().__init__(choices=pairs, **({"required": False} | kwargs))


class FreeObject(serializers.Field):
    """A JSON object of the customer's own, within bounds: its keys come back as they were written."""

    def __init__(self, *, largest: int = free_objects.LARGEST, **kwargs: Any) -> None:
        self.largest = largest
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Any:
        """Take any object within the bounds; `largest` is in bytes of JSON."""
        free_objects.free_object(data, largest=self.largest)
        return data

    def to_representation(self, value: Any) -> Any:
        """Return it unchanged."""
        return value


class Computed(serializers.Field):
    """A read-only value that SQL computes: an expression, and the field that describes it in the schema."""

    def __init__(self, expression: Any, shown_as: serializers.Field, **kwargs: Any) -> None:
        self._expression, self.shown_as = expression, shown_as
        super().__init__(read_only=True, **kwargs)

    def expression(self, source: str) -> Any:
        """Return the SQL."""
        return self._expression


class Derived(serializers.Field):
    """A read-only value made in Python from columns or expressions: for what SQL cannot say."""

    def __init__(
        self, columns: tuple[Any, ...], make: Callable[..., Any], shown_as: serializers.Field, **kwargs: Any
    ) -> None:
        self.columns, self.assemble, self.shown_as = columns, make, shown_as
        super().__init__(read_only=True, **kwargs)


class Amount(serializers.DecimalField):
    """Money as a JSON number in major units; stored in minor ones. `currency` is the column that names it."""

    def __init__(self, *, currency: str = "organization__currency", **kwargs: Any) -> None:
        self.currency = currency
        super().__init__(**({"max_digits": 20, "decimal_places": 3, "required": False} | kwargs))

    def to_internal_value(self, data: Any) -> Any:
        """Take a JSON number or a numeric string; the service checks the currency's decimals."""
        if isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(repr(data) if isinstance(data, float) else data)

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the amount and its currency."""
        return (str(self.source).replace(".", "__"), self.currency)

    def assemble(self, minor: int | None, currency: str) -> float | None:
        """Return major units."""
        return None if minor is None else money.to_major(minor, currency)

    def in_json(self, column: Callable[[str], Any]) -> Any:
        """Return the SQL of it among a row's children."""
        return Major(*map(column, self.columns))


class MoneyObject(serializers.Field):
    """Money as the Storefront shows it: `{"amount": minor units, "currency": code}`; null where there is none."""

    def __init__(self, *, currency: str = "currency", **kwargs: Any) -> None:
        self.currency = currency
        super().__init__(read_only=True, **kwargs)

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the amount and its currency."""
        return (str(self.source).replace(".", "__"), self.currency)

    @property
    def shown_as(self) -> serializers.Serializer:
        """Return what describes it in the schema."""
        return _Money()

    def assemble(self, minor: int | None, currency: str) -> dict[str, Any] | None:
        """Return the object."""
        return None if minor is None else {"amount": minor, "currency": currency}

    def in_json(self, column: Callable[[str], Any]) -> Any:
        """Return the SQL of it among a row's children; the amount is always there."""
        amount, currency = map(column, self.columns)
        return json_object({"amount": amount, "currency": currency})


class Number(serializers.DecimalField):
    """A decimal shown as a JSON number."""

    def assemble(self, value: str | None) -> float | None:
        """Return the number."""
        return None if value is None else float(value)

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the column itself."""
        return (str(self.source).replace(".", "__"),)


class _Money(Shape):
    amount = serializers.IntegerField()
    currency = serializers.CharField()


class TextList(serializers.ListField):
    """A list of short texts, such as tags: trimmed, each once, in the order given."""

    def __init__(self, *, longest: int = 60, most: int = 100, **kwargs: Any) -> None:
        child = Line(max_length=longest)
        super().__init__(child=child, max_length=most, **({"required": False} | kwargs))

    def to_internal_value(self, data: Any) -> list[str]:
        """Return the texts without repeats."""
        if isinstance(data, list) and not all(isinstance(text, str) for text in data):
            raise serializers.ValidationError(NOT_TEXT)
        return list(dict.fromkeys(super().to_internal_value(data)))
