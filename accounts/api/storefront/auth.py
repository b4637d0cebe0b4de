"""Signing up, in and out on the Storefront surface, with a password or with Google."""

from datetime import datetime
from typing import Any, NotRequired
from uuid import UUID

from django.db.models import Q
from django.http import HttpResponse
from rest_framework import serializers

from accounts import role_names
from accounts.api.shapes_auth import Address, Credentials, NewPassword, Password, Refresh, Verification
from accounts.api.signing import FORGOTTEN, SENT, Signing
from accounts.api.storefront import browsers
from accounts.models import Language, User
from accounts.services import email_verification, google, passwords, registration, sessions, shoppers, signing_in
from accounts.services.names import LONGEST_PART
from accounts.services.sessions import SignIn
from crm.api.permissions import SIGNED_IN
from crm.api.resources import query_of
from crm.api.responses import json_response
from crm.api.routes import route
from crm.api.schema import describes
from crm.api.shapes import Choice, Computed, Email, Line, Shape, Text
from crm.api.storefront import STOREFRONT
from crm.core import db, tokens
from crm.core.errors import DomainError, Invalid, Malformed

LONGEST_STATE = 300
LONGEST_CODE = 2048


class Profile(Shape):
    """What shoppers may change of themselves."""

    first_name = Text(max_length=LONGEST_PART)
    last_name = Text(max_length=LONGEST_PART)
    phone = Text(max_length=20)
    timezone = Line(max_length=60, required=False)
    language = Choice(Language)


class StorefrontUser(Profile):
    """A user of the shop."""

    id = serializers.UUIDField(read_only=True)
    email = serializers.EmailField(read_only=True)
    active = serializers.BooleanField(source="is_active", read_only=True)
    email_verified = Computed(Q(email_verified_at__isnull=False), serializers.BooleanField())
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)


class SignUp(Shape):
    """A new shopper."""

    email = serializers.EmailField(max_length=254)
    password = Password()
    first_name = Text(max_length=LONGEST_PART)
    last_name = Text(max_length=LONGEST_PART)


class OwnAddress(Shape):
    """An e-mail address; signed-in shoppers need not give theirs."""

    email = Email()


class PasswordChange(Shape):
    """The present password and a new one."""

    current_password = Password()
    new_password = Password()


