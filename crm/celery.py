"""The Celery application. Workers deliver the outbox and run periodic jobs; what runs when is in `crm.schedule`."""

import os
import sys
from typing import Any

from celery import Celery
from celery.signals import beat_init, worker_init
from django.core.exceptions import ImproperlyConfigured

from crm.core import database_role

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")

app = Celery("crm")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
@beat_init.connect
def refuse_start(**_: Any) -> None:
    """End a worker or beat whose database role is unsafe; Celery would only log an exception."""
    try:
        database_role.refuse_start()
    except ImproperlyConfigured as refusal:
        sys.exit(f"CRM does not start. {refusal}")
