"""What users, organizations, roles and permissions look like, declared once in the domain's names."""

import re
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, CharField, F, OuterRef, QuerySet, Subquery, Value, When
from rest_framework import serializers

from accounts import role_names
from accounts.models import CompanySize, Language, UserRole
from accounts.services.names import LONGEST_PART
from crm.api.fields import (
    JSONObjectField,
    LineField,
    OptionalCharField,
    OptionalChoiceField,
    OptionalTextField,
    OptionalURLField,
    SqlField,
    SqlValueField,
)
from crm.api.serializers import Serializer

LONGEST_ROLE_NAME = 60
CODE_PART = re.compile(r"[a-z][a-z0-9_]*")


def code_part(value: str) -> None:
    """Take what can stand in `resource:action`."""
    if not CODE_PART.fullmatch(value):
        raise serializers.ValidationError("Use small letters, digits and underscores, beginning with a letter.")


def name_on(surface: str, column: str) -> Any:
    """Return the SQL that turns a built-in role's stored name into the surface's; `column` ends in `name`."""
    built_in = {f"{column.removesuffix('name')}is_built_in": True}
    names = [
        When(**built_in, **{column: ours}, then=Value(theirs)) for ours, theirs in role_names.NAMES[surface].items()
    ]
    return Case(*names, default=F(column), output_field=CharField())


def _held(surface: str) -> QuerySet[Any]:
    held = UserRole.objects.filter(organization_id=OuterRef("organization_id"), user_id=OuterRef("pk"))
    named = held.annotate(shown=name_on(surface, "role__name")).order_by("-role__rank", "role__name")
    return named.values("shown")


def roles_on(surface: str) -> SqlValueField:
    """Return the field of all roles that a user holds, the highest-ranking first."""
    return SqlValueField(ArraySubquery(_held(surface)), serializers.ListField(child=serializers.CharField()))


class RoleField(SqlField, LineField):
    """A user's highest-ranking role by the surface's name; a body names it so, or by its stored name."""

    def __init__(self, surface: str, **kwargs: Any) -> None:
        self.surface = surface
        super().__init__(**({"max_length": LONGEST_ROLE_NAME, "required": False} | kwargs))

    def to_internal_value(self, data: Any) -> str:
        """Return the stored name."""
        return role_names.stored(self.surface, super().to_internal_value(data))

    def sql(self, source: str) -> Any:
        """Return the SQL that finds it."""
        return Subquery(_held(self.surface)[:1])


class RoleNameField(SqlField, LineField):
    """A role's own name, shown by the surface's name for it."""

    def __init__(self, surface: str, **kwargs: Any) -> None:
        self.surface = surface
        super().__init__(**({"max_length": LONGEST_ROLE_NAME} | kwargs))

    def sql(self, source: str) -> Any:
        """Return the SQL that names it."""
        return name_on(self.surface, source)


class StatusField(SqlField, serializers.ChoiceField):
    """Whether a member is active, in a word."""

    def __init__(self, **kwargs: Any) -> None:
        options: dict[str, Any] = {"source": "is_active", "required": False} | kwargs
        super().__init__(choices=["active", "inactive"], **options)

    def to_internal_value(self, data: Any) -> Any:
        """Return whether it says active."""
        return super().to_internal_value(data) == "active"

    def sql(self, source: str) -> Any:
        """Return the SQL of the word."""
        return Case(When(**{source: True}, then=Value("active")), default=Value("inactive"), output_field=CharField())


class OrganizationRefSerializer(Serializer):
    """The organization that a user belongs to."""

    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(read_only=True)
    slug = serializers.CharField(read_only=True)
    timezone = serializers.CharField(read_only=True)
    currency = serializers.CharField(read_only=True)


class ProfileFieldsSerializer(Serializer):
    """What a user may change of themselves."""

    id = serializers.UUIDField(read_only=True)
    first_name = OptionalCharField(max_length=LONGEST_PART)
    last_name = OptionalCharField(max_length=LONGEST_PART)
    phone = OptionalCharField(max_length=20)
    avatar = OptionalURLField(max_length=500)
    timezone = LineField(max_length=60, required=False)
    language = OptionalChoiceField(Language)
    preferences = JSONObjectField(required=False)


class UserFieldsSerializer(ProfileFieldsSerializer):
    """A user."""

    email = serializers.EmailField(max_length=254, required=False)
    full_name = OptionalCharField(max_length=2 * LONGEST_PART + 1)
    is_active = serializers.BooleanField(required=False)
    is_invited = serializers.BooleanField(read_only=True)
    last_login_at = serializers.DateTimeField(source="last_login", read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)


class OrganizationFieldsSerializer(Serializer):
    """An organization's profile and settings."""

    id = serializers.UUIDField(read_only=True)
    name = LineField(max_length=200, required=False)
    slug = serializers.CharField(read_only=True)
    industry = OptionalCharField(max_length=100)
    employee_count = OptionalChoiceField(CompanySize, source="company_size", allow_null=True, allow_blank=True)
    website = OptionalURLField(max_length=300)
    contact_phone = OptionalCharField(max_length=20)
    address = OptionalTextField(max_length=500)
    timezone = LineField(max_length=60, required=False)
    currency = LineField(max_length=3, required=False)
    logo = OptionalURLField(max_length=500)
    settings = JSONObjectField(required=False)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)


class PermissionFieldsSerializer(Serializer):
    """A permission, `resource:action`."""

    id = serializers.UUIDField(read_only=True)
    name = LineField(max_length=80)
    resource = LineField(max_length=40, validators=[code_part])
    action = LineField(max_length=39, validators=[code_part])
    description = OptionalTextField(max_length=300, allow_null=False)
