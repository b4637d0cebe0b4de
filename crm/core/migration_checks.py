"""A database of a version whose migrations are gone is named as such, before `migrate` fails in its middle."""

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.core import checks
from django.db import DatabaseError, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

TOO_OLD = (
    "This database was made by a version from before the migrations were squashed ({name} is applied and no longer "
    "there), and cannot be upgraded."
)
ADVICE = (
    "Start with an empty one: `make reset` removes the demo's data; for a database of your own, create a new one and "
    "run `migrate` on it."
)


@checks.register(checks.Tags.database)
def check_migrations(databases: Sequence[str] | None = None, **_: Any) -> list[checks.CheckMessage]:
    """Report migrations that are applied and unknown, under `migrate` and `check --database owner`."""
    if "owner" not in (databases or ()):
        return []
    connection = connections["owner"]
    try:
        applied = MigrationRecorder(connection).applied_migrations()
    except DatabaseError:
        return []  # which `migrate` will tell
    ours = {config.label for config in apps.get_app_configs() if not config.name.startswith("django.")}
    known = MigrationLoader(None).disk_migrations
    unknown = sorted(f"{app}.{name}" for app, name in applied if app in ours and (app, name) not in known)
    return [checks.Error(TOO_OLD.format(name=unknown[0]), hint=ADVICE, id="crm.E002")] if unknown else []
