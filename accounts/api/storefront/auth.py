"""Signing up, in and out on the Storefront surface, with a password or with Google."""

from datetime import datetime
from typing import Any, NotRequired, cast
from uuid import UUID

from django.db.models import Q
from django.http import HttpResponse
from rest_framework import serializers

from accounts import role_names
from accounts.api.auth_serializers import (
    AddressSerializer,
    CredentialsSerializer,
    NewPasswordSerializer,
    Password,
    RefreshSerializer,
    VerificationSerializer,
)
from accounts.api.auth_viewsets import FORGOTTEN, SENT, AuthViewSet
from accounts.api.storefront import browsers
from accounts.models import Language, User
from accounts.services import email_verification, google, passwords, registration, sessions, shoppers, sign_in
from accounts.services.names import LONGEST_PART
from accounts.services.sessions import SignIn
from crm.api.fields import LineField, OptionalCharField, OptionalChoiceField, OptionalEmailField, SqlValueField
from crm.api.permissions import SIGNED_IN
from crm.api.renderers import json_response
from crm.api.routers import route
from crm.api.schema import extend_schema
from crm.api.serializers import Serializer
from crm.api.storefront import STOREFRONT
from crm.core import db, tokens
from crm.core.errors import DomainError, Invalid, Malformed

LONGEST_STATE = 300
LONGEST_CODE = 2048


class ProfileSerializer(Serializer):
    """What shoppers may change of themselves."""

    first_name = OptionalCharField(max_length=LONGEST_PART)
    last_name = OptionalCharField(max_length=LONGEST_PART)
    phone = OptionalCharField(max_length=20)
    timezone = LineField(max_length=60, required=False)
    language = OptionalChoiceField(Language)


class StorefrontUserSerializer(ProfileSerializer):
    """A user of the shop."""

    id = serializers.UUIDField(read_only=True)
    email = serializers.EmailField(read_only=True)
    active = serializers.BooleanField(source="is_active", read_only=True)
    email_verified = SqlValueField(Q(email_verified_at__isnull=False), serializers.BooleanField())
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)


class SignUpSerializer(Serializer):
    """A new shopper."""

    email = serializers.EmailField(max_length=254)
    password = Password()
    first_name = OptionalCharField(max_length=LONGEST_PART)
    last_name = OptionalCharField(max_length=LONGEST_PART)


class OwnAddressSerializer(Serializer):
    """An e-mail address; signed-in shoppers need not give theirs."""

    email = OptionalEmailField()


class PasswordChangeSerializer(Serializer):
    """The present password and a new one."""

    current_password = Password()
    new_password = Password()


