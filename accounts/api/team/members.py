"""Settings on the Team surface: organization, own profile and password, members, system."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from rest_framework import serializers

from accounts.api.resources import Members
from accounts.api.shapes import OrganizationFields, ProfileFields, RoleField, StatusField, UserFields, roles_on
from accounts.models import Organization, User
from accounts.services import passwords, settings, users
from crm.api.permissions import MEMBER
from crm.api.resources import query_of
from crm.api.routes import route
from crm.api.schema import describes
from crm.api.shapes import CamelShape, Computed
from crm.api.team import TEAM
from crm.api.views import ApiView
from crm.core.actor import Actor


class TeamOrganization(OrganizationFields, CamelShape):
    """The organization in camelCase."""


class TeamProfile(ProfileFields, CamelShape):
    """The signed-in user."""

    email = serializers.EmailField(read_only=True)
    full_name = serializers.CharField(read_only=True)
    role = RoleField("team", read_only=True)
    roles = roles_on("team")
    email_verified = Computed(Q(email_verified_at__isnull=False), serializers.BooleanField())
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)


class TeamMember(UserFields, CamelShape):
    """A member of the team."""

    preferences = None  # type: ignore[assignment]  # a member's own affair
    role = RoleField("team")
    roles = roles_on("team")
    status = StatusField()
    is_active = serializers.BooleanField(read_only=True)


class MemberChange(CamelShape):
    """What an owner may change of another member."""

    role = RoleField("team")
    status = StatusField()


class PasswordChange(CamelShape):
    """The present password, and the new one twice."""

    current_password = serializers.CharField(max_length=128, trim_whitespace=False)
    new_password = serializers.CharField(max_length=128, trim_whitespace=False)
    confirm_password = serializers.CharField(max_length=128, trim_whitespace=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Compare the two."""
        if attrs.pop("confirm_password") != attrs["new_password"]:
            raise serializers.ValidationError({"confirmPassword": ["This is not the new password."]})
        return attrs


class TeamSettings(ApiView):
    """`/settings/organization`, `/settings/profile`, `/settings/password`, `/settings/system`."""

    surface = TEAM
    guarded = frozenset({"change_password"})
    permissions = {
        "organization": "organization:view",
        "update_organization": "organization:update",
        "profile": MEMBER,
        "update_profile": MEMBER,
        "change_password": MEMBER,
        "system": "system:view",
    }

    def input_shape(self) -> Any:
        """Return the shape of bodies."""
        return {
            "update_organization": TeamOrganization,
            "update_profile": TeamProfile,
            "change_password": PasswordChange,
        }.get(self.action)

    @describes(answer=TeamOrganization)
    def organization(self, request: Any) -> HttpResponse:
        """Show the organization's profile."""
        found = query_of(Organization, TeamOrganization).one(
            self.actor, settings.own_organization, self.actor.organization_id, cache_key="own"
        )
        return self.answer(found)

    @describes(body=TeamOrganization, answer=TeamOrganization, partial=True)
    def update_organization(self, request: Any) -> HttpResponse:
        """Change the organization's profile."""
        settings.update_organization(self.actor, settings.own_organization(self.actor).get(), **self.read(partial=True))
        return self.organization(request)

    @describes(answer=TeamProfile)
    def profile(self, request: Any) -> HttpResponse:
        """Show the signed-in user."""
        found = query_of(User, TeamProfile).one(
            self.actor,
            User.objects.of,
            self.actor.user_id,  # type: ignore[arg-type]  # a signed-in actor is somebody
            cache_key="self",
        )
        return self.answer(found)

    @describes(body=TeamProfile, answer=TeamProfile, partial=True)
    def update_profile(self, request: Any) -> HttpResponse:
        """Change the signed-in user's own profile."""
        user = User.objects.of(self.actor).get(pk=self.actor.user_id)
        users.update_user(self.actor, user, **self.read(partial=True))
        return self.profile(request)

    @describes(body=PasswordChange, answer={"message": str})
    def change_password(self, request: Any) -> HttpResponse:
        """Change one's own password; all other sessions end."""
        passwords.change_own(self.actor, **self.read())
        return self.answer({"message": "Password changed successfully"})

    @describes(
        answer={
            "version": str,
            "uptime": int,
            "organization": dict,
            "counts": dict,
            "features": dict,
        }
    )
    def system(self, request: Any) -> HttpResponse:
        """Show version, uptime in seconds, counts and feature flags."""
        return self.answer(_in_case(settings.system_info(self.actor, settings.own_organization(self.actor).get())))


class TeamMembers(Members):
    """`/settings/team`: for owners, and never about oneself."""

    surface = TEAM
    shape = TeamMember
    noun = "Member"
    permissions = {"list": "users:update"}

    def input_shape(self) -> type[CamelShape]:
        """Return the shape of bodies."""
        return MemberChange

    def details(self, actor: Actor) -> QuerySet[User]:
        """Return members; shoppers are not of the team."""
        return self.rows(actor)

    @describes(body=MemberChange, partial=True)
    def partial_update(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Change another member's role or status."""
        row = self.get_row(pk)
        users.require_other(self.actor, row)
        return self.shown(users.update_user(self.actor, row, **self.read(partial=True)))


def _in_case(told: dict[str, Any]) -> dict[str, Any]:
    return {TEAM.key(name): _in_case(value) if isinstance(value, dict) else value for name, value in told.items()}


urlpatterns = [
    route("settings/organization", TeamSettings, get="organization", patch="update_organization"),
    route("settings/profile", TeamSettings, get="profile", patch="update_profile"),
    route("settings/password", TeamSettings, patch="change_password"),
    route("settings/system", TeamSettings, get="system"),
    route("settings/team", TeamMembers, get="list"),
    route("settings/team/<uuid:pk>", TeamMembers, patch="partial_update", delete="destroy"),
]
