"""Celery doors of identity."""

from celery import shared_task

from accounts.services import sweeping


@shared_task
def sweep() -> None:
    """Remove what has expired."""
    sweeping.sweep()
