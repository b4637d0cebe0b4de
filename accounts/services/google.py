"""Signing in with Google: the OAuth 2 code flow with PKCE, started and finished by the server.

The state that protects is ours: kept here by its hash, bound to the shop and to the browser that began, good once and
for ten minutes. What a client gives as its own state is only handed back to it. An account is found by Google's lasting
id of the person (`sub`), and the first time by the address that Google has verified.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import jwt
from django.conf import settings
from django.db.models import QuerySet

from accounts.models import OAuthState, Organization, User, normalize_email
from accounts.services import notices, one_time_links, registration, sessions, shoppers
from accounts.services.registration import EmailTaken
from accounts.services.sessions import ClientInfo, SignIn
from accounts.services.sign_in import AccountInactive
from crm.core import clock, tokens
from crm.core.db import tenant
from crm.core.errors import Conflict, Malformed, Unavailable
from crm.core.http import BadReply, Client, OutboundError

LIFETIME = timedelta(minutes=10)
LEEWAY_SECONDS = 60
LONGEST_NAME = 100
LONGEST_SUBJECT = 255
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Started:
    """Where to send the browser, and the state that comes back with it."""

    url: str
    state: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who Google says it is: the lasting id of the person, and an address that is verified."""

    subject: str
    email: str
    first_name: str
    last_name: str


def start(shop: Organization, *, browser: str, client_state: str = "") -> Started:
    """Begin a sign-in at Google; `client_state` is kept for the client and handed back at the end.

    `browser` is the secret in the cookie of the browser that begins, of which the hash is kept.
    """
    config = _config()
    state, verifier, nonce = tokens.new_secret(), tokens.new_secret(), tokens.new_secret()
    with tenant(shop.pk):
        OAuthState.objects.create(
            organization_id=shop.pk,
            state_hash=tokens.digest(state),
            verifier=verifier,
            nonce=nonce,
            client_state=client_state,
            browser_hash=tokens.digest(browser),
            expires_at=clock.now() + LIFETIME,
        )
    query = {
        "client_id": config["client_id"],
        "redirect_uri": _redirect_url(shop),
        "response_type": "code",
        "scope": "openid email profile",
        "state": state,
        "nonce": nonce,
        "code_challenge": _challenge(verifier),
        "code_challenge_method": "S256",
    }
    return Started(f"{config['authorize_url']}?{urlencode(query)}", state)


def finish(shop: Organization, *, code: str, state: str, browser: str | None, visit: ClientInfo) -> tuple[SignIn, str]:
    """Sign in whom Google vouches for, a new shopper if need be; returns the client's own state too.

    `browser` must be the secret that the sign-in began with; None asks nothing.
    """
    config = _config()
    started = _spend(shop, state, browser)
    identity = _identity(config, _redeemed(config, shop, code, started.verifier), started.nonce)
    with tenant(shop.pk):
        user = _user(shop, identity)
        return sessions.open_session(user, visit, by="google"), started.client_state


class NotConfigured(Unavailable):
    """This deployment has no Google client."""

    code = "GOOGLE_NOT_CONFIGURED"
    message = "Signing in with Google is not set up here."


class GoogleUnavailable(Unavailable):
    """Google does not answer, or not as it should."""

    code = "GOOGLE_UNAVAILABLE"
    message = "Google cannot be reached. Please try again."


class GoogleRefused(Malformed):
    """Google did not vouch for this sign-in."""

    code = "GOOGLE_SIGN_IN_FAILED"
    message = "Google did not confirm this sign-in."


class OtherGoogleAccount(Conflict):
    """The account of this address belongs to another account at Google."""

    code = "GOOGLE_ACCOUNT_MISMATCH"
    message = (
        "Your account here is linked to another Google account. "
        "Sign in with your password, or ask for a link to set a new one."
    )


def _config() -> Mapping[str, Any]:
    config: Mapping[str, Any] = settings.GOOGLE
    if not (config["client_id"] and config["client_secret"]):
        raise NotConfigured
    return config


def _redirect_url(shop: Organization) -> str:
    return str(settings.GOOGLE["redirect_url"]).replace("{shop}", shop.slug)


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _spend(shop: Organization, state: str, browser: str | None) -> OAuthState:
    """Use the state up, committed before Google is asked: of two at once, one succeeds."""
    with tenant(shop.pk):
        open_states = OAuthState.objects.of(shop.pk).filter(
            state_hash=tokens.digest(state), used_at=None, expires_at__gt=clock.now()
        )
        if browser is not None:
            open_states = open_states.filter(browser_hash=tokens.digest(browser))
        if not open_states.update(used_at=clock.now()):
            raise GoogleRefused("This sign-in was not started here, is over, or took too long.", code="INVALID_STATE")
        return OAuthState.objects.of(shop.pk).get(state_hash=tokens.digest(state))


