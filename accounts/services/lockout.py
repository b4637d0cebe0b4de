"""Lockout: too many failed sign-ins close an account for a while, but not to where it is used from.

Attempts are counted in PostgreSQL before anything is hashed, for each account that is tried. From a network that has
lately signed in as the user they count for that pair alone, so nobody elsewhere can lock a known user out. An address
of mail that no account stands for counts and locks as one that has an account.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network
from uuid import UUID

from django.conf import settings

from accounts.models import Session
from crm.core import clock, rate_limits, tokens
from crm.core.errors import RateLimited
from crm.core.rate_limits import RateLimitStatus

FAMILIAR_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Admission:
    """Whose password may be tried, and the counters that this attempt has raised."""

    user_ids: Collection[UUID]
    standings: Mapping[UUID, RateLimitStatus] = field(default_factory=dict)


def familiar_users(user_ids: Iterable[UUID], address: str) -> frozenset[UUID]:
    """Return the users who have signed in from this network lately. In the transaction that found them."""
    since = clock.now() - FAMILIAR_FOR
    sessions = Session.objects.filter(user_id__in=user_ids, created_at__gte=since)
    network = ip_network(rate_limits.network_of(address))
    sessions = sessions.filter(address__range=(str(network[0]), str(network[-1])))
    return frozenset(sessions.values_list("user_id", flat=True))


def admit(email: str, user_ids: Collection[UUID], familiar: frozenset[UUID], address: str) -> Admission:
    """Count an attempt and return who may be tried; raise `Locked` where nobody is left."""
    if not settings.RATE_LIMITS:
        return Admission(user_ids)
    if not user_ids:
        standing = rate_limits.hit_durable(f"account:{tokens.digest(email)}", *settings.RATE_LIMIT_ACCOUNT)
        if not standing.allowed:
            raise Locked([standing])
        return Admission(())
    network = rate_limits.network_of(address)
    standings = {
        user_id: rate_limits.hit_durable(
            _key(user_id, network if user_id in familiar else ""), *settings.RATE_LIMIT_ACCOUNT
        )
        for user_id in sorted(user_ids)
    }
    admitted = [user_id for user_id in user_ids if standings[user_id].allowed]
    if not admitted:
        newly = [user_id for user_id, standing in standings.items() if standing.hits == standing.limit + 1]
        raise Locked(standings.values(), newly)
    return Admission(admitted, standings)


def undo_failure(admission: Admission, user_id: UUID) -> None:
    """Take an attempt back for the account that it opened; for all others that were tried it stays a failure."""
    if user_id in admission.standings:
        rate_limits.release(admission.standings[user_id])


def undo(admission: Admission) -> None:
    """Take an attempt back that could not be made."""
    for standing in admission.standings.values():
        rate_limits.release(standing)


def lift(user_id: UUID, address: str) -> None:
    """Open an account whose holder has just proven their address, inside the transaction of the proof."""
    rate_limits.reset([_key(user_id), _key(user_id, rate_limits.network_of(address))])


class Locked(RateLimited):
    """Too many failures for every account that was meant; `locked` names those that this attempt was the first for."""

    def __init__(self, standings: Iterable[RateLimitStatus], locked: Collection[UUID] = ()) -> None:
        wait = min(standing.retry_after for standing in standings)
        self.locked = locked
        super().__init__(f"Too many failed sign-ins. Try again in {wait} seconds.", extra={"retry_after": wait})


def _key(user_id: UUID, network: str = "") -> str:
    return f"account:{user_id}:{network}" if network else f"account:{user_id}"