class StorefrontAuthViewSet(AuthViewSet):
    """`/auth`."""

    surface = STOREFRONT
    allow_anonymous = {
        **{action: reason for action, reason in AuthViewSet.allow_anonymous.items() if action != "accept_invitation"},
        "register": "this is how one becomes a shopper",
        "resend_verification": "the mail goes to the address itself",
        "google": "this is how one signs in with Google",
        "google_callback": "Google's code is the proof",
    }
    strict_throttle = (AuthViewSet.strict_throttle - {"accept_invitation"}) | {"change_password"}
    strict_throttle_always = AuthViewSet.strict_throttle_always | {"register"}
    anonymous_throttle = frozenset({"google"})
    permissions = dict.fromkeys(("profile", "update_profile", "change_password", "logout"), SIGNED_IN)
    user_shape = StorefrontUserSerializer
    register_body = SignUpSerializer
    login_body = CredentialsSerializer
    refresh_body = RefreshSerializer
    verify_email_body = VerificationSerializer
    resend_verification_body = OwnAddressSerializer
    forgot_password_body = AddressSerializer
    reset_password_body = NewPasswordSerializer
    update_profile_body = ProfileSerializer
    change_password_body = PasswordChangeSerializer
    signed_in_form = {
        "user": StorefrontUserSerializer,
        "access_token": str,
        "refresh_token": str,
        "expires_at": datetime,
    }
    google_form = {**signed_in_form, "state": NotRequired[str]}
    profile_form = {"user": StorefrontUserSerializer, "roles": [str]}

    def signed_in(self, sign_in: SignIn, status: int = 200) -> HttpResponse:
        """Answer as the document shows it."""
        return self.respond({"user": self.user_of(sign_in), **_tokens(sign_in)}, status)

    @extend_schema(request=SignUpSerializer, response="signed_in_form", status=201)
    def register(self, request: Any, shop: str) -> HttpResponse:
        """Sign up in this shop; a link that proves the address is mailed."""
        given = self.validate()
        return self.signed_in(registration.register_shopper(self.shop, **given, visit=self.visit()), 201)

    @extend_schema(request=CredentialsSerializer, response="signed_in_form", error_statuses=(401, 403))
    def login(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Sign in with e-mail address and password."""
        slug = self.shop.slug
        opened = sign_in.sign_in(**self.validate(), slug=slug, visit=self.visit(), admits_shoppers=True)
        return self.signed_in(opened)

    @extend_schema(
        request=RefreshSerializer,
        response={"access_token": str, "refresh_token": str, "expires_at": datetime},
        error_statuses=(401, 429),
    )
    def refresh(self, request: Any, shop: str) -> HttpResponse:
        """Exchange a refresh token for a new pair; the old one used again ends the session."""
        organization = self.shop
        raw = self.validate()["refresh_token"]
        return self.respond(_tokens(self.refreshed(raw, rotates=True, organization_id=organization.pk)))

    @extend_schema(request=OwnAddressSerializer, response={"message": str}, error_statuses=(401,))
    def resend_verification(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Mail the link again: to the signed-in user, or to the address given."""
        organization = self.shop
        actor = self.signed_in_actor()
        if actor is None:
            email = self.validate().get("email")
            if not email:
                raise Invalid({"email": "This field is required."})
            email_verification.resend_to(organization.pk, email)
        else:
            with db.tenant(actor.organization_id):
                email_verification.resend(User.objects.of(actor).get(pk=actor.user_id))
        return self.respond({"message": SENT})

    @extend_schema(request=AddressSerializer, response={"message": str})
    def forgot_password(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Mail a link that sets a new password; the response does not say whether there is an account."""
        passwords.forget(**self.validate(), slug=self.shop.slug)
        return self.respond({"message": FORGOTTEN})

    def organization_id(self) -> UUID:
        """Return the organization of the shop: its mailed tokens alone count here."""
        organization_id: UUID = self.shop.pk
        return organization_id

    @extend_schema(response={"url": str, "state": str}, parameters={"state": NotRequired[str]})
    def google(self, request: Any, shop: str) -> HttpResponse:
        """Begin a sign-in with Google: where to send the browser, and the state that will come back with it.

        A cookie marks the browser; the callback asks a browser for it unless its page is of another origin.
        """
        organization = self.shop
        client_state = request.GET.get("state", "")
        if len(client_state) > LONGEST_STATE:
            raise Invalid({"state": f"At most {LONGEST_STATE} characters."})
        browser = browsers.secret_of(self.django_request) or tokens.new_secret()
        started = google.start(organization, browser=browser, client_state=client_state)
        response = self.respond({"url": started.url, "state": started.state})
        browsers.remember(response, browser, google.LIFETIME)
        return response

    @extend_schema(
        response="google_form",
        parameters={"code": str, "state": str, "error": NotRequired[str]},
        error_statuses=(403, 409),
    )
    def google_callback(self, request: Any, shop: str) -> HttpResponse:
        """Finish a sign-in with Google; `state` in the answer is the client's own, where it gave one at the start."""
        organization = self.shop
        if request.GET.get("error"):
            raise Malformed("Google did not let this sign-in through.", code="OAUTH_ERROR")
        code, state = request.GET.get("code", ""), request.GET.get("state", "")
        for name, value in (("code", code), ("state", state)):
            if not value or len(value) > LONGEST_CODE:
                text = "This parameter is required." if not value else f"At most {LONGEST_CODE} characters."
                raise DomainError("Invalid input data", details={name: text})
        browser = browsers.secret_to_show(self.django_request)
        sign_in, client_state = google.finish(organization, code=code, state=state, browser=browser, visit=self.visit())
        handed_back = {"state": client_state} if client_state else {}
        return self.respond({"user": self.user_of(sign_in), **_tokens(sign_in), **handed_back})

    @extend_schema(response="profile_form")
    def profile(self, request: Any, shop: str) -> HttpResponse:
        """Show the signed-in user and their roles."""
        user_id = cast(UUID, self.actor.user_id)  # signed in
        user = self.query(StorefrontUserSerializer, User).one(self.actor, User.objects.of, user_id, cache_key="self")
        held, built_in = self.actor.roles, self.actor.built_in_roles
        roles = [role_names.shown(STOREFRONT.name, role) if role in built_in else role for role in held]
        return self.respond({"user": user, "roles": roles})

    @extend_schema(request=ProfileSerializer, response="profile_form", partial=True)
    def update_profile(self, request: Any, shop: str) -> HttpResponse:
        """Change one's own name, phone, time zone or language."""
        shoppers.update_profile(self.actor, **self.validate(partial=True))
        return self.profile(request, shop)

    @extend_schema(request=PasswordChangeSerializer, response={"message": str})
    def change_password(self, request: Any, shop: str) -> HttpResponse:
        """Change one's own password; all other sessions end."""
        passwords.change_own(self.actor, **self.validate())
        return self.respond({"message": "Password changed successfully"})

    @extend_schema(status=204)
    def logout(self, request: Any, shop: str) -> HttpResponse:
        """End every session of the user."""
        sessions.end_sessions(self.actor, User.objects.of(self.actor).get(pk=self.actor.user_id), reason="signed_out")
        return json_response(None, 204)


def _tokens(sign_in: SignIn) -> dict[str, Any]:
    return {
        "access_token": sign_in.access_token,
        "refresh_token": sign_in.refresh_token,
        "expires_at": sign_in.expires_at,
    }


urlpatterns = [
    route("auth/register", StorefrontAuthViewSet, post="register"),
    route("auth/verify-email", StorefrontAuthViewSet, post="verify_email"),
    route("auth/resend-verification", StorefrontAuthViewSet, post="resend_verification"),
    route("auth/login", StorefrontAuthViewSet, post="login"),
    route("auth/refresh", StorefrontAuthViewSet, post="refresh"),
    route("auth/google", StorefrontAuthViewSet, get="google"),
    route("auth/google/callback", StorefrontAuthViewSet, get="google_callback"),
    route("auth/profile", StorefrontAuthViewSet, get="profile", patch="update_profile"),
    route("auth/password", StorefrontAuthViewSet, post="change_password"),
    route("auth/forgot-password", StorefrontAuthViewSet, post="forgot_password"),
    route("auth/reset-password", StorefrontAuthViewSet, post="reset_password"),
    route("auth/logout", StorefrontAuthViewSet, post="logout"),
]
