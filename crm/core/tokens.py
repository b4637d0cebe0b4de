"""Access tokens: short HS256 JWTs that name a session. The session, not the token, says what its bearer may do."""

import hashlib
import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken

from crm.core import clock
from crm.core.errors import Unauthenticated


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says; `expires_at` in epoch seconds."""

    user_id: UUID
    session_id: UUID
    organization_id: UUID
    expires_at: int


def issue(*, user_id: UUID, session_id: UUID, organization_id: UUID, lifetime: timedelta) -> tuple[str, datetime]:
    """Return a signed access token and the moment it expires."""
    token = AccessToken()
    token.set_exp(lifetime=lifetime)
    token["sub"], token["sid"], token["org"] = str(user_id), str(session_id), str(organization_id)
    return str(token), (clock.now() + lifetime).replace(microsecond=0)


def verify(raw: str) -> Claims:
    """Verify signature, issuer, audience, type and time; raise `Unauthenticated` otherwise."""
    claims = _verified(raw)
    if claims.expires_at <= time.time():
        raise Unauthenticated("The access token has expired.")
    return claims


@lru_cache(maxsize=4096)
def _verified(raw: str) -> Claims:
    """Check the signature once a process; the expiry is checked on each use, the session on each request."""
    try:
        token = AccessToken(raw)  # type: ignore[arg-type]
        return Claims(UUID(token["sub"]), UUID(token["sid"]), UUID(token["org"]), int(token["exp"]))
    except (TokenError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise Unauthenticated("The access token is not valid.") from error


def new_secret() -> str:
    """Return 256 random bits for a link or a refresh token."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return the SHA-256 of a secret: the only form that is stored and looked up."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
