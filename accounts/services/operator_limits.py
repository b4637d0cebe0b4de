"""Limits on what operators are asked for: attempts are counted before anything is compared, and forgiven where right.

They count by client address, and by account: from an address that the operator lately signed in from for that pair
alone, so that nobody elsewhere locks a known operator out. An unknown account counts and locks as a known one does.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings

from accounts.models import OperatorEvent, User
from accounts.services import operator_events
from accounts.services.operator_events import Client
from crm.core import rate_limits, tokens
from crm.core.errors import RateLimited
from crm.core.rate_limits import RateLimitStatus

# Of a million codes three are good at any time: so many guesses a day leave an intruder with the password 3 % a year.
CODES_A_DAY = (30, 86400)


class Asked(StrEnum):
    """What is compared; each is counted apart."""

    PASSWORD = "account"  # noqa: S105 - the name of a counter
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that may be made, and the counters it has raised."""

    standings: tuple[RateLimitStatus, ...] = ()

    def undo_failure(self) -> None:
        """Take the attempt back, as it was right."""
        for standing in self.standings:
            rate_limits.release(standing)


def admit(asked: Asked, client: Client, *, user: User | None, email: str, is_known: bool) -> Attempt:
    """Count an attempt, committed at once; raise `RateLimited` where there were too many.

    Call it outside any transaction. `is_known`: the operator has lately signed in from this address.
    """
    if not settings.RATE_LIMITS:
        return Attempt()
    account = str(user.pk) if user else tokens.digest(email)
    subject = f"{asked}:{account}:{client.network}" if is_known else f"{asked}:{account}"
    rules = {f"admin:{client.network}": settings.RATE_LIMIT_AUTH, subject: settings.RATE_LIMIT_ACCOUNT}
    if asked is Asked.CODE:
        rules[f"{subject}:day"] = CODES_A_DAY
    standings = []
    for key, (limit, seconds) in rules.items():
        standing = rate_limits.hit_durable(key, limit, seconds)
        if not standing.allowed:
            reason = "client address" if key.startswith("admin:") else f"{asked.name.lower()} attempts"
            _refused(client, user=user, email=email, reason=reason, is_first=standing.hits == limit + 1)
            wait = standing.retry_after
            raise RateLimited(f"Too many failed attempts. Try again in {wait} seconds.", extra={"retry_after": wait})
        standings.append(standing)
    return Attempt(tuple(standings))


def _refused(client: Client, *, user: User | None, email: str, reason: str, is_first: bool) -> None:
    """Keep one row for each window, however many attempts are refused in it, and a log line for each of them."""
    if is_first:
        operator_events.note(OperatorEvent.Name.LOCKED, client, user=user, email=email, reason=reason)
    else:
        account = user.email if user else operator_events.typed(email)
        operator_events.log_it(OperatorEvent.Name.LOCKED, client, account=account, reason=reason)
