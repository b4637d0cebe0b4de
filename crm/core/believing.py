"""Reading for who is believed to ask, while asking who it is: one message to the database instead of three."""

from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError

from crm.core.db import PiggybackQuery, tenant

MAX_ENTRIES = 10_000

Asker = TypeVar("Asker")
Found = TypeVar("Found")


class ActorCache(Generic[Asker]):
    """Who asked under each key when it was last answered. Every request asks again: this saves a step, no more."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[tuple[Any, ...], Asker]] = {}

    def cached(self, key: Hashable) -> Asker | None:
        """Return who it was, or None where this process has not seen the key."""
        known = self._known.get(key)
        return known[1] if known else None

    def current(self, key: Hashable, answer: tuple[Any, ...], make: Callable[[], Asker]) -> Asker:
        """Return who it is by the answer: the very object it was, as long as the answer is the same."""
        known = self._known.get(key)
        if known is not None and known[0] == answer:
            return known[1]
        asker = make()
        if len(self._known) >= MAX_ENTRIES:
            self._known.clear()
        self._known[key] = (answer, asker)
        return asker

    def forget(self, key: Hashable) -> None:
        """Forget who it was."""
        self._known.pop(key, None)


def read(
    organization_id: UUID,
    question: PiggybackQuery,
    *,
    believed: Asker | None,
    find: Callable[[], Asker],
    work: Callable[[Asker], Found],
) -> Found:
    """Return what `work`, which may not write, finds in the organization for who `find` says is asking.

    `find` reads the answer to `question`, which travels with the first statement of `work`. Where it is not the very
    object that was `believed`, what was found is thrown away and found anew; where it raises, nothing is answered.
    Nor is anything where the database did not answer `work`: then it cannot tell who is asking either.
    """
    with tenant(organization_id, piggyback=question, read_only=True):
        if believed is None:
            return work(find())
        fault: Exception | None = None
        try:
            found = work(believed)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - raised below, unless it was found for the wrong one
            fault = error
        if (asker := find()) is not believed:
            return work(asker)
        if fault is not None:
            raise fault
        return found
