"""What companies, contacts and timelines look like, declared once in the domain's names; surfaces set the casing."""

from functools import cache
from typing import Any

from django.db.models import Case, F, JSONField, TextField, Value, When
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Coalesce, JSONObject, NullIf
from rest_framework import serializers

from accounts.services.names import LONGEST_PART, split_name
from contacts.models import Company, Contact, LeadStatus, LifecycleStage, Status, Temperature
from contacts.services.purchases import purchases
from contacts.services.timeline import ENTRIES
from crm.api.shapes import (
    Amount,
    Choice,
    Computed,
    Email,
    FreeObject,
    Line,
    LongText,
    Number,
    Shape,
    Text,
    TextList,
    WebAddress,
)
from crm.core.db.expressions import ShortChanges
from crm.core.models import Event, TimelineKind


class PersonRef(Shape):
    """A user, by id and name."""

    id = serializers.UUIDField(read_only=True)
    full_name = serializers.CharField(read_only=True)


class CompanyRef(Shape):
    """A company, by id and name."""

    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(read_only=True)


class DisplayName(serializers.CharField):
    """What a person is called where one name is shown: the full name, else the e-mail address."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)

    def expression(self, source: str) -> Any:
        """Return the SQL that reads it from the person beside whose id it stands."""
        person = source.removesuffix("name")
        full_name = NullIf(F(f"{person}full_name"), Value(""))
        return Coalesce(full_name, F(f"{person}email"), output_field=TextField())


class NamedPerson(Shape):
    """A user or contact, by id and name."""

    id = serializers.UUIDField(read_only=True)
    name = DisplayName()


class PostalAddress(Shape):
    """A postal address as people write it."""

    street = LongText(max_length=200)
    city = Text(max_length=100)
    state = Text(max_length=100)
    zip = Text(max_length=20)
    country = Text(max_length=60)


class AddressField(serializers.Field):
    """An address: checked against `PostalAddress` coming in, stored and shown as one JSON value with every part."""

    taken_as = shown_as = PostalAddress

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"required": False, "allow_null": True} | kwargs))

    def to_internal_value(self, data: Any) -> Any:
        """Return all parts, those left out or empty as null; an address without any is none."""
        given = PostalAddress.checked(data)
        parts = {name: given.get(name) or None for name in ("street", "city", "state", "zip", "country")}
        return parts if any(parts.values()) else None


class CompanyName(Line):
    """A company by name, found or made by the service; shown as `{id, name}`."""

    columns: tuple[str, ...] = ("company__id", "company__name")
    shown_as: type[serializers.Field] = CompanyRef

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"required": False, "allow_null": True, "allow_blank": True, "max_length": 200} | kwargs))

    def assemble(self, pk: str | None, name: str | None) -> Any:
        """Return the reference, or None."""
        return None if pk is None else {"id": pk, "name": name}


class PlainCompanyName(CompanyName):
    """The same, shown as the name alone."""

    columns = ("company__name",)
    shown_as = serializers.CharField

    def assemble(self, name: str | None) -> Any:  # type: ignore[override]
        """Return the name."""
        return name


class NameText(Text):
    """A name in one piece, as text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"max_length": 2 * LONGEST_PART + 1} | kwargs))


class WholeName(serializers.Field):
    """A person's name in one piece: split into first and last coming in, shown whole."""

    columns = ("full_name",)
    shown_as = taken_as = NameText

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

    def assemble(self, full_name: str) -> str | None:
        """Return the name; one that is empty is null."""
        return full_name or None


class Owned(Shape):
    """What companies and contacts show alike."""

    id = serializers.UUIDField(read_only=True)
    phone = Text(max_length=40)
    lifecycle_stage = Choice(LifecycleStage)
    tags = TextList()
    address = AddressField()
    owner_id = serializers.UUIDField(required=False, allow_null=True)
    owner = PersonRef(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)


class CompanyFields(Owned):
    """A company."""

    name = Line(max_length=200)
    website = WebAddress(max_length=300)
    industry = Text(max_length=100)
    tier = Text(max_length=60)
    country = Text(max_length=60)
    employee_count = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=2**31 - 1)
    annual_revenue = Amount(required=False, allow_null=True, min_value=0)

    class Meta:
        model = Company


class ContactFields(Owned):
    """A contact."""

    first_name = Text(max_length=LONGEST_PART)
    last_name = Text(max_length=LONGEST_PART)
    full_name = Text(read_only=True)
    email = Email()
    job_title = Text(max_length=150)
    company_id = serializers.UUIDField(required=False, allow_null=True)
    lead_status = Choice(LeadStatus)
    temperature = Choice(Temperature, allow_null=True, allow_blank=True)
    source = Text(max_length=100)  # type: ignore[assignment]  # a column of this name, not DRF's attribute
    status = Choice(Status)
    notes = LongText(max_length=20_000)
    custom_fields = FreeObject(required=False)
    do_not_contact = serializers.BooleanField(required=False)
    rating = Number(max_digits=2, decimal_places=1, min_value=0, max_value=5, required=False, allow_null=True)
    avatar = WebAddress(read_only=True)
    dedupe_hash = serializers.CharField(read_only=True)
    last_contacted_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = Contact


class CustomerFields(Shape):
    """A contact as a customer: one name, the company by its name, and what was bought."""

    id = serializers.UUIDField(read_only=True)
    name = WholeName()
    email = Email()
    phone = Text(max_length=40)
    company = PlainCompanyName()
    status = Choice(Status)
    rating = Number(max_digits=2, decimal_places=1, min_value=0, max_value=5, required=False, allow_null=True)
    total_orders = Computed(purchases().total_orders(), serializers.IntegerField())
    total_value = Computed(purchases().total_value(), serializers.FloatField())
    address = AddressField()
    tags = TextList()
    notes = LongText(max_length=20_000)
    last_contact = serializers.DateTimeField(source="last_contacted_at", read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = Contact

    @classmethod
    @cache
    def key_of(cls, name: str) -> str:
        """Name the one field that both parts of a name come from."""
        return "name" if name in {"first_name", "last_name"} else super().key_of(name)


# An event's metadata, with what changed in it where anything did: `{"changes": {field: {"from", "to"}}}`.
METADATA = Case(
    When(changes=Value({}, JSONField()), then=F("metadata")),
    default=CombinedExpression(
        F("metadata"), "||", JSONObject(changes=ShortChanges("changes")), output_field=JSONField()
    ),
    output_field=JSONField(),
)


class TimelineEntry(Shape):
    """An event on a contact's timeline."""

    id = serializers.UUIDField(read_only=True)
    type = serializers.ChoiceField(source="kind", choices=TimelineKind.choices, read_only=True)
    title = serializers.CharField(read_only=True)
    content = Text(read_only=True)
    actor = NamedPerson(read_only=True)
    metadata = Computed(METADATA, serializers.DictField())
    occurred_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = Event


class NewEntry(Shape):
    """What people write onto a timeline."""

    type = serializers.ChoiceField(source="kind", choices=[(kind.value, kind.label) for kind in ENTRIES])
    content = LongText(max_length=20_000)
    occurred_at = serializers.DateTimeField(required=False, allow_null=True)
