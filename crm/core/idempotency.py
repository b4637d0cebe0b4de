"""Safe repeats: the first answer to a POST under an `Idempotency-Key` is kept in the transaction of its effect.

The key's row is inserted first, so that a rival waits on the unique index until the first one has committed, and
then repeats its answer; where the first one rolled back, the rival does the work itself.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import OperationalError, connection
from django.db.models import QuerySet
from psycopg import errors as pg

from crm.core import clock
from crm.core.actor import Actor
from crm.core.errors import Conflict, DomainError, Kind, Malformed
from crm.core.models import IdempotencyKey
from crm.core.tenancy import operator, tenant

KEPT_FOR = timedelta(hours=24)
LONGEST_KEY = 255
WAIT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """A final answer: status and JSON bytes."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """What a repeat must equal: who asks for what under which key, and the hash of the body."""

    actor: Actor
    route: str
    key: str
    body_hash: str

    @property
    def user_id(self) -> UUID:
        """Return whose key it is; only people send keys."""
        if self.actor.user_id is None:
            raise ValueError("An Idempotency-Key needs a user.")
        return self.actor.user_id

    @classmethod
    def of(cls, actor: Actor, route: str, key: str, body: bytes) -> "Request":
        """Check the key and make the request; the route is method and path, shortened by hash where it is long."""
        if not key or len(key) > LONGEST_KEY or not key.isprintable():
            raise Malformed(f"Idempotency-Key must have 1 to {LONGEST_KEY} printable characters.")
        name = route if len(route) <= 300 else hashlib.sha256(route.encode()).hexdigest()
        return cls(actor, name, key, hashlib.sha256(body).hexdigest())


def once(request: Request, work: Callable[[], Answer]) -> tuple[Answer, bool]:
    """Do the work, or return the answer it got before, and whether it is a repeat. Inside the request's transaction."""
    if not _claim(request):
        return _answered(request), True
    answer = work()
    _rows(request).update(status=answer.status, response=answer.body)
    return answer, False


def keep_refusal(request: Request, answer: Answer) -> None:
    """Keep a final business refusal, whose transaction was rolled back and took the claim with it."""
    with tenant(request.actor.organization_id):
        IdempotencyKey.objects.bulk_create(
            [_row(request, status=answer.status, response=answer.body)], ignore_conflicts=True
        )


def _row(request: Request, **answer: object) -> IdempotencyKey:
    return IdempotencyKey(
        organization_id=request.actor.organization_id,
        user_id=request.user_id,
        route=request.route,
        key=request.key,
        body_hash=request.body_hash,
        **answer,
    )


def _rows(request: Request) -> QuerySet[IdempotencyKey]:
    return IdempotencyKey.objects.of(request.actor).filter(
        user_id=request.user_id, route=request.route, key=request.key
    )


def _claim(request: Request) -> bool:
    _rows(request).filter(created_at__lt=clock.now() - KEPT_FOR).delete()
    row = _row(request)
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'")
        try:
            cursor.execute(
                "INSERT INTO core_idempotencykey (id, organization_id, user_id, route, key, body_hash, created_at) "
                "VALUES (%s, %s, %s, %s, %s, %s, now()) ON CONFLICT DO NOTHING",
                [row.id, row.organization_id, row.user_id, row.route, row.key, row.body_hash],
            )
        except OperationalError as error:
            if isinstance(error.__cause__, pg.LockNotAvailable):
                raise Conflict("The first request is still running.", code="IDEMPOTENCY_IN_PROGRESS") from error
            raise
        claimed: bool = cursor.rowcount == 1
        cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    return claimed


def _answered(request: Request) -> Answer:
    """Return the kept answer. Read Committed: the rival's commit is visible to this new statement."""
    row = _rows(request).get()
    if row.body_hash != request.body_hash:
        raise KeyReused
    return Answer(int(row.status or 0), bytes(row.response or b""))


class KeyReused(DomainError):
    """The key was used with another body: 422 on every surface."""

    kind = Kind.UNPROCESSABLE
    code = "IDEMPOTENCY_KEY_REUSED"
    message = "This Idempotency-Key was used with another body."


def forget_expired() -> None:
    """Remove keys older than 24 hours."""
    with operator("sweep"):
        IdempotencyKey.objects.filter(created_at__lt=clock.now() - KEPT_FOR).delete()
