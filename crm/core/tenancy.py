"""The scope that every transaction runs in: what row-level security (wall 2) lets it see."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, transaction


@dataclass(frozen=True, slots=True)
class Question:
    """A statement that travels with BEGIN, in the same round trip: prepared as `name`, its values are ids alone."""

    name: str
    statement: str
    ids: tuple[UUID, ...]

    def preparation(self) -> str:
        """Return the SQL that prepares it on a connection; `$1` and so on stand for the ids."""
        return f"PREPARE {self.name} ({', '.join('uuid' for _ in self.ids)}) AS {self.statement}"

    def execution(self) -> str:
        """Return the SQL that asks it. The ids are UUID objects, so their text needs no quoting rules."""
        values = ", ".join(f"'{UUID(str(value))}'" for value in self.ids)
        return f"EXECUTE {self.name} ({values})"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a transaction may see: one organization, everything (an operator's step), or nothing.

    `asking` is put in the moment it begins; `crm.core.sql.answer` has what it found.
    """

    organization_id: UUID | None = None
    is_operator: bool = False
    asking: Question | None = None

    def statements(self) -> str:
        """Return the SQL that follows BEGIN. The id is a UUID object, so its text needs no quoting rules."""
        if self.is_operator:
            return "; SET LOCAL ROLE crm_operator"
        if self.organization_id is not None:
            return f"; SET LOCAL app.organization_id = '{UUID(str(self.organization_id))}'"
        return ""

    def switch_statements(self) -> str:
        """Return the SQL that moves a running transaction into this scope."""
        role = "crm_operator" if self.is_operator else "NONE"
        organization = UUID(str(self.organization_id)) if self.organization_id else ""
        return f"SET LOCAL ROLE {role}; SET LOCAL app.organization_id = '{organization}'"


NOTHING = Scope()
_scope: ContextVar[Scope] = ContextVar("tenant_scope", default=NOTHING)


def current() -> Scope:
    """Return the scope that the next transaction will begin in."""
    return _scope.get()


@contextmanager
def _entered(scope: Scope) -> Iterator[None]:
    connection = connections[DEFAULT_DB_ALIAS]
    token = _scope.set(scope)
    try:
        if not connection.in_atomic_block:
            with transaction.atomic():
                yield
            return
        previous = token.old_value if token.old_value is not token.MISSING else NOTHING
        with transaction.atomic():
            _switch(connection, scope)
            yield
            # A released savepoint keeps the setting, a rolled-back one restores it by itself.
            _switch(connection, previous)
    finally:
        _scope.reset(token)


def _switch(connection: Any, scope: Scope) -> None:
    with connection.wrap_database_errors:
        connection.connection.execute(scope.switch_statements())


def tenant(organization_id: UUID, *, asking: Question | None = None) -> Any:
    """Open a transaction that sees `organization_id` alone, and put a question to it on the way."""
    if organization_id is None:
        raise ValueError("A tenant transaction needs an organization.")
    return _entered(Scope(organization_id=organization_id, asking=asking))


# Every step that may look across organizations, with its reason. `operator()` takes no other name.
OPERATOR_STEPS = {
    "sign_in": "an e-mail address is looked up before its organization is known",
    "token_lookup": "invitations, resets and refresh tokens are found by their hash",
    "shop_lookup": "a shop is found by its slug",
    "register": "an organization is made before anybody belongs to it",
    "outbox": "the worker claims due work of all organizations",
    "sweep": "beat folds tallies and removes what has expired",
    "reminders": "beat finds the people of all organizations whose morning has come",
    "back_office": "platform operators work in the admin across organizations",
    "command": "management commands run by an operator",
}


def operator(step: str) -> Any:
    """Open a transaction that sees every organization, for one of the named `OPERATOR_STEPS`."""
    if step not in OPERATOR_STEPS:
        raise ValueError(f"{step!r} is not a listed operator step.")
    return _entered(Scope(is_operator=True))
