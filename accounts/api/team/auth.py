"""Signing in and out on the Team surface, and invitations to the team."""

from datetime import datetime
from typing import Any
from uuid import UUID

import django_filters
from django.db.models import Case, CharField, Q, QuerySet, Value, When
from django.db.models.functions import Now
from django.http import HttpResponse
from rest_framework import serializers

from accounts.api.auth_serializers import (
    LONGEST_SLUG,
    AddressSerializer,
    CredentialsSerializer,
    JoiningSerializer,
    NewPasswordSerializer,
    RefreshSerializer,
    VerificationSerializer,
)
from accounts.api.auth_viewsets import AuthViewSet
from accounts.api.serializers import OrganizationRefSerializer, RoleField, RoleNameField
from accounts.models import Invitation, User
from accounts.permissions import shown_codes
from accounts.services import invitations
from accounts.services.sessions import SignIn
from crm.api.fields import OptionalCharField, OptionalURLField, SqlValueField
from crm.api.filtersets import FilterSet
from crm.api.permissions import MEMBER
from crm.api.renderers import json_response
from crm.api.routers import route
from crm.api.schema import extend_schema
from crm.api.serializers import Serializer
from crm.api.team import TEAM
from crm.api.viewsets import ResourceViewSet, Services

STATUSES = {
    "accepted": Q(accepted_at__isnull=False),
    "revoked": Q(accepted_at=None, revoked_at__isnull=False),
    "expired": Q(accepted_at=None, revoked_at=None, expires_at__lte=Now()),
    "pending": Q(accepted_at=None, revoked_at=None, expires_at__gt=Now()),
}


class TeamUserSerializer(Serializer):
    """The user who signed in."""

    id = serializers.UUIDField(read_only=True)
    email = serializers.EmailField(read_only=True)
    first_name = OptionalCharField(read_only=True)
    last_name = OptionalCharField(read_only=True)
    full_name = serializers.CharField(read_only=True)
    role = RoleField("team", read_only=True)
    phone = OptionalCharField(read_only=True)
    avatar = OptionalURLField(read_only=True)
    timezone = serializers.CharField(read_only=True)
    language = serializers.CharField(read_only=True)
    organization = OrganizationRefSerializer(read_only=True)


class TeamAddressSerializer(AddressSerializer):
    """An address; `organization` is a slug."""

    organization = OptionalCharField(max_length=LONGEST_SLUG, source="slug")


class TeamCredentialsSerializer(CredentialsSerializer):
    """Address and password; `organization` is a slug, needed only where both fit in several."""

    organization = OptionalCharField(max_length=LONGEST_SLUG, source="slug")


class TeamRefreshSerializer(RefreshSerializer):
    """A refresh token."""


class TeamJoiningSerializer(JoiningSerializer):
    """The acceptance of an invitation, by name in one or in two parts."""

    aliases = {"name": "fullName"}


class TeamNewPasswordSerializer(NewPasswordSerializer):
    """A new password by a mailed link."""


class TeamVerificationSerializer(VerificationSerializer):
    """A mailed token that proves an address; who is not signed in gives the account's password, or a new one."""


