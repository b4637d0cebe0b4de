"""Columns that hold what they are meant to hold, whichever way a value comes: bodies, forms, commands.

The database knows them by the columns they stand on, so that none of them is a migration.
"""

from typing import Any

from django.db import models

from crm.core.characters import as_line, no_controls
from crm.core.form_fields import FreeObjectFormField, LineFormField
from crm.core.free_objects import free_object
from crm.core.web_addresses import web_address


class LineField(models.CharField):
    """Text of one line, such as a name; whatever comes another way than by a body or form is made one."""

    default_validators = [no_controls]

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001 - Django's signature
        """Return the value as it is stored, and let the row hold it so."""
        value = self.get_prep_value(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value

    def get_prep_value(self, value: Any) -> Any:
        """Return text in one line."""
        value = super().get_prep_value(value)
        return as_line(value) if isinstance(value, str) else value

    def formfield(self, **kwargs: Any) -> Any:
        """Return the form's field, which makes one line of what is pasted."""
        return super().formfield(**({"form_class": LineFormField} | kwargs))

    def deconstruct(self) -> Any:
        """Return the plain column that it is in the database."""
        return _as(models.CharField, super().deconstruct())


class WebAddressField(models.CharField):
    """A web address (`crm.core.web_addresses`), or nothing."""

    default_validators = [web_address]

    def deconstruct(self) -> Any:
        """Return the plain column that it is in the database."""
        return _as(models.CharField, super().deconstruct())


class FreeObjectField(models.JSONField):
    """A JSON object of the customers' own (`crm.core.free_objects`)."""

    default_validators = [free_object]

    def formfield(self, **kwargs: Any) -> Any:
        """Return the form's field, which takes an object only."""
        return super().formfield(**({"form_class": FreeObjectFormField} | kwargs))

    def deconstruct(self) -> Any:
        """Return the plain column that it is in the database."""
        return _as(models.JSONField, super().deconstruct())


def _as(column: type[models.Field], deconstructed: Any) -> Any:
    name, _, args, kwargs = deconstructed
    return name, f"django.db.models.{column.__name__}", args, kwargs
