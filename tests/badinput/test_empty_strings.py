"""An empty text means null wherever a field takes null and no text."""

from typing import Any

import pytest
from rest_framework import serializers

from tests.badinput.declared import Declared, declared
from tests.conftest import Tenant


def takes_null(found: Declared) -> bool:
    """Whether the field may be null and is no text."""
    field = found.field
    is_text = isinstance(field, serializers.CharField) or getattr(field, "allow_blank", False)
    return bool(field.allow_null) and not field.read_only and not is_text and found.key in found.shape().fields


FIELDS = [found for found in declared() if takes_null(found)]


def outcome(found: Declared, value: Any) -> Any:
    """What the serializer makes of the value alone: the values, or the errors of this field."""
    try:
        return found.shape.validate_body({found.key: value}, partial=True)
    except serializers.ValidationError as error:
        return error.detail.get(found.key, "valid")


@pytest.mark.parametrize("found", FIELDS, ids=str)
def test_an_empty_text_is_null(found: Declared) -> None:
    assert outcome(found, "") == outcome(found, None)


def test_the_walk_covers_every_kind_of_field() -> None:
    kinds = {type(found.field) for found in FIELDS}
    for kind in (serializers.DecimalField, serializers.IntegerField, serializers.DateField, serializers.UUIDField):
        assert any(issubclass(found, kind) for found in kinds), kind


def test_over_http_each_kind_is_null(acme: Tenant, client_for: Any) -> None:
    platform = client_for(acme.owner, "platform")
    body = {"title": "Boat", "contact_id": "", "expected_close_date": "", "probability": "", "amount": ""}

    deal = platform.post("opportunities", body)
    contact = platform.post("contacts", {"first_name": "Ada", "rating": "", "account_id": ""})

    assert deal.status_code == 201, deal.content
    assert (deal.json()["contact_id"], deal.json()["expected_close_date"]) == (None, None)
    assert (contact.status_code, contact.json()["rating"]) == (201, None)
