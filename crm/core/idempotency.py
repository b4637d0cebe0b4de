"""Safe repeats: the first answer to a POST under an `Idempotency-Key` is kept in the transaction of its effect.

The key's row is inserted first, so that a rival waits on the unique index until the first one has committed, and
then repeats its answer; where the first one rolled back, the rival does the work itself. An answer about a row that
its asker may not see any more is not repeated.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import OperationalError, connection
from django.db.models import Model, QuerySet
from django.utils.crypto import salted_hmac
from psycopg import errors as pg

from crm.core import clock
from crm.core.actor import Actor
from crm.core.db import operator, tenant
from crm.core.errors import Conflict, DomainError, ErrorKind, Malformed, NotFound
from crm.core.models import IdempotencyKey

KEPT_FOR = timedelta(hours=24)
LONGEST_KEY = 255
WAIT_SECONDS = 5
_SALT = "crm.core.idempotency"


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A final answer: status, JSON bytes, and the row that they are about, where it is one."""

    status: int
    body: bytes
    subject: Model | None = None

    def columns(self) -> dict[str, object]:
        """Return what is kept; of rows that everybody of the organization sees, the answer alone."""
        subject = self.subject if getattr(self.subject, "owned_by", None) else None
        return {
            "status": self.status,
            "response": self.body,
            "subject_type": subject._meta.label_lower if subject else "",  # noqa: SLF001 - Django's documented model metadata
            "subject_id": subject.pk if subject else None,
        }


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """What a repeat must equal: who asks for what under which key, and the keyed hash (HMAC) of the body.

    Bodies may hold passwords: without the site's secret key nobody can try out which body has the hash.
    """

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
    def of(cls, actor: Actor, route: str, key: str, body: bytes) -> "IdempotentRequest":
        """Check the key and make the request; the route is method and path, shortened by hash where it is long."""
        if not key or len(key) > LONGEST_KEY or not key.isprintable():
            raise Malformed(f"Idempotency-Key must have 1 to {LONGEST_KEY} printable characters.")
        name = route if len(route) <= 300 else hashlib.sha256(route.encode()).hexdigest()
        return cls(actor, name, key, salted_hmac(_SALT, body, algorithm="sha256").hexdigest())


def run_once(request: IdempotentRequest, work: Callable[[], StoredResponse]) -> tuple[StoredResponse, bool]:
    """Do the work, or return the answer it got before, and whether it is a repeat. Inside the request's transaction."""
    if not _claim(request):
        return _answered(request), True
    answer = work()
    _rows(request).update(**answer.columns())
    return answer, False


def store_refusal(request: IdempotentRequest, answer: StoredResponse) -> None:
    """Keep a final business refusal, whose transaction was rolled back and took the claim with it."""
    with tenant(request.actor.organization_id):
        IdempotencyKey.objects.bulk_create([_row(request, **answer.columns())], ignore_conflicts=True)


def _row(request: IdempotentRequest, **answer: object) -> IdempotencyKey:
    return IdempotencyKey(
        organization_id=request.actor.organization_id,
        user_id=request.user_id,
        route=request.route,
        key=request.key,
        body_hash=request.body_hash,
        **answer,
    )


def _rows(request: IdempotentRequest) -> QuerySet[IdempotencyKey]:
    return IdempotencyKey.objects.of(request.actor).filter(
        user_id=request.user_id, route=request.route, key=request.key
    )


def _claim(request: IdempotentRequest) -> bool:
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


def _answered(request: IdempotentRequest) -> StoredResponse:
    """Return the kept answer. Read Committed: the rival's commit is visible to this new statement."""
    row = _rows(request).get()
    if row.body_hash != request.body_hash:
        raise KeyReused
    if row.subject_type:
        _require_sight(request.actor, row)
    return StoredResponse(int(row.status or 0), bytes(row.response or b""))


def _require_sight(actor: Actor, row: IdempotencyKey) -> None:
    """Raise `NotFound` unless the actor still sees the row that the kept answer is about, deleted or not."""
    rows: Any = apps.get_model(row.subject_type)._default_manager  # noqa: SLF001 - Django's documented name
    if not actor.sees_all and not rows.visible_to(actor).filter(pk=row.subject_id).exists():
        raise NotFound


class KeyReused(DomainError):
    """The key was used with another body: 422 on every surface."""

    kind = ErrorKind.UNPROCESSABLE
    code = "IDEMPOTENCY_KEY_REUSED"
    message = "This Idempotency-Key was used with another body."


def forget_expired() -> None:
    """Remove keys older than 24 hours."""
    with operator("sweep"):
        IdempotencyKey.objects.filter(created_at__lt=clock.now() - KEPT_FOR).delete()
