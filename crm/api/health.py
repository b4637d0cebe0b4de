"""Liveness and readiness. Whatever is frozen or away, the answer comes within about two seconds."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from typing import Any

import redis
from celery import current_app
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from kombu.exceptions import OperationalError

from crm.api.exceptions import error_response
from crm.api.platform import PLATFORM
from crm.api.renderers import json_response
from crm.api.routers import route
from crm.api.schema import extend_schema
from crm.api.storefront import STOREFRONT
from crm.api.viewsets import SAFE_METHODS, ApiViewSet
from crm.core.errors import MethodNotAllowed

log = logging.getLogger(__name__)

DEADLINE_SECONDS = 1.8
STEP_SECONDS = 1
PARTS = ("ok", "down")
COMPONENTS = dict.fromkeys(("database", "redis", "search", "worker"), PARTS)

# Checks that hang keep their thread until the dependency moves again; there are never more than these.
_threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="health")


@csrf_exempt
def site(request: HttpRequest) -> HttpResponse:
    """Tell that the process responds; asks nothing of others."""
    if request.method in SAFE_METHODS:
        return json_response({"status": "ok"})
    if request.method == "OPTIONS":
        response = HttpResponse(status=204)
    else:
        response = error_response(MethodNotAllowed(f"{request.method} is not allowed here."), PLATFORM)
    response["Allow"] = "GET, HEAD, OPTIONS"
    return response


def _database() -> bool:
    """Ask over a connection of its own: one that waits in the pool may belong to a server that is gone."""
    connection = connections[DEFAULT_DB_ALIAS].copy()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    finally:
        connection.close()
    return True


def _redis() -> bool:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=STEP_SECONDS, socket_connect_timeout=STEP_SECONDS)
    try:
        return bool(client.ping())
    except (redis.RedisError, OSError):
        return False
    finally:
        client.close()


def _worker() -> bool:
    try:
        return bool(current_app.control.ping(timeout=STEP_SECONDS, limit=1))
    except (OperationalError, redis.RedisError, OSError):
        return False


def _ask(*checks: Callable[[], bool]) -> list[bool]:
    """Run the checks side by side; one that is not done by the deadline has failed."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    return [
        _outcome(requested, deadline - time.monotonic()) for requested in [_threads.submit(check) for check in checks]
    ]


def _outcome(asked: Future[bool], seconds: float) -> bool:
    try:
        return asked.result(max(0, seconds))
    except Late:
        asked.cancel()
        return False
    except Exception:
        log.exception("A health check broke")
        return False


class PlatformHealthViewSet(ApiViewSet):
    """Ping and health of the Platform."""

    surface = PLATFORM
    allow_anonymous = {"ping": "load balancers ask it", "health": "load balancers ask it"}
    unthrottled = frozenset({"ping", "health"})

    @extend_schema(response={"status": ("ok",)})
    def ping(self, request: Any) -> HttpResponse:
        """Report that the process responds."""
        return self.respond({"status": "ok"})

    @extend_schema(
        response={"status": ("ok", "degraded"), "components": COMPONENTS},
        other_responses={503: {"status": ("down",), "components": COMPONENTS}},
    )
    def health(self, request: Any) -> HttpResponse:
        """Report whether the process can work. Without database or Redis it is down, without a worker degraded."""
        database, redis_up, worker = _ask(_database, _redis, _worker)
        up = {"database": database, "redis": redis_up, "search": database, "worker": worker}
        components = {name: PARTS[not is_up] for name, is_up in up.items()}
        if not (database and redis_up):
            return self.respond({"status": "down", "components": components}, 503)
        return self.respond({"status": "ok" if worker else "degraded", "components": components})


class StorefrontHealthViewSet(ApiViewSet):
    """Health under a shop's base."""

    surface = STOREFRONT
    allow_anonymous = {"health": "load balancers ask it"}

    @extend_schema(response={"status": ("ok",)}, unwrapped=True)
    def health(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Report that the shop responds, without an envelope."""
        _ = self.shop
        return json_response({"status": "ok"})


platform = [route("ping", PlatformHealthViewSet, get="ping"), route("health", PlatformHealthViewSet, get="health")]
storefront = [route("health", StorefrontHealthViewSet, get="health")]
