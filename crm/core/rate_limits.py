"""Rate limits. Attempts at secrets are counted in PostgreSQL; everything else in Redis, which may be away.

Each window is fixed: it opens with the first hit and closes `seconds` later.
"""

import ipaddress
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache

import redis
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from crm.core import clock
from crm.core.models import RateCounter

log = logging.getLogger(__name__)

DEADLINE_SECONDS = 0.25  # a frozen Redis may cost a request this much, once per PAUSE_SECONDS
PAUSE_SECONDS = 5
_COUNT = """
local hits = redis.call('INCR', KEYS[1])
if hits == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return {hits, redis.call('TTL', KEYS[1])}
"""
IPV6_PREFIX = 64  # what one subscriber of an IPv6 network is given, to choose any address of
_paused_until = 0.0


@dataclass(frozen=True, slots=True)
class RateLimitStatus:
    """Where a subject stands in its window: `resets_at` in epoch seconds, `key` of its counter in PostgreSQL."""

    limit: int
    hits: int
    resets_at: int
    key: str = ""

    @property
    def allowed(self) -> bool:
        """Tell whether this hit was within the limit."""
        return self.hits <= self.limit

    @property
    def remaining(self) -> int:
        """Return how many hits are left in the window."""
        return max(0, self.limit - self.hits)

    @property
    def retry_after(self) -> int:
        """Return the whole seconds until the window closes, at least 1."""
        return max(1, self.resets_at - int(time.time()))


def hit_durable(key: str, limit: int, seconds: int) -> RateLimitStatus:
    """Count a hit in PostgreSQL, so that 40 at a time are counted 1 to 40; within a transaction it commits with it."""
    now = clock.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO core_ratecounter (key, window_ends_at, hits) VALUES (%s, %s, 1)
            ON CONFLICT (key) DO UPDATE SET
                hits = CASE WHEN core_ratecounter.window_ends_at <= %s THEN 1 ELSE core_ratecounter.hits + 1 END,
                window_ends_at = CASE WHEN core_ratecounter.window_ends_at <= %s
                    THEN EXCLUDED.window_ends_at ELSE core_ratecounter.window_ends_at END
            RETURNING hits, window_ends_at
            """,
            [key[:200], now + timedelta(seconds=seconds), now, now],
        )
        hits, ends_at = cursor.fetchone()
    return RateLimitStatus(limit, hits, int(ends_at.timestamp()) + 1, key[:200])


def release(standing: RateLimitStatus) -> RateLimitStatus:
    """Take a hit in PostgreSQL back that was no failure, where failures alone count; return the standing then."""
    with transaction.atomic():
        RateCounter.objects.filter(key=standing.key, hits__gt=0).update(hits=F("hits") - 1)
    return replace(standing, hits=standing.hits - 1)


def reset(keys: Iterable[str]) -> None:
    """Remove counters in PostgreSQL, inside the transaction of what justifies it."""
    RateCounter.objects.filter(key__in=list(keys)).delete()


def network_of(address: str) -> str:
    """Return what counts as one client: an IPv4 address as it is, an IPv6 address as its /64 network."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(ipaddress.ip_network((parsed, IPV6_PREFIX), strict=False))


def hit(key: str, limit: int, seconds: int) -> RateLimitStatus:
    """Count a hit in Redis. While Redis is away nobody is refused: these limits protect capacity, not secrets."""
    global _paused_until  # noqa: PLW0603 - the circuit breaker of this process
    if time.monotonic() >= _paused_until:
        try:
            hits, left = _counter()(keys=[f"rate:{key}"], args=[seconds])
            return RateLimitStatus(limit, int(hits), int(time.time()) + max(0, int(left)))
        except (redis.RedisError, OSError) as error:
            _paused_until = time.monotonic() + PAUSE_SECONDS
            log.warning("Rate limits pause for %s s: %s", PAUSE_SECONDS, error)
    return RateLimitStatus(limit, 0, int(time.time()) + seconds)


@cache
def _counter() -> redis.commands.core.Script:
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=DEADLINE_SECONDS, socket_connect_timeout=DEADLINE_SECONDS
    )
    return client.register_script(_COUNT)


def forget_closed() -> None:
    """Remove counters whose window closed over an hour ago."""
    RateCounter.objects.filter(window_ends_at__lt=clock.now() - timedelta(hours=1)).delete()
