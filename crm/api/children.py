"""Rows that hang on a row, such as an order's items: their shape becomes one JSON list in the row's own statement."""

from collections.abc import Sequence
from typing import Any

from django.db.models import F, JSONField, Model, OuterRef, Subquery
from django.db.models.functions import Coalesce
from rest_framework import serializers

from crm.api.shapes import Shape
from crm.core.db.expressions import JsonList, json_object, literal


class Children(serializers.Field):
    """The rows of `model` whose reference `key` is the row shown, each in `shape`; times are no part of them.

    In the shape's fields a column of the row shown is named by its way there: `order__currency`.
    """

    def __init__(
        self, shape: type[Shape], model: type[Model], key: str, *, order: Sequence[str], **kwargs: Any
    ) -> None:
        self.shape, self.model, self.key, self.order = shape, model, key, order
        self.shown_as = shape(many=True)
        super().__init__(read_only=True, **kwargs)

    def expression(self, source: str) -> Any:
        """Return the SQL of the list."""
        row = json_object({key: self._value(field) for key, field in self.shape().fields.items()})
        children = self.model._base_manager.filter(  # noqa: SLF001 - by the organization and id of the row shown
            organization_id=OuterRef("organization_id"), **{f"{self.key}_id": OuterRef("pk")}
        )
        listed = children.order_by().values(f"{self.key}_id").annotate(listed=JsonList(row, self.order))
        return Coalesce(Subquery(listed.values("listed")), literal("'[]'::json"), output_field=JSONField())

    def _value(self, field: Any) -> Any:
        if hasattr(field, "in_json"):
            return field.in_json(self._column)
        source = str(field.source).replace(".", "__")
        return field.expression(source) if hasattr(field, "expression") else self._column(source)

    def _column(self, name: str) -> Any:
        owner, _, column = name.partition("__")
        return OuterRef(column) if column and owner == self.key else F(name)
