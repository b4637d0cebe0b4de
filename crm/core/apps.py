"""Django application of the kernel."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Events, outbox, idempotency keys, limits and tallies."""

    name = "crm.core"
    label = "core"

    def ready(self) -> None:
        """Register the system checks."""
        from crm.core import database_role  # noqa: F401, PLC0415 - registers as it is imported, once Django is set up
