"""Signing in and out on the Platform surface, and the registration of organizations."""

from typing import Any, NotRequired

from django.http import HttpResponse
from rest_framework import serializers

from accounts.api.shapes_auth import (
    LONGEST_FULL_NAME,
    LONGEST_SLUG,
    Address,
    CompanySizeField,
    Credentials,
    Joining,
    NewPassword,
    Refresh,
    Verification,
)
from accounts.api.signing import Signing
from accounts.services import registration
from accounts.services.sessions import SignIn
from crm.api.permissions import MEMBER
from crm.api.platform import PLATFORM
from crm.api.routes import route
from crm.api.schema import describes
from crm.api.shapes import Line, Shape, Text

BEARER = {"token_type": "bearer"}


class PlatformSignedIn(Shape):
    """The user who signed in."""

    id = serializers.UUIDField(read_only=True)
    email = serializers.EmailField(read_only=True)
    full_name = serializers.CharField(read_only=True)
    company_id = serializers.UUIDField(source="organization_id", read_only=True)


class PlatformAddress(Address):
    """An address; `slug` names the organization that is meant."""

    slug = Text(max_length=LONGEST_SLUG)


class PlatformCredentials(Credentials):
    """Address and password; `slug` is needed only where both fit in several organizations."""

    slug = Text(max_length=LONGEST_SLUG)


class Registration(PlatformCredentials):
    """A new organization, by the slug it asks for or one made of its name, and its owner."""

    full_name = Line(max_length=LONGEST_FULL_NAME)
    company_name = Line(max_length=200)
    company_size = CompanySizeField()
    industry = Text(max_length=100)


class PlatformRefresh(Refresh):
    """A refresh token; `rotate` asks for its successor."""

    rotate = serializers.BooleanField(required=False)


class PlatformJoining(Joining):
    """The acceptance of an invitation, by name in one or in two parts."""

    aliases = {"name": "full_name"}


class PlatformSigning(Signing):
    """`/auth`."""

    surface = PLATFORM
    public = {**Signing.public, "register": "this is how organizations come to be"}
    counted = Signing.counted | {"register"}
    permissions = {"logout": MEMBER, "resend_verification": MEMBER}
    user_shape = PlatformSignedIn
    register_body = Registration
    login_body = PlatformCredentials
    refresh_body = PlatformRefresh
    accept_invitation_body = PlatformJoining
    forgot_password_body = PlatformAddress
    reset_password_body = NewPassword
    verify_email_body = Verification
    signed_in_form = {
        "access_token": str,
        "refresh_token": str,
        "token_type": ("bearer",),
        "user": PlatformSignedIn,
    }

    def signed_in(self, sign_in: SignIn, status: int = 200) -> HttpResponse:
        """Answer as the document shows it."""
        tokens = {"access_token": sign_in.access_token, "refresh_token": sign_in.refresh_token}
        return self.answer({**tokens, **BEARER, "user": self.user_of(sign_in)}, status)

    @describes(body=Registration, answer="signed_in_form", status=201, errors=(403, 409))
    def register(self, request: Any) -> HttpResponse:
        """Make an organization and its owner, and sign the owner in."""
        return self.signed_in(registration.register(**self.read(), visit=self.visit()), 201)

    @describes(body=PlatformCredentials, answer="signed_in_form", errors=(401, 403, 409))
    def login(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Sign in with e-mail address and password; `slug` names the organization where both fit in several."""
        return super().login(request, **kwargs)

    @describes(body=PlatformJoining, answer="signed_in_form", status=201, errors=(400, 409))
    def accept_invitation(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Join by an invitation and sign in."""
        return super().accept_invitation(request, **kwargs)

    @describes(
        body=PlatformRefresh,
        answer={"access_token": str, "refresh_token": NotRequired[str], "token_type": ("bearer",)},
        errors=(401,),
    )
    def refresh(self, request: Any) -> HttpResponse:
        """Get a new access token. The refresh token stays the same unless `rotate` asks for another."""
        given = self.read()
        rotates = given.get("rotate", False)
        sign_in = self.refreshed(given["refresh_token"], rotates=rotates)
        successor = {"refresh_token": sign_in.refresh_token} if rotates else {}
        return self.answer({"access_token": sign_in.access_token, **successor, **BEARER})

    @describes(answer={"message": str})
    def logout(self, request: Any) -> HttpResponse:
        """End this session."""
        self.end_session()
        return self.answer({"message": "Successfully logged out"})


urlpatterns = [
    route("auth/register", PlatformSigning, post="register"),
    route("auth/login", PlatformSigning, post="login"),
    route("auth/refresh", PlatformSigning, post="refresh"),
    route("auth/logout", PlatformSigning, post="logout"),
    route("auth/accept-invitation", PlatformSigning, post="accept_invitation"),
    route("auth/forgot-password", PlatformSigning, post="forgot_password"),
    route("auth/reset-password", PlatformSigning, post="reset_password"),
    route("auth/verify-email", PlatformSigning, post="verify_email"),
    route("auth/resend-verification", PlatformSigning, post="resend_verification"),
]
