"""Celery tasks of sales."""

from celery import shared_task

from sales.services import daily_reminders


@shared_task
def send_reminders() -> int:
    """Mail everybody whose reminder is due; safe to run any number of times at once."""
    return daily_reminders.send()


@shared_task
def sweep() -> None:
    """Remove what has expired."""
    daily_reminders.forget_old()
