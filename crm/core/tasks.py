"""Celery doors of the kernel."""

from celery import shared_task

from crm.core import idempotency, outbox, rates, tallies


@shared_task
def deliver_outbox() -> int:
    """Deliver what is due; safe to run any number of times at once."""
    return outbox.deliver_due()


@shared_task
def fold_tallies() -> None:
    """Fold signed row counts into one row per kind and owner."""
    tallies.fold()


@shared_task
def sweep() -> None:
    """Remove what has expired: delivered messages, answered keys, closed windows."""
    outbox.forget_done()
    idempotency.forget_expired()
    rates.forget_closed()
