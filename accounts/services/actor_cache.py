"""Actors whose sessions this process has checked, so that a read can begin while its session is checked anew."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from crm.core.actor import Actor

MAX_ENTRIES = 10_000


@dataclass(frozen=True, slots=True)
class ActorCheck:
    """Who acted when it was last checked (None: it was not), and `load`, which returns who does now, or raises."""

    cached: Actor | None
    load: Callable[[], Actor]


class ActorCache:
    """Actors by key, with the row that they were made of. Every request checks anew: this saves no check."""

    def __init__(self) -> None:
        self._entries: dict[Hashable, tuple[tuple[Any, ...], Actor]] = {}

    def cached(self, key: Hashable) -> Actor | None:
        """Return the actor, or None where this process has not seen the key."""
        entry = self._entries.get(key)
        return entry[1] if entry else None

    def current(self, key: Hashable, row: tuple[Any, ...], make: Callable[[], Actor]) -> Actor:
        """Return the actor of this row: the very object it was, as long as the row is the same."""
        entry = self._entries.get(key)
        if entry is not None and entry[0] == row:
            return entry[1]
        actor = make()
        if len(self._entries) >= MAX_ENTRIES:
            self._entries.clear()
        self._entries[key] = (row, actor)
        return actor

    def forget(self, key: Hashable) -> None:
        """Remove an actor."""
        self._entries.pop(key, None)
