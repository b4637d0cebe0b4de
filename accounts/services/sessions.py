"""Sessions: opened by a sign-in, checked on every request, ended at once.

Refresh tokens are opaque; a session is their family, and using one twice ends it.
"""

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings

from accounts.models import RefreshToken, Session, Surface, User
from accounts.permissions import effective
from accounts.services.actor_cache import ActorCache, ActorCheck
from accounts.services.membership import organization_of
from crm.core import clock, db, events, tokens
from crm.core.actor import Actor
from crm.core.db import PiggybackQuery, operator, tenant
from crm.core.errors import Unauthenticated
from crm.core.tokens import Claims

# The Team document knows no refresh, so its access tokens last a working day; every request checks the session anyway.
ACCESS_LIFETIMES = {
    Surface.TEAM: timedelta(hours=8),
    Surface.PLATFORM: timedelta(minutes=15),
    Surface.STOREFRONT: timedelta(minutes=15),
}
LONGEST_USER_AGENT = 300

_actors = ActorCache()  # by the ids of the claims

# One indexed read per table and request: the session, its living user, the organization, the roles.
_ACTOR = """
SELECT u.full_name, u.email, u.timezone, o.slug, o.timezone, o.currency, o.shop_enabled,
       r.names, r.built_in, r.sees_all, r.rank, r.custom
FROM accounts_session s
JOIN accounts_user u ON u.id = s.user_id
JOIN accounts_organization o ON o.id = s.organization_id
CROSS JOIN LATERAL (
    SELECT array_agg(role.name ORDER BY role.rank DESC, role.name) AS names,
           array_agg(role.name) FILTER (WHERE role.is_built_in) AS built_in,
           bool_or(role.scope = 'all') AS sees_all, max(role.rank) AS rank,
           string_agg(array_to_string(role.permissions, ' '), ' ') AS custom
    FROM accounts_userrole held JOIN accounts_role role ON role.id = held.role_id
    WHERE held.organization_id = s.organization_id AND held.user_id = u.id
) r
WHERE s.id = $1 AND s.user_id = $2 AND s.organization_id = $3
  AND s.ended_at IS NULL AND s.expires_at > now() AND u.is_active AND o.is_active
"""


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """Where a sign-in comes from: the surface, the client's address and what it calls itself."""

    surface: str
    address: str = ""
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a sign-in gives: whose it is, both tokens, and when the access token expires."""

    organization_id: UUID
    user_id: UUID
    access_token: str
    refresh_token: str
    expires_at: datetime


@contextmanager
def enter(claims: Claims) -> Iterator[Actor]:
    """Enter the organization as who the token's session lets act now; `Unauthenticated` where it has ended."""
    check = _session_check(claims)
    with tenant(claims.organization_id, piggyback=check):
        yield load_actor(claims, check)


@contextmanager
def enter_read_only(claims: Claims) -> Iterator[ActorCheck]:
    """Enter the organization in a transaction that cannot write, with the check of who acts.

    The check travels with the transaction's first statement.
    """
    check = _session_check(claims)
    with tenant(claims.organization_id, piggyback=check, read_only=True):
        yield ActorCheck(_actors.cached(_ids(claims)), partial(load_actor, claims, check))


def load_actor(claims: Claims, check: PiggybackQuery | None = None) -> Actor:
    """Return who the token's session lets act, as things stand now, or raise `Unauthenticated`.

    It is the very object that it was before, as long as nothing about it has changed.
    """
    found = db.piggyback_rows(check or _session_check(claims))
    if not found:
        raise Unauthenticated("This session has ended.")
    return _actors.current(_ids(claims), found[0], partial(_actor, claims, found[0]))


def _session_check(claims: Claims) -> PiggybackQuery:
    return PiggybackQuery(_ACTOR, _ids(claims))


def _ids(claims: Claims) -> tuple[UUID, ...]:
    return claims.session_id, claims.user_id, claims.organization_id


def _actor(claims: Claims, row: tuple[Any, ...]) -> Actor:
    name, email, zone, slug, organization_zone, currency, shop_enabled, *standing = row
    names, built_in, sees_all, rank, custom = standing
    return Actor(
        organization_id=claims.organization_id,
        user_id=claims.user_id,
        session_id=claims.session_id,
        permissions=effective(tuple(built_in or ()), tuple((custom or "").split())),
        roles=tuple(names or ()),
        built_in_roles=frozenset(built_in or ()),
        sees_all=bool(sees_all),
        rank=rank or 0,
        name=name,
        email=email,
        timezone=zone,
        organization_slug=slug,
        organization_timezone=organization_zone,
        currency=currency,
        shop_enabled=shop_enabled,
    )


def author(user: User) -> Actor:
    """Return the actor who writes the events of what a user does before or without a session; it may do nothing."""
    return Actor(organization_id=organization_of(user), user_id=user.pk, name=str(user), email=user.email)


