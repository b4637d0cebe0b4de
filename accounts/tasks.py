"""Celery tasks of identity."""

from celery import shared_task

from accounts.services import cleanup


@shared_task
def sweep() -> None:
    """Remove what has expired."""
    cleanup.sweep()
