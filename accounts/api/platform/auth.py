"""Signing in and out on the Platform surface, and the registration of organizations."""

from typing import Any, NotRequired

from django.http import HttpResponse
from rest_framework import serializers

from accounts.api.auth_serializers import (
    LONGEST_FULL_NAME,
    LONGEST_SLUG,
    AddressSerializer,
    CompanySizeField,
    CredentialsSerializer,
    JoiningSerializer,
    NewPasswordSerializer,
    RefreshSerializer,
    VerificationSerializer,
)
from accounts.api.auth_viewsets import AuthViewSet
from accounts.services import registration
from accounts.services.sessions import SignIn
from crm.api.fields import LineField, OptionalCharField
from crm.api.permissions import MEMBER
from crm.api.platform import PLATFORM
from crm.api.routers import route
from crm.api.schema import extend_schema
from crm.api.serializers import Serializer

BEARER = {"token_type": "bearer"}


class PlatformSignedInSerializer(Serializer):
    """The user who signed in."""

    id = serializers.UUIDField(read_only=True)
    email = serializers.EmailField(read_only=True)
    full_name = serializers.CharField(read_only=True)
    company_id = serializers.UUIDField(source="organization_id", read_only=True)


class PlatformAddressSerializer(AddressSerializer):
    """An address; `slug` names the organization that is meant."""

    slug = OptionalCharField(max_length=LONGEST_SLUG)


class PlatformCredentialsSerializer(CredentialsSerializer):
    """Address and password; `slug` is needed only where both fit in several organizations."""

    slug = OptionalCharField(max_length=LONGEST_SLUG)


class RegistrationSerializer(PlatformCredentialsSerializer):
    """A new organization, by the slug it asks for or one made of its name, and its owner."""

    full_name = LineField(max_length=LONGEST_FULL_NAME)
    company_name = LineField(max_length=200)
    company_size = CompanySizeField()
    industry = OptionalCharField(max_length=100)


class PlatformRefreshSerializer(RefreshSerializer):
    """A refresh token; `rotate` asks for its successor."""

    rotate = serializers.BooleanField(required=False)


class PlatformJoiningSerializer(JoiningSerializer):
    """The acceptance of an invitation, by name in one or in two parts."""

    aliases = {"name": "full_name"}


class PlatformAuthViewSet(AuthViewSet):
    """`/auth`."""

    surface = PLATFORM
    allow_anonymous = {**AuthViewSet.allow_anonymous, "register": "this is how organizations come to be"}
    strict_throttle_always = AuthViewSet.strict_throttle_always | {"register"}
    permissions = {"logout": MEMBER, "resend_verification": MEMBER}
    user_shape = PlatformSignedInSerializer
    register_body = RegistrationSerializer
    login_body = PlatformCredentialsSerializer
    refresh_body = PlatformRefreshSerializer
    accept_invitation_body = PlatformJoiningSerializer
    forgot_password_body = PlatformAddressSerializer
    reset_password_body = NewPasswordSerializer
    verify_email_body = VerificationSerializer
    signed_in_form = {
        "access_token": str,
        "refresh_token": str,
        "token_type": ("bearer",),
        "user": PlatformSignedInSerializer,
    }

    def signed_in(self, sign_in: SignIn, status: int = 200) -> HttpResponse:
        """Answer as the document shows it."""
        tokens = {"access_token": sign_in.access_token, "refresh_token": sign_in.refresh_token}
        return self.respond({**tokens, **BEARER, "user": self.user_of(sign_in)}, status)

    @extend_schema(request=RegistrationSerializer, response="signed_in_form", status=201, error_statuses=(403, 409))
    def register(self, request: Any) -> HttpResponse:
        """Make an organization and its owner, and sign the owner in."""
        return self.signed_in(registration.register(**self.validate(), visit=self.visit()), 201)

    @extend_schema(request=PlatformCredentialsSerializer, response="signed_in_form", error_statuses=(401, 403, 409))
    def login(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Sign in with e-mail address and password; `slug` names the organization where both fit in several."""
        return super().login(request, **kwargs)

    @extend_schema(request=PlatformJoiningSerializer, response="signed_in_form", status=201, error_statuses=(400, 409))
    def accept_invitation(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Join by an invitation and sign in."""
        return super().accept_invitation(request, **kwargs)

    @extend_schema(
        request=PlatformRefreshSerializer,
        response={"access_token": str, "refresh_token": NotRequired[str], "token_type": ("bearer",)},
        error_statuses=(401,),
    )
    def refresh(self, request: Any) -> HttpResponse:
        """Get a new access token. The refresh token stays the same unless `rotate` asks for another."""
        given = self.validate()
        rotates = given.get("rotate", False)
        sign_in = self.refreshed(given["refresh_token"], rotates=rotates)
        successor = {"refresh_token": sign_in.refresh_token} if rotates else {}
        return self.respond({"access_token": sign_in.access_token, **successor, **BEARER})

    @extend_schema(response={"message": str})
    def logout(self, request: Any) -> HttpResponse:
        """End this session."""
        self.end_session()
        return self.respond({"message": "Successfully logged out"})


urlpatterns = [
    route("auth/register", PlatformAuthViewSet, post="register"),
    route("auth/login", PlatformAuthViewSet, post="login"),
    route("auth/refresh", PlatformAuthViewSet, post="refresh"),
    route("auth/logout", PlatformAuthViewSet, post="logout"),
    route("auth/accept-invitation", PlatformAuthViewSet, post="accept_invitation"),
    route("auth/forgot-password", PlatformAuthViewSet, post="forgot_password"),
    route("auth/reset-password", PlatformAuthViewSet, post="reset_password"),
    route("auth/verify-email", PlatformAuthViewSet, post="verify_email"),
    route("auth/resend-verification", PlatformAuthViewSet, post="resend_verification"),
]
