"""Signing in and out on the Team surface, and invitations to the team."""

from datetime import datetime
from typing import Any
from uuid import UUID

import django_filters
from django.db.models import Case, CharField, Q, QuerySet, Value, When
from django.db.models.functions import Now
from django.http import HttpResponse
from rest_framework import serializers

from accounts.api.shapes import OrganizationRef, RoleField, RoleNameField
from accounts.api.shapes_auth import LONGEST_SLUG, Address, Credentials, Joining, NewPassword, Refresh, Verification
from accounts.api.signing import Signing
from accounts.models import Invitation, User
from accounts.permissions import shown_codes
from accounts.services import invitations
from accounts.services.sessions import SignIn
from crm.api.filters import Filters
from crm.api.permissions import MEMBER
from crm.api.resources import Resource, query_of
from crm.api.responses import json_response
from crm.api.routes import route
from crm.api.schema import describes
from crm.api.shapes import CamelShape, Computed, Text, WebAddress
from crm.api.team import TEAM

STATUSES = {
    "accepted": Q(accepted_at__isnull=False),
    "revoked": Q(accepted_at=None, revoked_at__isnull=False),
    "expired": Q(accepted_at=None, revoked_at=None, expires_at__lte=Now()),
    "pending": Q(accepted_at=None, revoked_at=None, expires_at__gt=Now()),
}


class TeamUser(CamelShape):
    """The user who signed in."""

    id = serializers.UUIDField(read_only=True)
    email = serializers.EmailField(read_only=True)
    first_name = Text(read_only=True)
    last_name = Text(read_only=True)
    full_name = serializers.CharField(read_only=True)
    role = RoleField("team", read_only=True)
    phone = Text(read_only=True)
    avatar = WebAddress(read_only=True)
    timezone = serializers.CharField(read_only=True)
    language = serializers.CharField(read_only=True)
    organization = OrganizationRef(read_only=True)


class TeamAddress(Address, CamelShape):
    """An address; `organization` is a slug."""

    organization = Text(max_length=LONGEST_SLUG, source="slug")


class TeamCredentials(Credentials, CamelShape):
    """Address and password; `organization` is a slug, needed only where both fit in several."""

    organization = Text(max_length=LONGEST_SLUG, source="slug")


class TeamRefresh(Refresh, CamelShape):
    """A refresh token."""


class TeamJoining(Joining, CamelShape):
    """The acceptance of an invitation, by name in one or in two parts."""

    aliases = {"name": "fullName"}


class TeamNewPassword(NewPassword, CamelShape):
    """A new password by a mailed link."""


class TeamVerification(Verification, CamelShape):
    """A mailed token that proves an address; who is not signed in gives the account's password, or a new one."""


