"""Questions that are compiled once: the ORM's SQL, replayed with another actor's ids and other free values.

Compiling a query costs more than answering it. The question is asked once with stand-ins, and what they became in
the parameters is filled in each time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4
from weakref import WeakSet

from django.db.models import QuerySet

from crm.core import clock, sql
from crm.core.actor import Actor

ORGANIZATION, USER = uuid4(), uuid4()  # of this process: a value that a client sends must not stand for another
NOW = datetime(1, 1, 3, 7, 7, 7, 777777, tzinfo=UTC)  # in a question, the moment at which it is asked
ANYBODY = {sees_all: Actor(organization_id=ORGANIZATION, user_id=USER, sees_all=sees_all) for sees_all in (True, False)}


@dataclass(frozen=True, slots=True)
class Statement:
    """Compiled SQL and its parameters, some of which are stand-ins."""

    text: str
    params: tuple[Any, ...]

    def run(self, actor: Actor, values: Mapping[Any, Any]) -> list[tuple[Any, ...]]:
        """Fetch with the stand-ins, ids, texts, days and times, replaced by the actor's ids, the time and `values`."""
        known = {ORGANIZATION: actor.organization_id, USER: actor.user_id, NOW: clock.now(), **values}
        return sql.fetch(self.text, [known.get(p, p) if isinstance(p, UUID | str | date) else p for p in self.params])


_asked: "WeakSet[Replayed]" = WeakSet()


def forget() -> None:
    """Forget what was compiled: for tests that change what a question becomes."""
    for question in _asked:
        question.plans.clear()


class Replayed:
    """A question by actor and free values (ids and texts, by keyword), whose SQL depends on the actor's scope alone.

    `holding` keeps the rows found from being changed until the transaction ends; others may hold them too.
    """

    def __init__(self, question: Callable[..., QuerySet[Any]], *, holding: bool = False) -> None:
        self.question, self.holding = question, holding
        _asked.add(self)
        self.plans: dict[bool, Statement] = {}

    def rows(self, actor: Actor, **free: UUID | str) -> list[tuple[Any, ...]]:
        """Return the rows; ids come as text."""
        stand_ins = {
            name: UUID(int=0xC0 + index) if isinstance(value, UUID) else f"\ue000{name}"
            for index, (name, value) in enumerate(free.items())
        }
        if actor.sees_all not in self.plans:
            asked = self.question(ANYBODY[actor.sees_all], **stand_ins)
            text, params = asked.query.sql_with_params()
            self.plans[actor.sees_all] = Statement(f"{text} FOR SHARE" if self.holding else text, params)
        return self.plans[actor.sees_all].run(actor, {stand_ins[name]: value for name, value in free.items()})
