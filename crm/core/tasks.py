"""Celery tasks of the kernel."""

from celery import shared_task

from crm.core import counters, idempotency, outbox, rate_limits


@shared_task
def deliver_outbox() -> int:
    """Deliver what is due; safe to run any number of times at once."""
    return outbox.deliver_due()


@shared_task
def compact_counters() -> None:
    """Fold signed row counts into one row per kind and owner."""
    counters.compact()


@shared_task
def sweep() -> None:
    """Remove what has expired: delivered messages, answered keys, closed windows."""
    outbox.forget_done()
    idempotency.forget_expired()
    rate_limits.forget_closed()
