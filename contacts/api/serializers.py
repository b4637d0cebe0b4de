"""What companies, contacts and timelines look like, declared once in the domain's names; surfaces set the casing."""

from typing import Any

from django.db.models import Case, F, JSONField, TextField, Value, When
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Coalesce, JSONObject, NullIf
from rest_framework import serializers

from accounts.services.names import LONGEST_PART, split_name
from contacts.models import Company, Contact, LeadStatus, LifecycleStage, Status, Temperature
from contacts.services.timeline import ENTRIES
from crm.api.fields import (
    AmountField,
    FloatField,
    JSONObjectField,
    LineField,
    OptionalCharField,
    OptionalChoiceField,
    OptionalEmailField,
    OptionalTextField,
    OptionalURLField,
    SqlField,
    SqlValueField,
    TextListField,
)
from crm.api.serializers import Serializer
from crm.core.db.expressions import ShortChanges
from crm.core.models import Event, TimelineKind


class PersonRefSerializer(Serializer):
    """A user, by id and name."""

    id = serializers.UUIDField(read_only=True)
    full_name = serializers.CharField(read_only=True)


class CompanyRefSerializer(Serializer):
    """A company, by id and name."""

    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(read_only=True)


class DisplayName(SqlField, serializers.CharField):
    """What a person is called where one name is shown: the full name, else the e-mail address."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)

    def sql(self, source: str) -> Any:
        """Return the SQL that reads it from the person beside whose id it stands."""
        person = source.removesuffix("name")
        full_name = NullIf(F(f"{person}full_name"), Value(""))
        return Coalesce(full_name, F(f"{person}email"), output_field=TextField())


class NamedPersonSerializer(Serializer):
    """A user or contact, by id and name."""

    id = serializers.UUIDField(read_only=True)
    name = DisplayName()


class PostalAddressSerializer(Serializer):
    """A postal address as people write it."""

    street = OptionalTextField(max_length=200)
    city = OptionalCharField(max_length=100)
    state = OptionalCharField(max_length=100)
    zip = OptionalCharField(max_length=20)
    country = OptionalCharField(max_length=60)


class AddressField(SqlField):
    """An address: its parts are checked coming in, stored and shown as one JSON value with every part."""

    request_schema = response_schema = PostalAddressSerializer

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"required": False, "allow_null": True} | kwargs))

    def to_internal_value(self, data: Any) -> Any:
        """Return all parts, those left out or empty as null; an address without any is none."""
        given = PostalAddressSerializer.validate_body(data)
        parts = {name: given.get(name) or None for name in ("street", "city", "state", "zip", "country")}
        return parts if any(parts.values()) else None


class CompanyName(SqlField, LineField):
    """A company by name, found or made by the service; shown as `{id, name}`."""

    columns: tuple[str, ...] = ("company__id", "company__name")
    response_schema: type[serializers.Field] = CompanyRefSerializer

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"required": False, "allow_null": True, "allow_blank": True, "max_length": 200} | kwargs))

    def from_row(self, pk: str | None, name: str | None) -> Any:
        """Return the reference, or None."""
        return None if pk is None else {"id": pk, "name": name}


class PlainCompanyName(CompanyName):
    """The same, shown as the name alone."""

    columns = ("company__name",)
    response_schema = serializers.CharField

    def from_row(self, name: str | None) -> Any:  # type: ignore[override]
        """Return the name."""
        return name


class NameText(OptionalCharField):
    """A name in one piece, as text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"max_length": 2 * LONGEST_PART + 1} | kwargs))


class WholeName(SqlField):
    """A person's name in one piece: split into first and last coming in, shown whole."""

    columns = ("full_name",)
    response_schema = request_schema = NameText

    def __init__(self, **kwargs: Any) -> None:
        given: dict[str, Any] = {"required": False, "allow_null": True, "source": "*"}
        super().__init__(**(given | kwargs))

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        """Take null as no name."""
        return (True, self.to_internal_value("")) if data is None else super().validate_empty_values(data)

    def to_internal_value(self, data: Any) -> Any:
        """Return the two parts."""
        text = NameText().run_validation(data)
        first, last = split_name(text, field="name")
        return {"first_name": first, "last_name": last}

    def from_row(self, full_name: str) -> str | None:
        """Return the name; one that is empty is null."""
        return full_name or None


class OwnedSerializer(Serializer):
    """What companies and contacts show alike."""

    id = serializers.UUIDField(read_only=True)
    phone = OptionalCharField(max_length=40)
    lifecycle_stage = OptionalChoiceField(LifecycleStage)
    tags = TextListField()
    address = AddressField()
    owner_id = serializers.UUIDField(required=False, allow_null=True)
    owner = PersonRefSerializer(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)


class CompanyFieldsSerializer(OwnedSerializer):
    """A company."""

    name = LineField(max_length=200)
    website = OptionalURLField(max_length=300)
    industry = OptionalCharField(max_length=100)
    tier = OptionalCharField(max_length=60)
    country = OptionalCharField(max_length=60)
    employee_count = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=2**31 - 1)
    annual_revenue = AmountField(required=False, allow_null=True, min_value=0)

    class Meta:
        model = Company


class ContactFieldsSerializer(OwnedSerializer):
    """A contact."""

    first_name = OptionalCharField(max_length=LONGEST_PART)
    last_name = OptionalCharField(max_length=LONGEST_PART)
    full_name = OptionalCharField(read_only=True)
    email = OptionalEmailField()
    job_title = OptionalCharField(max_length=150)
    company_id = serializers.UUIDField(required=False, allow_null=True)
    lead_status = OptionalChoiceField(LeadStatus)
    temperature = OptionalChoiceField(Temperature, allow_null=True, allow_blank=True)
    source = OptionalCharField(max_length=100)  # type: ignore[assignment]  # a column of this name, not DRF's attribute
    status = OptionalChoiceField(Status)
    notes = OptionalTextField(max_length=20_000)
    custom_fields = JSONObjectField(required=False)
    do_not_contact = serializers.BooleanField(required=False)
    rating = FloatField(max_digits=2, decimal_places=1, min_value=0, max_value=5, required=False, allow_null=True)
    avatar = OptionalURLField(read_only=True)
    dedupe_hash = serializers.CharField(read_only=True)
    last_contacted_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = Contact


# An event's metadata, with what changed in it where anything did: `{"changes": {field: {"from", "to"}}}`.
METADATA = Case(
    When(changes=Value({}, JSONField()), then=F("metadata")),
    default=CombinedExpression(
        F("metadata"), "||", JSONObject(changes=ShortChanges("changes")), output_field=JSONField()
    ),
    output_field=JSONField(),
)


class TimelineEntrySerializer(Serializer):
    """An event on a contact's timeline."""

    id = serializers.UUIDField(read_only=True)
    type = serializers.ChoiceField(source="kind", choices=TimelineKind.choices, read_only=True)
    title = serializers.CharField(read_only=True)
    content = OptionalCharField(read_only=True)
    actor = NamedPersonSerializer(read_only=True)
    metadata = SqlValueField(METADATA, serializers.DictField())
    occurred_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = Event


class NewEntrySerializer(Serializer):
    """What people write onto a timeline."""

    type = serializers.ChoiceField(source="kind", choices=[(kind.value, kind.label) for kind in ENTRIES])
    content = OptionalTextField(max_length=20_000)
    occurred_at = serializers.DateTimeField(required=False, allow_null=True)
