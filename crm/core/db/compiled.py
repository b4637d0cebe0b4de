"""Queries that the ORM compiles once, with named parameters that are filled in at each run.

Compiling a query costs more than running it. A query is built once with `Param` in the place of each value that
differs from run to run.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast
from uuid import UUID
from weakref import WeakSet

from django.db.models import Expression, QuerySet

from crm.core import clock
from crm.core.actor import Actor
from crm.core.db.statements import connection


class Param(Expression):
    """A named parameter of a compiled query. In compiled SQL it stands among the parameters, as itself."""

    def __init__(self, name: str, output_field: Any = None) -> None:
        self.name = name
        super().__init__(output_field=output_field)

    def __repr__(self) -> str:
        return f"Param({self.name!r})"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """Return a placeholder, and the parameter itself as its value."""
        return "%s", [self]


# Given at each run; the dot keeps them apart from what callers name.
ORGANIZATION_ID, USER_ID = Param("actor.organization_id"), Param("actor.user_id")
NOW = Param("run.now")  # the time

# Actors whose ids are parameters: querysets are built for them once, and run for everybody of the same scope.
TEMPLATE_ACTORS = {
    sees_all: Actor(organization_id=cast(UUID, ORGANIZATION_ID), user_id=cast(UUID, USER_ID), sees_all=sees_all)
    for sees_all in (True, False)
}


class CompiledStatement(NamedTuple):
    """SQL and its parameters: plain values, and `Param` where each run has a value of its own."""

    sql: str
    params: tuple[Any, ...]

    @classmethod
    def of(cls, rows: QuerySet[Any]) -> "CompiledStatement":
        """Compile a queryset; one that can find nothing becomes SQL that finds nothing."""
        return cls(*rows.query.get_compiler(connection().alias, elide_empty=False).as_sql())

    def run(self, actor: Actor, values: Mapping[str, Any] = {}) -> list[tuple[Any, ...]]:
        """Fetch the rows for an actor, with `values` for the parameters by name."""
        known = {
            **values,
            ORGANIZATION_ID.name: actor.organization_id,
            USER_ID.name: actor.user_id,
            NOW.name: clock.now(),
        }
        params = [known[p.name] if isinstance(p, Param) else p for p in self.params]
        rows: list[tuple[Any, ...]] = connection().run(self.sql, params).rows()
        return rows


_compiled: "WeakSet[CompiledQuery]" = WeakSet()


def clear_cache() -> None:
    """Compile every query anew: for tests that change what a queryset becomes."""
    for query in _compiled:
        query.statements.clear()


class CompiledQuery:
    """A queryset as a function of an actor and named values; its SQL may differ by the actor's scope alone.

    `for_share` locks the rows found against changes until the transaction ends; others may lock them so, too.
    """

    def __init__(self, build: Callable[..., QuerySet[Any]], *, for_share: bool = False) -> None:
        self.build, self.for_share = build, for_share
        self.statements: dict[bool, CompiledStatement] = {}
        _compiled.add(self)

    def rows(self, actor: Actor, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows; ids come as text."""
        statement = self.statements.get(actor.sees_all)
        if statement is None:
            rows = self.build(TEMPLATE_ACTORS[actor.sees_all], **{name: Param(name) for name in values})
            statement = CompiledStatement.of(rows)
            if self.for_share:
                statement = statement._replace(sql=f"{statement.sql} FOR SHARE")
            self.statements[actor.sees_all] = statement
        return statement.run(actor, values)
