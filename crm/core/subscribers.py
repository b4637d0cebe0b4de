"""Who acts on what an app below does: one table, `settings.SUBSCRIBERS`.

`in_transaction` maps a step of a service to functions that run inside it, and whose failure undoes it. `after_commit`
maps the name of a recorded event (`*`: of every event) to the outbox topics that hear of it once it has committed.
"""

from functools import cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string


def call(step: str, *args: Any, **kwargs: Any) -> None:
    """Run the functions that subscribe to a step, in the order of the table."""
    for path in settings.SUBSCRIBERS["in_transaction"][step]:
        import_string(path)(*args, **kwargs)


@cache
def topics_of(event: str) -> tuple[str, ...]:
    """Return the outbox topics that hear of an event of this name."""
    table: dict[str, tuple[str, ...]] = settings.SUBSCRIBERS["after_commit"]
    return (*table.get(event, ()), *table.get("*", ()))
