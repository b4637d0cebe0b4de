"""What a customer looks like: a contact with what it has bought."""

from functools import cache

from rest_framework import serializers

from commerce.services import customers
from contacts.api.serializers import AddressField, PlainCompanyName, WholeName
from contacts.models import Contact, Status
from crm.api.fields import (
    FloatField,
    OptionalCharField,
    OptionalChoiceField,
    OptionalEmailField,
    OptionalTextField,
    SqlValueField,
    TextListField,
)
from crm.api.serializers import Serializer


class CustomerFieldsSerializer(Serializer):
    """A contact as a customer: one name, the company by its name, and what was bought."""

    id = serializers.UUIDField(read_only=True)
    name = WholeName()
    email = OptionalEmailField()
    phone = OptionalCharField(max_length=40)
    company = PlainCompanyName()
    status = OptionalChoiceField(Status)
    rating = FloatField(max_digits=2, decimal_places=1, min_value=0, max_value=5, required=False, allow_null=True)
    total_orders = SqlValueField(customers.total_orders(), serializers.IntegerField())
    total_value = SqlValueField(customers.total_value(), serializers.FloatField())
    address = AddressField()
    tags = TextListField()
    notes = OptionalTextField(max_length=20_000)
    last_contact = serializers.DateTimeField(source="last_contacted_at", read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = Contact

    @classmethod
    @cache
    def wire_name(cls, name: str) -> str:
        """Name the one field that both parts of a name come from."""
        return "name" if name in {"first_name", "last_name"} else super().wire_name(name)
