"""Django application of the kernel."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Events, outbox, idempotency keys, limits and counters."""

    name = "crm.core"
    label = "core"

    def ready(self) -> None:
        """Register the system checks."""
        from crm.core import database_role, migration_checks  # noqa: F401, PLC0415 - they register as they are imported
