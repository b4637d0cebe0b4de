"""The outbox: work is a row written with its cause; a worker claims, acts and records. Delivery is at least once.

Handlers are named in `settings.OUTBOX_HANDLERS` (topic: dotted path) and take (message id, payload). A handler must
be a no-op when its effect has already happened.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils.module_loading import import_string

from crm.core import clock, wakeup
from crm.core.db import operator, tenant
from crm.core.models import OutboxMessage

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)  # longer than a handler should take; what a killed worker held is taken up after it
BATCH = 20
RUN_SECONDS = 45.0  # of one run, well below the task's time limit; the next one goes on
# Seconds to wait after the first, second … failure; after the last the message is a dead letter.
BACKOFF = (5, 30, 120, 600, 1800, 3600, 7200, 14400)
MOST_ATTEMPTS = len(BACKOFF) + 1
ENDED_WORKERS = "Every worker that took this message ended before it was done."


def enqueue(
    organization_id: UUID, topic: str, payload: Mapping[str, Any], *, delay: timedelta = timedelta()
) -> OutboxMessage:
    """Add a message inside the current transaction; the workers are notified once it has committed."""
    message = OutboxMessage.objects.create(
        organization_id=organization_id, topic=topic, payload=dict(payload), due_at=clock.now() + delay
    )
    if not delay:
        transaction.on_commit(wakeup.notify_workers)
    return message


def deliver_due(limit: int = 1000, *, seconds: float = RUN_SECONDS) -> int:
    """Claim and deliver due messages until none is left, `limit` were handled or the time is up; return how many were.

    No message is begun after `seconds`.
    """
    ends_at = time.monotonic() + seconds
    handled = 0
    while handled < limit:
        lease = uuid4()
        batch = _claim(lease)
        if not batch:
            break
        for message in batch:
            if time.monotonic() >= ends_at:
                _release(lease)
                return handled
            _deliver(message, lease)
            handled += 1
    return handled


def _claim(lease: UUID) -> list[OutboxMessage]:
    now = clock.now()
    with operator("outbox"):
        due = (
            OutboxMessage.objects.select_for_update(skip_locked=True)
            .filter(done_at__isnull=True, dead_at__isnull=True, due_at__lte=now)
            .filter(Q(leased_until__isnull=True) | Q(leased_until__lt=now))
            .order_by("due_at", "id")[:BATCH]
        )
        batch = list(due)
        OutboxMessage.objects.filter(pk__in=[message.pk for message in batch]).update(
            lease=lease, leased_until=now + LEASE
        )
    return batch


def _release(lease: UUID) -> None:
    """Let others claim what was not begun."""
    with operator("outbox"):
        OutboxMessage.objects.filter(lease=lease, done_at__isnull=True).update(leased_until=None)


def _deliver(message: OutboxMessage, lease: UUID) -> None:
    """Renew the lease (a worker that slept past it lost the message to another), act, record the outcome.

    The attempt is counted before the act: a message that kills its worker becomes a dead letter like one that
    fails, and the others of its batch are not held to account.
    """
    mine = OutboxMessage.objects.filter(pk=message.pk, lease=lease, done_at__isnull=True)
    with tenant(message.organization_id):
        held = mine.filter(leased_until__gt=clock.now())
        if message.attempts >= MOST_ATTEMPTS:
            held.update(dead_at=clock.now(), leased_until=None, last_error=message.last_error or ENDED_WORKERS)
            return
        if not held.update(leased_until=clock.now() + LEASE, attempts=F("attempts") + 1):
            return
    try:
        handler = import_string(settings.OUTBOX_HANDLERS[message.topic])
        handler(message.id, message.payload, organization_id=message.organization_id)
    except Exception as error:
        log.exception("Outbox message %s (%s) failed", message.id, message.topic)
        _reschedule(message, mine, error)
        return
    with tenant(message.organization_id):
        mine.update(done_at=clock.now(), leased_until=None, last_error="")


def _reschedule(message: OutboxMessage, mine: Any, error: Exception) -> None:
    attempt = message.attempts  # as it was before this attempt: 0 for the first failure
    reason = f"{type(error).__name__}: {error}"[:2000]
    with tenant(message.organization_id):
        if attempt >= len(BACKOFF):
            mine.update(dead_at=clock.now(), leased_until=None, last_error=reason)
        else:
            due_at = clock.now() + timedelta(seconds=BACKOFF[attempt])
            mine.update(due_at=due_at, leased_until=None, last_error=reason)


def forget_done(older_than: timedelta = timedelta(days=7)) -> int:
    """Remove delivered messages older than `older_than`; return how many."""
    with operator("sweep"):
        deleted, _ = OutboxMessage.objects.filter(done_at__lt=clock.now() - older_than).delete()
    return deleted


def retry_dead(pks: Sequence[UUID]) -> int:
    """Give dead letters to the worker once more, as if they were new; return how many, in an operator's scope."""
    dead = OutboxMessage.objects.filter(pk__in=pks, dead_at__isnull=False, done_at__isnull=True)
    retried = dead.update(dead_at=None, attempts=0, due_at=clock.now(), lease=None, leased_until=None)
    transaction.on_commit(wakeup.notify_workers)
    return retried