def _redeemed(config: Mapping[str, Any], shop: Organization, code: str, verifier: str) -> str:
    """Exchange the code for the id token."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": _redirect_url(shop),
        "client_id": config["client_id"],
        "client_secret": config["client_secret"],
        "code_verifier": verifier,
    }
    try:
        reply = Client.trusted().send(
            "POST", config["token_url"], headers={"Content-Type": FORM}, body=urlencode(form).encode()
        )
        if 400 <= reply.status < 500:
            raise GoogleRefused
        answer = reply.json()
    except OutboundError as error:
        raise GoogleUnavailable from error
    token = answer.get("id_token") if isinstance(answer, dict) else None
    if not reply.succeeded or not isinstance(token, str):
        raise GoogleUnavailable
    return token


def _identity(config: Mapping[str, Any], token: str, nonce: str) -> Identity:
    """Verify signature, audience, issuer, time, nonce and that the address is verified."""
    try:
        claims = jwt.decode(
            token,
            _key(config["jwks_url"], str(jwt.get_unverified_header(token).get("kid"))),
            algorithms=["RS256"],
            audience=config["client_id"],
            issuer=list(config["issuers"]),
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iat", "sub", "aud", "iss"]},
        )
    except jwt.PyJWTError as error:
        raise GoogleRefused from error
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise GoogleRefused
    if isinstance(claims["aud"], list) and claims.get("azp") != config["client_id"]:
        raise GoogleRefused  # of several audiences, `azp` says to whom the token was issued
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
        raise GoogleRefused
    email = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(email, str) or "@" not in email:
        raise GoogleRefused("Google has not verified this e-mail address.", code="GOOGLE_EMAIL_UNVERIFIED")
    names = [" ".join(str(claims.get(name) or "").replace("\0", "").split()) for name in ("given_name", "family_name")]
    return Identity(subject, email[:254], *(name[:LONGEST_NAME] for name in names))


def _key(url: str, kid: str) -> Any:
    """Return Google's signing key of this id; keys are fetched anew for an id that is not known."""
    if kid not in _keys(url):
        _keys.cache_clear()
    if kid not in _keys(url):
        raise GoogleRefused
    return _keys(url)[kid].key


@lru_cache(maxsize=8)
def _keys(url: str) -> Mapping[str, jwt.PyJWK]:
    try:
        reply = Client.trusted().send("GET", url)
        answer = reply.json()
        if not reply.succeeded or not isinstance(answer, dict):
            raise BadReply
        return {str(key.key_id): key for key in jwt.PyJWKSet.from_dict(answer).keys}
    except (OutboundError, jwt.PyJWTError) as error:
        raise GoogleUnavailable from error


def _user(shop: Organization, identity: Identity) -> User:
    found = _known(shop, identity)
    if found is None:
        try:
            return _new_shopper(shop, identity)
        except EmailTaken:  # by another sign-in of the same person, a moment ago
            found = _known(shop, identity)
            if found is None:
                raise
    return found


def _known(shop: Organization, identity: Identity) -> User | None:
    """Return the account that is linked to this person at Google, else the one of the address, linked from now on.

    None where there is neither; raises `AccountInactive` where it is switched off, and `OtherGoogleAccount` where the
    account of the address is linked to another person.
    """
    linked = User.objects.of(shop.pk).filter(google_subject=identity.subject)
    same = User.objects.of(shop.pk).filter(email_normalized=normalize_email(identity.email))
    user = _active(linked) or _active(same)
    if user is None:
        if linked.exists() or same.exists():
            raise AccountInactive
        return None
    if user.google_subject not in {"", identity.subject}:
        raise OtherGoogleAccount
    if not user.google_subject:
        linked.update(google_subject="")  # an account that is switched off: the person has another one now
        user.google_subject = identity.subject
        user.save(update_fields=["google_subject", "updated_at"])
    if user.email_verified_at is None:
        _take_from_whom_proved_nothing(user)
        shoppers.mark_verified(user)
    return user


def _active(users: QuerySet[User]) -> User | None:
    return users.filter(is_active=True).select_for_update(no_key=True).first()


def _take_from_whom_proved_nothing(user: User) -> None:
    """End every way in that was there before the address was proven: password, sessions, mailed links."""
    user.set_unusable_password()
    user.save(update_fields=["password", "updated_at"])
    one_time_links.void(user)
    sessions.end_sessions(sessions.author(user), user, reason="claimed_by_google")
    notices.put(user, notices.PASSWORD_REMOVED)


def _new_shopper(shop: Organization, identity: Identity) -> User:
    user = User(
        organization=shop,
        email=identity.email,
        first_name=identity.first_name,
        last_name=identity.last_name,
        google_subject=identity.subject,
    )
    user.set_unusable_password()
    registration.add_shopper(user)
    shoppers.mark_verified(user)
    return user