class StorefrontSigning(Signing):
    """`/auth`."""

    surface = STOREFRONT
    public = {
        **{action: reason for action, reason in Signing.public.items() if action != "accept_invitation"},
        "register": "this is how one becomes a shopper",
        "resend_verification": "the mail goes to the address itself",
        "google": "this is how one signs in with Google",
        "google_callback": "Google's code is the proof",
    }
    guarded = (Signing.guarded - {"accept_invitation"}) | {"change_password"}
    counted = Signing.counted | {"register"}
    limited = frozenset({"google"})
    permissions = dict.fromkeys(("profile", "update_profile", "change_password", "logout"), SIGNED_IN)
    user_shape = StorefrontUser
    register_body = SignUp
    login_body = Credentials
    refresh_body = Refresh
    verify_email_body = Verification
    resend_verification_body = OwnAddress
    forgot_password_body = Address
    reset_password_body = NewPassword
    update_profile_body = Profile
    change_password_body = PasswordChange
    signed_in_form = {"user": StorefrontUser, "access_token": str, "refresh_token": str, "expires_at": datetime}
    google_form = {**signed_in_form, "state": NotRequired[str]}
    profile_form = {"user": StorefrontUser, "roles": [str]}

    def signed_in(self, sign_in: SignIn, status: int = 200) -> HttpResponse:
        """Answer as the document shows it."""
        return self.answer({"user": self.user_of(sign_in), **_tokens(sign_in)}, status)

    @describes(body=SignUp, answer="signed_in_form", status=201)
    def register(self, request: Any, shop: str) -> HttpResponse:
        """Sign up in this shop; a link that proves the address is mailed."""
        given = self.read()
        return self.signed_in(registration.register_shopper(self.shop, **given, visit=self.visit()), 201)

    @describes(body=Credentials, answer="signed_in_form", errors=(401, 403))
    def login(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Sign in with e-mail address and password."""
        slug = self.shop.slug
        sign_in = signing_in.sign_in(**self.read(), slug=slug, visit=self.visit(), admits_shoppers=True)
        return self.signed_in(sign_in)

    @describes(
        body=Refresh, answer={"access_token": str, "refresh_token": str, "expires_at": datetime}, errors=(401, 429)
    )
    def refresh(self, request: Any, shop: str) -> HttpResponse:
        """Exchange a refresh token for a new pair; the old one used again ends the session."""
        organization = self.shop
        raw = self.read()["refresh_token"]
        return self.answer(_tokens(self.refreshed(raw, rotates=True, organization_id=organization.pk)))

    @describes(body=OwnAddress, answer={"message": str}, errors=(401,))
    def resend_verification(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Mail the link again: to the signed-in user, or to the address given."""
        organization = self.shop
        actor = self.signed_in_actor()
        if actor is None:
            email = self.read().get("email")
            if not email:
                raise Invalid(email="This field is required.")
            email_verification.resend_to(organization.pk, email)
        else:
            with db.tenant(actor.organization_id):
                email_verification.resend(User.objects.of(actor).get(pk=actor.user_id))
        return self.answer({"message": SENT})

    @describes(body=Address, answer={"message": str})
    def forgot_password(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Mail a link that sets a new password; the answer never tells whether there is an account."""
        passwords.forget(**self.read(), slug=self.shop.slug)
        return self.answer({"message": FORGOTTEN})

    def organization_id(self) -> UUID:
        """Return the organization of the shop: its mailed tokens alone count here."""
        organization_id: UUID = self.shop.pk
        return organization_id

    @describes(answer={"url": str, "state": str}, query={"state": NotRequired[str]})
    def google(self, request: Any, shop: str) -> HttpResponse:
        """Begin a sign-in with Google: where to send the browser, and the state that will come back with it.

        A cookie marks the browser; the callback asks a browser for it unless its page is of another origin.
        """
        organization = self.shop
        client_state = request.GET.get("state", "")
        if len(client_state) > LONGEST_STATE:
            raise Invalid(state=f"At most {LONGEST_STATE} characters.")
        browser = browsers.secret_of(self.django_request) or tokens.new_secret()
        started = google.start(organization, browser=browser, client_state=client_state)
        response = self.answer({"url": started.url, "state": started.state})
        browsers.remember(response, browser, google.LIFETIME)
        return response

    @describes(
        answer="google_form",
        query={"code": str, "state": str, "error": NotRequired[str]},
        errors=(403, 409),
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
        return self.answer({"user": self.user_of(sign_in), **_tokens(sign_in), **handed_back})

    @describes(answer="profile_form")
    def profile(self, request: Any, shop: str) -> HttpResponse:
        """Show the signed-in user and their roles."""
        user = query_of(User, StorefrontUser).one(self.actor, User.objects.of, self.actor.user_id, cache_key="self")  # type: ignore[arg-type]  # signed in
        held, built_in = self.actor.roles, self.actor.built_in_roles
        roles = [role_names.shown(STOREFRONT.name, role) if role in built_in else role for role in held]
        return self.answer({"user": user, "roles": roles})

    @describes(body=Profile, answer="profile_form", partial=True)
    def update_profile(self, request: Any, shop: str) -> HttpResponse:
        """Change one's own name, phone, time zone or language."""
        shoppers.update_profile(self.actor, **self.read(partial=True))
        return self.profile(request, shop)

    @describes(body=PasswordChange, answer={"message": str})
    def change_password(self, request: Any, shop: str) -> HttpResponse:
        """Change one's own password; all other sessions end."""
        passwords.change_own(self.actor, **self.read())
        return self.answer({"message": "Password changed successfully"})

    @describes(status=204)
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
    route("auth/register", StorefrontSigning, post="register"),
    route("auth/verify-email", StorefrontSigning, post="verify_email"),
    route("auth/resend-verification", StorefrontSigning, post="resend_verification"),
    route("auth/login", StorefrontSigning, post="login"),
    route("auth/refresh", StorefrontSigning, post="refresh"),
    route("auth/google", StorefrontSigning, get="google"),
    route("auth/google/callback", StorefrontSigning, get="google_callback"),
    route("auth/profile", StorefrontSigning, get="profile", patch="update_profile"),
    route("auth/password", StorefrontSigning, post="change_password"),
    route("auth/forgot-password", StorefrontSigning, post="forgot_password"),
    route("auth/reset-password", StorefrontSigning, post="reset_password"),
    route("auth/logout", StorefrontSigning, post="logout"),
]