def open_session(user: User, visit: ClientInfo, *, by: str = "password") -> SignIn:
    """Open a session of a user whose identity was just proven, inside the organization's transaction."""
    now = clock.now()
    session = Session.objects.create(
        organization_id=organization_of(user),
        user=user,
        surface=visit.surface,
        address=_address(visit.address),
        user_agent=visit.user_agent[:LONGEST_USER_AGENT].replace("\0", ""),
        expires_at=now + settings.SESSION_LIFETIME,
    )
    User.objects.of(user.organization_id).filter(pk=user.pk).update(last_login=now)
    metadata = {"by": by, "surface": visit.surface, "address": visit.address, "session_id": str(session.pk)}
    events.record(author(user), "user.signed_in", user, title=f"{user} signed in", metadata=metadata)
    return _issue(session, _new_refresh_token(session))


def refresh(raw: str, *, rotates: bool, organization_id: UUID | None = None) -> SignIn:
    """Return a new access token for a refresh token, and its successor where it rotates; else the same one again.

    A token that was rotated before ends its whole session, and that is kept although the request is refused.
    `organization_id` names the only organization whose tokens count.
    """
    with operator("token_lookup"):
        token = RefreshToken.objects.filter(token_hash=tokens.digest(raw)).first()
    if token is None or organization_id not in {None, token.organization_id}:
        raise RefreshRefused
    with tenant(token.organization_id):
        signed_in = _refreshed(token, raw, rotates=rotates)
    if signed_in is None:
        raise RefreshRefused
    return signed_in


def end_session(actor: Actor) -> None:
    """End the actor's own session: neither its access nor its refresh tokens work from now on."""
    if actor.session_id is None or actor.user_id is None:
        raise ValueError("Only who has signed in can sign out.")
    _end(Session.objects.of(actor).filter(pk=actor.session_id), "signed_out")
    _record_end(actor, User.objects.of(actor).get(pk=actor.user_id), "signed_out")


def end_sessions(actor: Actor, user: User, *, reason: str, but: UUID | None = None) -> int:
    """End all living sessions of a user but the one named; return how many ended."""
    ended = _end(Session.objects.of(actor).filter(user=user).exclude(pk__in=[but] if but else []), reason)
    if ended:
        _record_end(actor, user, reason)
    return ended


def end_other(actor: Actor, session: Session) -> None:
    """End one session of somebody else, as an operator; one that has ended stays as it is."""
    if _end(Session.objects.of(actor).filter(pk=session.pk), "ended_by_operator"):
        _record_end(actor, session.user, "ended_by_operator")


class RefreshRefused(Unauthenticated):
    """Unknown, used, or of a session that has ended: all the same from outside."""

    message = "The refresh token is not valid."


def _refreshed(token: RefreshToken, raw: str, *, rotates: bool) -> SignIn | None:
    session = _living(token)
    if session is None:
        return None
    if _spend(token) if rotates else token.used_at is None:
        return _issue(session, _new_refresh_token(session) if rotates else raw)
    _end_replayed(session)
    return None


def _living(token: RefreshToken) -> Session | None:
    return (
        Session.objects.of(token.organization_id)
        .select_related("user")
        .filter(pk=token.session_id, ended_at=None, expires_at__gt=clock.now())
        .filter(user__is_active=True, organization__is_active=True)
        .first()
    )


def _spend(token: RefreshToken) -> bool:
    """Use the token up: of any number at once, one succeeds."""
    unused = RefreshToken.objects.of(token.organization_id).filter(pk=token.pk, used_at=None)
    return bool(unused.update(used_at=clock.now()))


def _end_replayed(session: Session) -> None:
    """End a session whose used-up token came back: one of the two bearers is not its owner."""
    _end(Session.objects.of(session.organization_id).filter(pk=session.pk), "refresh_replayed")
    _record_end(author(session.user), session.user, "refresh_replayed")


def _end(sessions: object, reason: str) -> int:
    return sessions.filter(ended_at=None).update(ended_at=clock.now(), end_reason=reason)  # type: ignore[attr-defined, no-any-return]


def _record_end(actor: Actor, user: User, reason: str) -> None:
    events.record(actor, "user.signed_out", user, title=f"{user} signed out", metadata={"reason": reason})


def _new_refresh_token(session: Session) -> str:
    raw = tokens.new_secret()
    RefreshToken.objects.create(organization_id=session.organization_id, session=session, token_hash=tokens.digest(raw))
    return raw


def _issue(session: Session, refresh_token: str) -> SignIn:
    access_token, expires_at = tokens.issue(
        user_id=session.user_id,
        session_id=session.pk,
        organization_id=session.organization_id,
        lifetime=ACCESS_LIFETIMES[Surface(session.surface)],
    )
    return SignIn(session.organization_id, session.user_id, access_token, refresh_token, expires_at)


def _address(raw: str) -> str | None:
    try:
        return str(ipaddress.ip_address(raw))
    except ValueError:
        return None
