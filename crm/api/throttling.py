"""Rate limits of requests: attempts at secrets by client address, signed-in work by user."""

import time
from typing import Any

from django.conf import settings
from django.db import Error
from django.http import HttpRequest, HttpResponse

from crm.api.client_address import client_address
from crm.core import rate_limits
from crm.core.errors import RateLimited
from crm.core.rate_limits import RateLimitStatus
from crm.core.tokens import Claims


def count(view: Any, request: HttpRequest, claims: Claims | None) -> RateLimitStatus | None:
    """Count this request and return where its sender stands; None where nothing is limited."""
    if not settings.RATE_LIMITS:
        return None
    network = rate_limits.network_of(client_address(request))
    if view.is_strictly_throttled():
        standing = _count_attempt(claims, network)
    elif view.action in view.anonymous_throttle:
        standing = rate_limits.hit(f"{view.action}:{network}", *settings.RATE_LIMIT_PUBLIC)
    elif not view.surface.is_limited:
        return None
    elif view.action in view.unthrottled:
        limit, seconds = settings.RATE_LIMIT_GENERAL
        standing = RateLimitStatus(limit, 0, int(time.time()) + seconds)
    else:
        who = f"user:{claims.user_id}" if claims else f"address:{network}"
        is_bulk = view.action in view.heavy_throttle
        rule = settings.RATE_LIMIT_BULK if is_bulk else settings.RATE_LIMIT_GENERAL
        standing = rate_limits.hit(f"{'bulk' if is_bulk else 'general'}:{who}", *rule)
    return standing


def _count_attempt(claims: Claims | None, network: str) -> RateLimitStatus:
    """Count an attempt at a secret: at the password of who is signed in by account, at any other by client address."""
    if claims:
        return rate_limits.hit_durable(f"password:{claims.user_id}", *settings.RATE_LIMIT_ACCOUNT)
    return rate_limits.hit_durable(f"attempts:{network}", *settings.RATE_LIMIT_AUTH)


def settle(view: Any, standing: RateLimitStatus | None, status: int) -> RateLimitStatus | None:
    """Forgive an attempt that did not fail, unless each request of the action counts; return the standing then."""
    if standing is None or not standing.key or view.action in view.strict_throttle_always or 400 <= status < 500:
        return standing
    try:
        return rate_limits.release(standing)
    except Error:  # the request is answered, if only with 503: one attempt too many is counted
        return standing


def count_refusal(matter: str, request: HttpRequest) -> RateLimitStatus | None:
    """Count what was refused to a client address, such as a token, and return where it stands."""
    if not settings.RATE_LIMITS:
        return None
    return rate_limits.hit(
        f"refused {matter}:{rate_limits.network_of(client_address(request))}", *settings.RATE_LIMIT_PUBLIC
    )


def refuse_beyond(standing: RateLimitStatus | None) -> None:
    """Raise `RateLimited` where the standing is past its limit."""
    if standing is not None and not standing.allowed:
        wait = standing.retry_after
        raise RateLimited(f"Too many requests. Try again in {wait} seconds.")


def set_headers(response: HttpResponse, standing: RateLimitStatus | None) -> None:
    """Tell the client where it stands."""
    if standing is None:
        return
    response["X-RateLimit-Limit"] = str(standing.limit)
    response["X-RateLimit-Remaining"] = str(standing.remaining)
    response["X-RateLimit-Reset"] = str(standing.resets_at)
    if not standing.allowed:
        response["Retry-After"] = str(standing.retry_after)
