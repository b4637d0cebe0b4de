"""Signing in and out as views: which service each action calls. Surfaces add shapes and the form of their answers."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse

from accounts.models import User
from accounts.services import email_verification, invitations, passwords, sessions, sign_in
from accounts.services.sessions import ClientInfo, SignIn
from crm.api import throttling
from crm.api.client_address import client_address
from crm.api.schema import extend_schema
from crm.api.serializers import Serializer
from crm.api.viewsets import ApiViewSet
from crm.core import db
from crm.core.actor import Actor

FORGOTTEN = "If this address has an account, a link to set a new password is on its way."
RESET = "Your password has been changed. You can sign in with it now."
SENT = "If this address waits for verification, a link is on its way."
VERIFIED = "Your e-mail address is verified."


class AuthViewSet(ApiViewSet):
    """What the surfaces have in common.

    `<action>_body` names the shape of an action's body, `user_shape` how a user who signs in is shown, `signed_in_form`
    what `signed_in` answers, for the schema.
    """

    allow_anonymous = {
        "login": "this is how one signs in",
        "refresh": "the refresh token is the proof",
        "accept_invitation": "the mailed token is the proof",
        "forgot_password": "who asks has lost the password",
        "reset_password": "the mailed token is the proof",
        "verify_email": "the mailed token is the proof",
    }
    strict_throttle = frozenset({"login", "accept_invitation", "reset_password", "verify_email"})
    strict_throttle_always = frozenset({"forgot_password", "resend_verification"})
    user_shape: type[Serializer]
    login_body: type[Serializer]
    refresh_body: type[Serializer]
    accept_invitation_body: type[Serializer]
    forgot_password_body: type[Serializer]
    reset_password_body: type[Serializer]
    verify_email_body: type[Serializer]

    def get_input_serializer_class(self) -> Any:
        """Return the shape of the action's body."""
        return getattr(self, f"{self.action}_body", None)

    def signed_in(self, sign_in: SignIn, status: int = 200) -> HttpResponse:
        """Answer with tokens and user as the surface's document shows them."""
        raise NotImplementedError

    def visit(self) -> ClientInfo:
        """Return where this request comes from."""
        request = self.django_request
        return ClientInfo(self.surface.name, client_address(request), request.headers.get("User-Agent", ""))

    def user_of(self, sign_in: SignIn) -> Any:
        """Return the user who signed in, in the surface's shape."""
        actor = Actor(organization_id=sign_in.organization_id, user_id=sign_in.user_id)
        with db.tenant(sign_in.organization_id):
            return self.query(self.user_shape, User).one(actor, User.objects.of, sign_in.user_id, cache_key="signed in")

    def login(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Sign in with e-mail address and password."""
        return self.signed_in(sign_in.sign_in(**self.validate(), visit=self.visit()))

    def accept_invitation(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Join by an invitation and sign in."""
        return self.signed_in(invitations.accept(**self.validate(), visit=self.visit()), 201)

    @extend_schema(request="forgot_password_body", response={"message": str})
    def forgot_password(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Mail a link that sets a new password; the response does not say whether there is an account."""
        passwords.forget(**self.validate())
        return self.respond({"message": FORGOTTEN})

    @extend_schema(request="reset_password_body", response={"message": str})
    def reset_password(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Set a new password by a mailed link; every session of the user ends."""
        address = client_address(self.django_request)
        passwords.reset(**self.validate(), organization_id=self.organization_id(), address=address)
        return self.respond({"message": RESET})

    @extend_schema(request="verify_email_body", response={"message": str}, error_statuses=(401,))
    def verify_email(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Prove the address by a mailed token, signed in to the account or with its password, or choosing a new one."""
        organization_id = self.organization_id()
        by = self.signed_in_actor()
        email_verification.verify(**self.validate(), by=by, organization_id=organization_id)
        return self.respond({"message": VERIFIED})

    @extend_schema(response={"message": str})
    def resend_verification(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Mail the signed-in user another link that proves the address."""
        email_verification.resend(User.objects.of(self.actor).get(pk=self.actor.user_id))
        return self.respond({"message": SENT})

    def organization_id(self) -> UUID | None:
        """Return the only organization whose mailed tokens count here; None where any organization's do."""
        return None

    def signed_in_actor(self) -> Actor | None:
        """Return who acts in a public action: the one whose access token came along, or None."""
        claims = self.authenticate(self.django_request)
        if claims is None:
            return None
        with db.tenant(claims.organization_id):
            actor = sessions.load_actor(claims)
            self.check_shop(actor)
            return actor

    def refreshed(self, raw: str, **how: Any) -> SignIn:
        """Exchange a refresh token; refused ones count by the client's address, and beyond the limit are 429."""
        try:
            return sessions.refresh(raw, **how)
        except sessions.RefreshRefused:
            standing = throttling.count_refusal("refresh", self.django_request)
            if standing is not None and not standing.allowed:
                self.rate_limit_status = standing
                throttling.refuse_beyond(standing)
            raise

    def end_session(self) -> None:
        """End the session that the access token names."""
        sessions.end_session(self.actor)
