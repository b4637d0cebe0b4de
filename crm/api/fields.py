"""Fields of serializers: what they take, and, where a read is more than its column, their SQL (`SqlField`)."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import F, JSONField, Model, OuterRef, Subquery, TextField, Value
from django.db.models.functions import Coalesce, NullIf
from rest_framework import serializers

from crm.api.serializers import NOT_TEXT, Serializer
from crm.core import free_objects, money, web_addresses
from crm.core.characters import no_controls, one_line
from crm.core.db.expressions import JsonList, Major, json_object, literal
from crm.core.web_addresses import web_address

OPTIONAL = {"required": False, "allow_blank": True, "allow_null": True}


class SqlField(serializers.Field):
    """A field whose value is not just its column's.

    Either `sql` is the expression that computes it, or `from_row` makes it in Python of `columns` (names or
    expressions). `response_schema` and `request_schema` are the fields that describe it in the OpenAPI document.
    """

    columns: Any = None
    from_row: Callable[..., Any] | None = None
    response_schema: Any = None
    request_schema: Any = None

    def sql(self, source: str) -> Any:
        """Return the expression of the value; `source` is the path of its column."""
        return F(source)

    def json_sql(self, column: Callable[[str], Any]) -> Any:
        """Return the expression of the value in a `NestedList`; `column` returns that of a path."""
        source = str(self.source).replace(".", "__")
        if self.columns is not None:
            raise NotImplementedError(f"{type(self).__name__} cannot be in a nested list.")
        return self.sql(source)


class OptionalText(SqlField):
    """What text fields that may be empty share: stored as '', shown as null, null taken as ''."""

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        """Take null as nothing."""
        if data is None and self.allow_null:
            return (True, "")
        return super().validate_empty_values(data)

    def sql(self, source: str) -> Any:
        """Return the SQL that reads the column."""
        return NullIf(F(source), Value(""), output_field=TextField()) if self.allow_null else F(source)


class LineField(serializers.CharField):
    """Text of one line, such as a name: a line break becomes a blank, other control characters are refused."""

    default_validators = [no_controls]

    def to_internal_value(self, data: Any) -> str:
        """Return it in one line."""
        return one_line(super().to_internal_value(data))


class OptionalCharField(OptionalText, LineField):
    """Optional text of one line."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**(OPTIONAL | kwargs))


class OptionalTextField(OptionalText, serializers.CharField):
    """Optional text of any number of lines."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**(OPTIONAL | kwargs))


class OptionalEmailField(OptionalText, serializers.EmailField):
    """An optional e-mail address."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**(OPTIONAL | {"max_length": 254} | kwargs))


class OptionalURLField(OptionalCharField):
    """An optional web address (`crm.core.web_addresses`)."""

    default_validators = [web_address]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"max_length": web_addresses.LONGEST} | kwargs))


class OptionalChoiceField(OptionalText, serializers.ChoiceField):
    """One of a model's choices."""

    def __init__(self, choices: Any, **kwargs: Any) -> None:
        pairs = choices.choices if hasattr(choices, "choices") else choices
        super().__init__(choices=pairs, **({"required": False} | kwargs))


class TextListField(serializers.ListField):
    """A list of short texts, such as tags: trimmed, each once, in the order given."""

    def __init__(self, *, longest: int = 60, most: int = 100, **kwargs: Any) -> None:
        child = LineField(max_length=longest)
        super().__init__(child=child, max_length=most, **({"required": False} | kwargs))

    def to_internal_value(self, data: Any) -> list[str]:
        """Return the texts without repeats."""
        if isinstance(data, list) and not all(isinstance(text, str) for text in data):
            raise serializers.ValidationError(NOT_TEXT)
        return list(dict.fromkeys(super().to_internal_value(data)))


class JSONObjectField(serializers.Field):
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


