"""The scope that every transaction runs in: what row-level security (wall 2) lets it see."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from crm.core.database.wire import Statement

_AS_OPERATOR: Statement = ("SET LOCAL ROLE crm_operator", ())
_AS_ONESELF: Statement = ("SET LOCAL ROLE NONE", ())
_WORK_IN = "SELECT set_config('app.organization_id', %s, true)"
_READ_IN = f"{_WORK_IN}, set_config('transaction_read_only', 'on', true)"


@dataclass(frozen=True, slots=True)
class Question:
    """A statement that travels with a transaction's first message; `$1` and so on stand for the ids."""

    statement: str
    ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a transaction may see: one organization, everything (an operator's step), or nothing.

    `asking` is put in the moment it begins; `crm.core.sql.answer` has what it found. One that `is_reading` may not
    write, and begins when it is first asked.
    """

    organization_id: UUID | None = None
    is_operator: bool = False
    asking: Question | None = None
    is_reading: bool = False

    def statements(self) -> list[Statement]:
        """Return the statements that bring a transaction which has just begun into this scope."""
        if self.is_operator:
            return [_AS_OPERATOR]
        if self.organization_id is None:
            return []
        return [(_READ_IN if self.is_reading else _WORK_IN, (str(UUID(str(self.organization_id))),))]

    def switch_statements(self) -> list[Statement]:
        """Return the statements that move a running transaction into this scope."""
        role = _AS_OPERATOR if self.is_operator else _AS_ONESELF
        organization = str(UUID(str(self.organization_id))) if self.organization_id else ""
        return [role, (_WORK_IN, (organization,))]


NOTHING = Scope()
_scope: ContextVar[Scope] = ContextVar("tenant_scope", default=NOTHING)


def current() -> Scope:
    """Return the scope that the next transaction will begin in."""
    return _scope.get()


@contextmanager
def _entered(scope: Scope) -> Iterator[None]:
    connection: Any = connections[DEFAULT_DB_ALIAS]
    token = _scope.set(scope)
    try:
        if not connection.in_atomic_block:
            with transaction.atomic():
                yield
            return
        previous = token.old_value if token.old_value is not token.MISSING else NOTHING
        with transaction.atomic():
            connection.switch(scope)
            yield
            # A released savepoint keeps the setting, a rolled-back one restores it by itself.
            connection.switch(previous)
    finally:
        _scope.reset(token)


def tenant(organization_id: UUID, *, asking: Question | None = None, reading: bool = False) -> Any:
    """Open a transaction that sees `organization_id` alone, and put a question to it on the way.

    One for `reading` may not write; what it asks by `crm.core.sql` takes no message for its beginning or its end.
    """
    if organization_id is None:
        raise ValueError("A tenant transaction needs an organization.")
    return _entered(Scope(organization_id=organization_id, asking=asking, is_reading=reading))


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
