"""Rate limits at the door: guarded actions by client address, signed-in work by user."""

import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from crm.core import rates
from crm.core.errors import RateLimited
from crm.core.rates import Standing
from crm.core.tokens import Claims


def client_address(request: HttpRequest) -> str:
    """Return the client's address; `X-Forwarded-For` counts only behind `TRUSTED_PROXIES` proxies, from the right."""
    direct = request.META.get("REMOTE_ADDR") or "0.0.0.0"  # noqa: S104 - a stand-in for "unknown", nothing binds to it
    hops = settings.TRUSTED_PROXIES
    if not hops:
        return str(direct)
    chain = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    return chain[-hops] if len(chain) >= hops else str(direct)


def count(view: Any, request: HttpRequest, claims: Claims | None) -> Standing | None:
    """Count this request and return where its sender stands; None where nothing is limited."""
    if not settings.RATE_LIMITS:
        return None
    address = client_address(request)
    if view.action in view.guarded:
        standing = rates.hit_guarded(f"door:{address}", *settings.RATE_LIMIT_AUTH)
    elif not view.surface.is_limited:
        return None
    elif view.action in view.uncounted:
        limit, seconds = settings.RATE_LIMIT_GENERAL
        standing = Standing(limit, 0, int(time.time()) + seconds)
    else:
        who = f"user:{claims.user_id}" if claims else f"address:{address}"
        is_bulk = view.action in view.bulk
        rule = settings.RATE_LIMIT_BULK if is_bulk else settings.RATE_LIMIT_GENERAL
        standing = rates.hit(f"{'bulk' if is_bulk else 'general'}:{who}", *rule)
    return standing


def refuse_beyond(standing: Standing | None) -> None:
    """Raise `RateLimited` where the standing is past its limit."""
    if standing is not None and not standing.allowed:
        wait = standing.retry_after
        raise RateLimited(f"Too many requests. Try again in {wait} seconds.")


def set_headers(response: HttpResponse, standing: Standing | None) -> None:
    """Tell the client where it stands."""
    if standing is None:
        return
    response["X-RateLimit-Limit"] = str(standing.limit)
    response["X-RateLimit-Remaining"] = str(standing.remaining)
    response["X-RateLimit-Reset"] = str(standing.resets_at)
    if not standing.allowed:
        response["Retry-After"] = str(standing.retry_after)
