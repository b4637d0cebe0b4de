"""Fields of the back office's forms that take what the columns of `crm.core.fields` hold."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput

from crm.core.characters import no_controls, one_line
from crm.core.errors import DomainError
from crm.core.strict_json import read_object


class LineFormField(forms.CharField):
    """Text of one line."""

    default_validators = [no_controls]

    def to_python(self, value: Any) -> Any:
        """Return it in one line."""
        return one_line(super().to_python(value) or "")


class FreeObjectFormField(forms.JSONField):
    """A JSON object, read as strictly as a body of the API; nothing written is an empty one."""

    def to_python(self, value: Any) -> Any:
        """Return the object, or refuse what is none or cannot be stored."""
        text = value if isinstance(value, str) else json.dumps(value or {})
        try:
            return read_object(text.strip().encode())
        except DomainError as refusal:
            reason = " ".join(refusal.details.values())
            raise ValidationError(reason or "Enter a JSON object.") from refusal

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return what the page shows again: as it was written where it is refused."""
        try:
            self.to_python(data)
        except ValidationError:
            return InvalidJSONInput(data)
        return super().bound_data(data, initial)
