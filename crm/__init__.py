"""The project package : settings, the kernel (`core`), the API's base classes (`api`)."""

from crm.celery import app as celery_app

__all__ = ["celery_app"]
