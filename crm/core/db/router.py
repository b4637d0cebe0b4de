"""Both aliases are the same database under two roles; relations between their objects are fine."""

from typing import Any


class OneDatabase:
    """Reads and writes go to `default`, migrations run on `owner` alone."""

    def allow_relation(self, *_: Any, **__: Any) -> bool:
        """Objects of both aliases live in one database."""
        return True

    def allow_migrate(self, db: str, app_label: str, **_: Any) -> bool:
        """Tables are made by their owner."""
        return db == "owner"
