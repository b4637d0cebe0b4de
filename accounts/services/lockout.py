"""Lockout: too many failed sign-ins close an account for a while, but not to where it is used from.

Attempts are counted in PostgreSQL before anything is hashed. From an address that has lately signed in as the user they
count for that pair alone, so nobody elsewhere can lock a known user out; from all other addresses together they count
for the e-mail address, whether or not an account has it.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F

from accounts.models import Session
from crm.core import clock, rates, tokens
from crm.core.errors import RateLimited
from crm.core.models import RateCounter

FAMILIAR_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Admission:
    """Whose password may be tried, and the counters that this attempt has raised."""

    user_ids: Collection[UUID]
    keys: tuple[str, ...] = ()


def familiar_users(user_ids: Iterable[UUID], address: str) -> frozenset[UUID]:
    """Return the users who have signed in from this address lately. In the transaction that found them."""
    since = clock.now() - FAMILIAR_FOR
    sessions = Session.objects.filter(user_id__in=user_ids, address=address or None, created_at__gte=since)
    return frozenset(sessions.values_list("user_id", flat=True))


def admit(email: str, user_ids: Collection[UUID], familiar: frozenset[UUID], address: str) -> Admission:
    """Count an attempt and return who may be tried; raise `RateLimited` where nobody is left.

    An unknown address of mail counts and locks as a known one does.
    """
    if not settings.RATE_LIMITS:
        return Admission(user_ids)
    groups = {f"account:{user_id}:{address}": [user_id] for user_id in user_ids if user_id in familiar}
    strangers = [user_id for user_id in user_ids if user_id not in familiar]
    if strangers or not groups:
        groups[f"account:{tokens.digest(email)}"] = strangers
    standings = {key: rates.hit_guarded(key, *settings.RATE_LIMIT_ACCOUNT) for key in groups}
    if not any(standing.allowed for standing in standings.values()):
        wait = min(standing.retry_after for standing in standings.values())
        raise RateLimited(f"Too many failed sign-ins. Try again in {wait} seconds.", extra={"retry_after": wait})
    admitted = [user_id for key, group in groups.items() if standings[key].allowed for user_id in group]
    return Admission(admitted, tuple(groups))


def forgive(admission: Admission) -> None:
    """Take an attempt back that turned out to be right."""
    if admission.keys:
        with transaction.atomic():
            RateCounter.objects.filter(key__in=admission.keys, hits__gt=0).update(hits=F("hits") - 1)
