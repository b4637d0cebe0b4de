"""Reading for who is believed to ask, while asking who it is: one message to the database instead of three."""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from crm.core.tenancy import Question, tenant

Asker = TypeVar("Asker")
Found = TypeVar("Found")


def read(
    organization_id: UUID,
    question: Question,
    *,
    believed: Asker | None,
    find: Callable[[], Asker],
    work: Callable[[Asker], Found],
) -> Found:
    """Return what `work`, which may not write, finds in the organization for who `find` says is asking.

    `find` reads the answer to `question`, which travels with the first statement of `work`. Where it is not the very
    object that was `believed`, what was found is thrown away and found anew; where it raises, nothing is answered.
    """
    with tenant(organization_id, asking=question, reading=True):
        if believed is None:
            return work(find())
        fault: Exception | None = None
        try:
            found = work(believed)
        except Exception as error:  # noqa: BLE001 - raised below, unless it was found for the wrong one
            fault = error
        if (asker := find()) is not believed:
            return work(asker)
        if fault is not None:
            raise fault
        return found
