"""The project package and its floor: settings, the kernel (`core`), the wire kit (`api`)."""

from crm.celery import app as celery_app

__all__ = ["celery_app"]