class TeamAuthViewSet(AuthViewSet):
    """`/auth`."""

    surface = TEAM
    permissions = {"logout": MEMBER, "me": MEMBER, "resend_verification": MEMBER}
    user_shape = TeamUserSerializer
    login_body = TeamCredentialsSerializer
    refresh_body = TeamRefreshSerializer
    accept_invitation_body = TeamJoiningSerializer
    forgot_password_body = TeamAddressSerializer
    reset_password_body = TeamNewPasswordSerializer
    verify_email_body = TeamVerificationSerializer
    signed_in_form = {
        "success": bool,
        "access_token": str,
        "refresh_token": str,
        "expires_at": datetime,
        "user": TeamUserSerializer,
    }

    def signed_in(self, sign_in: SignIn, status: int = 200) -> HttpResponse:
        """Answer at the top level, as the document shows it."""
        return json_response({"success": True, **_tokens(sign_in), "user": self.user_of(sign_in)}, status)

    @extend_schema(
        request=TeamCredentialsSerializer, response="signed_in_form", unwrapped=True, error_statuses=(401, 403, 409)
    )
    def login(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Sign in with e-mail address and password."""
        return super().login(request, **kwargs)

    @extend_schema(
        request=TeamJoiningSerializer, response="signed_in_form", unwrapped=True, status=201, error_statuses=(409,)
    )
    def accept_invitation(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Join by an invitation and sign in."""
        return super().accept_invitation(request, **kwargs)

    @extend_schema(
        request=TeamRefreshSerializer,
        response={"access_token": str, "refresh_token": str, "expires_at": datetime},
        error_statuses=(401, 429),
    )
    def refresh(self, request: Any) -> HttpResponse:
        """Exchange a refresh token for a new pair; the old one used again ends the session."""
        return self.respond(_tokens(self.refreshed(self.validate()["refresh_token"], rotates=True)))

    @extend_schema(response={"message": str})
    def logout(self, request: Any) -> HttpResponse:
        """End this session."""
        self.end_session()
        return self.respond({"message": "Successfully logged out"})

    @extend_schema(response=TeamUserSerializer, extra={"permissions": [str]})
    def me(self, request: Any) -> HttpResponse:
        """Show the signed-in user and what they may do."""
        user = self.query(TeamUserSerializer, User).one(self.actor, User.objects.of, self.actor.user_id, cache_key="me")  # type: ignore[arg-type]  # signed in
        return self.respond({**(user or {}), "permissions": shown_codes(self.actor.permissions)})


class InviterSerializer(Serializer):
    """Who invited."""

    id = serializers.UUIDField(read_only=True)
    full_name = serializers.CharField(read_only=True)


class TeamInvitationSerializer(Serializer):
    """An invitation."""

    id = serializers.UUIDField(read_only=True)
    email = serializers.EmailField(read_only=True)
    role = RoleNameField("team", source="role.name", read_only=True)
    status = SqlValueField(
        Case(*(When(when, then=Value(word)) for word, when in STATUSES.items()), output_field=CharField()),
        serializers.ChoiceField(choices=list(STATUSES)),
    )
    invited_by = InviterSerializer(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    expires_at = serializers.DateTimeField(read_only=True)
    accepted_at = serializers.DateTimeField(read_only=True, allow_null=True)
    revoked_at = serializers.DateTimeField(read_only=True, allow_null=True)


class InviteSerializer(Serializer):
    """Whom to invite, as what."""

    email = serializers.EmailField(max_length=254)
    role = RoleField("team", required=True)


class InvitationFilterSet(FilterSet):
    """Filters of the list of invitations."""

    status = django_filters.ChoiceFilter(choices=[(word, word) for word in STATUSES], method="with_status")

    def with_status(self, rows: QuerySet[Invitation], name: str, value: str) -> QuerySet[Invitation]:
        """Keep one status."""
        return rows.filter(STATUSES[value])


class TeamInvitationViewSet(ResourceViewSet):
    """`/auth/invite` and `/auth/invitations`: for who may invite."""

    surface = TEAM
    permission_resource = "invitations"
    permissions = {"list": "invitations:create", "resend": "invitations:create"}
    model = Invitation
    verbose_name = "Invitation"
    verbose_name_plural = "invitations"
    serializer_class = TeamInvitationSerializer
    input_serializer_class = InviteSerializer
    filterset_class = InvitationFilterSet
    ordering_fields = {"created_at": "created_at", "expires_at": "expires_at", "email": "email_normalized"}
    services = Services(create=invitations.invite, delete=invitations.revoke)

    @extend_schema(error_statuses=(429,))
    def create(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Invite an address to the team, within the limits on mails."""
        return super().create(request, **kwargs)

    @extend_schema(response=TeamInvitationSerializer, error_statuses=(429,))
    def resend(self, request: Any, pk: UUID) -> HttpResponse:
        """Mail an invitation again, with seven new days."""
        return self.respond_with(invitations.resend(self.actor, self.get_object(pk)))


def _tokens(sign_in: SignIn) -> dict[str, Any]:
    return {
        "accessToken": sign_in.access_token,
        "refreshToken": sign_in.refresh_token,
        "expiresAt": sign_in.expires_at,
    }


urlpatterns = [
    route("auth/login", TeamAuthViewSet, post="login"),
    route("auth/refresh", TeamAuthViewSet, post="refresh"),
    route("auth/logout", TeamAuthViewSet, post="logout"),
    route("auth/me", TeamAuthViewSet, get="me"),
    route("auth/forgot-password", TeamAuthViewSet, post="forgot_password"),
    route("auth/reset-password", TeamAuthViewSet, post="reset_password"),
    route("auth/verify-email", TeamAuthViewSet, post="verify_email"),
    route("auth/resend-verification", TeamAuthViewSet, post="resend_verification"),
    route("auth/accept-invitation", TeamAuthViewSet, post="accept_invitation"),
    route("auth/invite", TeamInvitationViewSet, post="create"),
    route("auth/invitations", TeamInvitationViewSet, get="list"),
    route("auth/invitations/<uuid:pk>", TeamInvitationViewSet, delete="destroy"),
    route("auth/invitations/<uuid:pk>/resend", TeamInvitationViewSet, post="resend"),
]