class SqlValueField(SqlField):
    """A read-only value that SQL computes: an expression, and the field that describes it in the schema."""

    def __init__(self, expression: Any, response_schema: serializers.Field, **kwargs: Any) -> None:
        self.expression, self.response_schema = expression, response_schema
        super().__init__(read_only=True, **kwargs)

    def sql(self, source: str) -> Any:
        """Return the expression."""
        return self.expression


class PythonValueField(SqlField):
    """A read-only value made in Python from columns or expressions: for what SQL cannot say."""

    def __init__(
        self,
        columns: tuple[Any, ...],
        from_row: Callable[..., Any],
        response_schema: serializers.Field,
        **kwargs: Any,
    ) -> None:
        self.columns, self.from_row, self.response_schema = columns, from_row, response_schema
        super().__init__(read_only=True, **kwargs)


class AmountField(SqlField, serializers.DecimalField):
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

    def from_row(self, minor: int | None, currency: str) -> float | None:
        """Return major units."""
        return None if minor is None else money.to_major(minor, currency)

    def json_sql(self, column: Callable[[str], Any]) -> Any:
        """Return the SQL of major units."""
        return Major(*map(column, self.columns))


class MoneySerializer(Serializer):
    """An amount in minor units and the code of its currency."""

    amount = serializers.IntegerField()
    currency = serializers.CharField()


class MoneyField(SqlField):
    """Money as the Storefront shows it: `{"amount": minor units, "currency": code}`; null where there is none."""

    def __init__(self, *, currency: str = "currency", **kwargs: Any) -> None:
        self.currency = currency
        super().__init__(read_only=True, **kwargs)

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the amount and its currency."""
        return (str(self.source).replace(".", "__"), self.currency)

    @property
    def response_schema(self) -> serializers.Serializer:
        """Return what describes it in the schema."""
        return MoneySerializer()

    def from_row(self, minor: int | None, currency: str) -> dict[str, Any] | None:
        """Return the object."""
        return None if minor is None else {"amount": minor, "currency": currency}

    def json_sql(self, column: Callable[[str], Any]) -> Any:
        """Return the SQL of the object; the amount is always there."""
        amount, currency = map(column, self.columns)
        return json_object({"amount": amount, "currency": currency})


class FloatField(SqlField, serializers.DecimalField):
    """A decimal shown as a JSON number."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the column itself."""
        return (str(self.source).replace(".", "__"),)

    def from_row(self, value: str | None) -> float | None:
        """Return the number."""
        return None if value is None else float(value)


class NestedList(SqlField):
    """The rows of `model` whose reference `key` is the row shown, as one JSON list; times are no part of them.

    In the serializer's fields a column of the row shown is named by its path from there: `order__currency`.
    """

    def __init__(
        self, serializer: type[Serializer], model: type[Model], key: str, *, order: Sequence[str], **kwargs: Any
    ) -> None:
        self.serializer, self.model, self.key, self.order = serializer, model, key, order
        self.response_schema = serializer(many=True)
        super().__init__(read_only=True, **kwargs)

    def sql(self, source: str) -> Any:
        """Return the SQL of the list."""
        row = json_object({key: self._value(field) for key, field in self.serializer().fields.items()})
        children = self.model._base_manager.filter(  # noqa: SLF001 - by the organization and id of the row shown
            organization_id=OuterRef("organization_id"), **{f"{self.key}_id": OuterRef("pk")}
        )
        listed = children.order_by().values(f"{self.key}_id").annotate(listed=JsonList(row, self.order))
        return Coalesce(Subquery(listed.values("listed")), literal("'[]'::json"), output_field=JSONField())

    def _value(self, field: Any) -> Any:
        if isinstance(field, SqlField):
            return field.json_sql(self._column)
        return self._column(str(field.source).replace(".", "__"))

    def _column(self, name: str) -> Any:
        owner, _, column = name.partition("__")
        return OuterRef(column) if column and owner == self.key else F(name)