class TeamSigning(Signing):
    """`/auth`."""

    surface = TEAM
    permissions = {"logout": MEMBER, "me": MEMBER, "resend_verification": MEMBER}
    user_shape = TeamUser
    login_body = TeamCredentials
    refresh_body = TeamRefresh
    accept_invitation_body = TeamJoining
    forgot_password_body = TeamAddress
    reset_password_body = TeamNewPassword
    verify_email_body = TeamVerification
    signed_in_form = {
        "success": bool,
        "access_token": str,
        "refresh_token": str,
        "expires_at": datetime,
        "user": TeamUser,
    }

    def signed_in(self, sign_in: SignIn, status: int = 200) -> HttpResponse:
        """Answer at the top level, as the document shows it."""
        return json_response({"success": True, **_tokens(sign_in), "user": self.user_of(sign_in)}, status)

    @describes(body=TeamCredentials, answer="signed_in_form", bare=True, errors=(401, 403, 409))
    def login(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Sign in with e-mail address and password."""
        return super().login(request, **kwargs)

    @describes(body=TeamJoining, answer="signed_in_form", bare=True, status=201, errors=(409,))
    def accept_invitation(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Join by an invitation and sign in."""
        return super().accept_invitation(request, **kwargs)

    @describes(
        body=TeamRefresh,
        answer={"access_token": str, "refresh_token": str, "expires_at": datetime},
        errors=(401, 429),
    )
    def refresh(self, request: Any) -> HttpResponse:
        """Exchange a refresh token for a new pair; the old one used again ends the session."""
        return self.answer(_tokens(self.refreshed(self.read()["refresh_token"], rotates=True)))

    @describes(answer={"message": str})
    def logout(self, request: Any) -> HttpResponse:
        """End this session."""
        self.end_session()
        return self.answer({"message": "Successfully logged out"})

    @describes(answer=TeamUser, adds={"permissions": [str]})
    def me(self, request: Any) -> HttpResponse:
        """Show the signed-in user and what they may do."""
        user = query_of(User, TeamUser).one(self.actor, User.objects.of, self.actor.user_id, cache_key="me")  # type: ignore[arg-type]  # signed in
        return self.answer({**(user or {}), "permissions": shown_codes(self.actor.permissions)})


class Inviter(CamelShape):
    """Who invited."""

    id = serializers.UUIDField(read_only=True)
    full_name = serializers.CharField(read_only=True)


class TeamInvitation(CamelShape):
    """An invitation."""

    id = serializers.UUIDField(read_only=True)
    email = serializers.EmailField(read_only=True)
    role = RoleNameField("team", source="role.name", read_only=True)
    status = Computed(
        Case(*(When(when, then=Value(word)) for word, when in STATUSES.items()), output_field=CharField()),
        serializers.ChoiceField(choices=list(STATUSES)),
    )
    invited_by = Inviter(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    expires_at = serializers.DateTimeField(read_only=True)
    accepted_at = serializers.DateTimeField(read_only=True, allow_null=True)
    revoked_at = serializers.DateTimeField(read_only=True, allow_null=True)


class Invite(CamelShape):
    """Whom to invite, as what."""

    email = serializers.EmailField(max_length=254)
    role = RoleField("team", required=True)


class InvitationFilters(Filters):
    """Filters of the list of invitations."""

    status = django_filters.ChoiceFilter(choices=[(word, word) for word in STATUSES], method="standing")

    def standing(self, rows: QuerySet[Invitation], name: str, value: str) -> QuerySet[Invitation]:
        """Keep one status."""
        return rows.filter(STATUSES[value])


class TeamInvitations(Resource):
    """`/auth/invite` and `/auth/invitations`: for who may invite."""

    surface = TEAM
    resource = "invitations"
    permissions = {"list": "invitations:create", "resend": "invitations:create"}
    model = Invitation
    noun = "Invitation"
    plural = "invitations"
    shape = TeamInvitation
    body_shape = Invite
    filters = InvitationFilters
    orders = {"created_at": "created_at", "expires_at": "expires_at", "email": "email_normalized"}
    creates = invitations.invite
    deletes = invitations.revoke

    @describes(errors=(429,))
    def create(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Invite an address to the team, within the limits on mails."""
        return super().create(request, **kwargs)

    @describes(answer=TeamInvitation, errors=(429,))
    def resend(self, request: Any, pk: UUID) -> HttpResponse:
        """Mail an invitation again, with seven new days."""
        return self.shown(invitations.resend(self.actor, self.get_row(pk)))


def _tokens(sign_in: SignIn) -> dict[str, Any]:
    return {
        "accessToken": sign_in.access_token,
        "refreshToken": sign_in.refresh_token,
        "expiresAt": sign_in.expires_at,
    }


urlpatterns = [
    route("auth/login", TeamSigning, post="login"),
    route("auth/refresh", TeamSigning, post="refresh"),
    route("auth/logout", TeamSigning, post="logout"),
    route("auth/me", TeamSigning, get="me"),
    route("auth/forgot-password", TeamSigning, post="forgot_password"),
    route("auth/reset-password", TeamSigning, post="reset_password"),
    route("auth/verify-email", TeamSigning, post="verify_email"),
    route("auth/resend-verification", TeamSigning, post="resend_verification"),
    route("auth/accept-invitation", TeamSigning, post="accept_invitation"),
    route("auth/invite", TeamInvitations, post="create"),
    route("auth/invitations", TeamInvitations, get="list"),
    route("auth/invitations/<uuid:pk>", TeamInvitations, delete="destroy"),
    route("auth/invitations/<uuid:pk>/resend", TeamInvitations, post="resend"),
]
