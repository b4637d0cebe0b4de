"""Settings on the Team surface: organization, own profile and password, members, system."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from rest_framework import serializers

from accounts.api.serializers import (
    OrganizationFieldsSerializer,
    ProfileFieldsSerializer,
    RoleField,
    StatusField,
    UserFieldsSerializer,
    roles_on,
)
from accounts.api.viewsets import MemberViewSet
from accounts.models import Organization, User
from accounts.services import organizations, passwords, users
from crm.api.fields import SqlValueField
from crm.api.permissions import MEMBER
from crm.api.routers import route
from crm.api.schema import extend_schema
from crm.api.serializers import Serializer
from crm.api.team import TEAM
from crm.api.viewsets import ApiViewSet
from crm.core.actor import Actor


class TeamOrganizationSerializer(OrganizationFieldsSerializer):
    """The organization in camelCase."""


class TeamProfileSerializer(ProfileFieldsSerializer):
    """The signed-in user."""

    email = serializers.EmailField(read_only=True)
    full_name = serializers.CharField(read_only=True)
    role = RoleField("team", read_only=True)
    roles = roles_on("team")
    email_verified = SqlValueField(Q(email_verified_at__isnull=False), serializers.BooleanField())
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)


class TeamMemberSerializer(UserFieldsSerializer):
    """A member of the team."""

    preferences = None  # type: ignore[assignment]  # a member's own affair
    role = RoleField("team")
    roles = roles_on("team")
    status = StatusField()
    is_active = serializers.BooleanField(read_only=True)


class MemberChangeSerializer(Serializer):
    """What an owner may change of another member."""

    role = RoleField("team")
    status = StatusField()


class PasswordChangeSerializer(Serializer):
    """The present password, and the new one twice."""

    current_password = serializers.CharField(max_length=128, trim_whitespace=False)
    new_password = serializers.CharField(max_length=128, trim_whitespace=False)
    confirm_password = serializers.CharField(max_length=128, trim_whitespace=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Compare the two."""
        if attrs.pop("confirm_password") != attrs["new_password"]:
            raise serializers.ValidationError({"confirmPassword": ["This is not the new password."]})
        return attrs


class TeamSettingsViewSet(ApiViewSet):
    """`/settings/organization`, `/settings/profile`, `/settings/password`, `/settings/system`."""

    surface = TEAM
    strict_throttle = frozenset({"change_password"})
    permissions = {
        "organization": "organization:view",
        "update_organization": "organization:update",
        "profile": MEMBER,
        "update_profile": MEMBER,
        "change_password": MEMBER,
        "system": "system:view",
    }

    def get_input_serializer_class(self) -> Any:
        """Return the shape of bodies."""
        return {
            "update_organization": TeamOrganizationSerializer,
            "update_profile": TeamProfileSerializer,
            "change_password": PasswordChangeSerializer,
        }.get(self.action)

    @extend_schema(response=TeamOrganizationSerializer)
    def organization(self, request: Any) -> HttpResponse:
        """Show the organization's profile."""
        found = self.query(TeamOrganizationSerializer, Organization).one(
            self.actor, organizations.own_organization, self.actor.organization_id, cache_key="own"
        )
        return self.respond(found)

    @extend_schema(request=TeamOrganizationSerializer, response=TeamOrganizationSerializer, partial=True)
    def update_organization(self, request: Any) -> HttpResponse:
        """Change the organization's profile."""
        organizations.update_organization(
            self.actor, organizations.own_organization(self.actor).get(), **self.validate(partial=True)
        )
        return self.organization(request)

    @extend_schema(response=TeamProfileSerializer)
    def profile(self, request: Any) -> HttpResponse:
        """Show the signed-in user."""
        found = self.query(TeamProfileSerializer, User).one(
            self.actor,
            User.objects.of,
            self.actor.user_id,  # type: ignore[arg-type]  # a signed-in actor is somebody
            cache_key="self",
        )
        return self.respond(found)

    @extend_schema(request=TeamProfileSerializer, response=TeamProfileSerializer, partial=True)
    def update_profile(self, request: Any) -> HttpResponse:
        """Change the signed-in user's own profile."""
        user = User.objects.of(self.actor).get(pk=self.actor.user_id)
        users.update_user(self.actor, user, **self.validate(partial=True))
        return self.profile(request)

    @extend_schema(request=PasswordChangeSerializer, response={"message": str})
    def change_password(self, request: Any) -> HttpResponse:
        """Change one's own password; all other sessions end."""
        passwords.change_own(self.actor, **self.validate())
        return self.respond({"message": "Password changed successfully"})

    @extend_schema(
        response={
            "version": str,
            "uptime": int,
            "organization": dict,
            "counts": dict,
            "features": dict,
        }
    )
    def system(self, request: Any) -> HttpResponse:
        """Show version, uptime in seconds, counts and feature flags."""
        return self.respond(
            _in_case(organizations.system_info(self.actor, organizations.own_organization(self.actor).get()))
        )


class TeamMemberViewSet(MemberViewSet):
    """`/settings/team`: for owners, and never about oneself."""

    surface = TEAM
    serializer_class = TeamMemberSerializer
    verbose_name = "Member"
    permissions = {"list": "users:update"}

    def get_input_serializer_class(self) -> type[Serializer]:
        """Return the shape of bodies."""
        return MemberChangeSerializer

    def get_detail_queryset(self, actor: Actor) -> QuerySet[User]:
        """Return members; shoppers are not of the team."""
        return self.get_queryset(actor)

    @extend_schema(request=MemberChangeSerializer, partial=True)
    def partial_update(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Change another member's role or status."""
        row = self.get_object(pk)
        users.require_other(self.actor, row)
        return self.respond_with(users.update_user(self.actor, row, **self.validate(partial=True)))


def _in_case(details: dict[str, Any]) -> dict[str, Any]:
    return {TEAM.key(name): _in_case(value) if isinstance(value, dict) else value for name, value in details.items()}


urlpatterns = [
    route("settings/organization", TeamSettingsViewSet, get="organization", patch="update_organization"),
    route("settings/profile", TeamSettingsViewSet, get="profile", patch="update_profile"),
    route("settings/password", TeamSettingsViewSet, patch="change_password"),
    route("settings/system", TeamSettingsViewSet, get="system"),
    route("settings/team", TeamMemberViewSet, get="list"),
    route("settings/team/<uuid:pk>", TeamMemberViewSet, patch="partial_update", delete="destroy"),
]
