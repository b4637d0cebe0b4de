"""Django application of the kernel."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Events, outbox, idempotency keys, limits and tallies."""

    name = "crm.core"
    label = "core"
