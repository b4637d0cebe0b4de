"""The scope of a transaction: which organization's rows row-level security lets it see."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, transaction

Params = Any  # a sequence of values, or a mapping of them by name
Statement = tuple[str, Params]

_SET_OPERATOR: Statement = ("SET LOCAL ROLE crm_operator", ())
_RESET_ROLE: Statement = ("SET LOCAL ROLE NONE", ())
_SET_ORGANIZATION = "SELECT set_config('app.organization_id', %s, true)"
_SET_READ_ONLY = f"{_SET_ORGANIZATION}, set_config('transaction_read_only', 'on', true)"


@dataclass(frozen=True, slots=True)
class PiggybackQuery:
    """A query sent in the same message as a transaction's first statement; its parameters are ids (`$1` …)."""

    statement: str
    ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a transaction may see: one organization, everything (an operator's step), or nothing.

    `piggyback` is sent when the transaction begins; `piggyback_rows` returns its result. A read-only scope begins
    with its first statement instead of a message of its own.
    """

    organization_id: UUID | None = None
    is_operator: bool = False
    piggyback: PiggybackQuery | None = None
    is_read_only: bool = False

    def statements(self) -> list[Statement]:
        """Return the statements that bring a transaction which has just begun into this scope."""
        if self.is_operator:
            return [_SET_OPERATOR]
        if self.organization_id is None:
            return []
        statement = _SET_READ_ONLY if self.is_read_only else _SET_ORGANIZATION
        return [(statement, (str(UUID(str(self.organization_id))),))]

    def switch_statements(self) -> list[Statement]:
        """Return the statements that move a running transaction into this scope."""
        role = _SET_OPERATOR if self.is_operator else _RESET_ROLE
        organization = str(UUID(str(self.organization_id))) if self.organization_id else ""
        return [role, (_SET_ORGANIZATION, (organization,))]


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


def tenant(organization_id: UUID, *, piggyback: PiggybackQuery | None = None, read_only: bool = False) -> Any:
    """Open a transaction that sees `organization_id` alone.

    `piggyback` is sent with its first message. A `read_only` transaction cannot write; its BEGIN and COMMIT travel
    with its statements.
    """
    if organization_id is None:
        raise ValueError("A tenant transaction needs an organization.")
    return _entered(Scope(organization_id=organization_id, piggyback=piggyback, is_read_only=read_only))


# Every step that may look across organizations, with its reason. `operator()` takes no other name.
OPERATOR_STEPS = {
    "sign_in": "an e-mail address is looked up before its organization is known",
    "token_lookup": "invitations, resets and refresh tokens are found by their hash",
    "shop_lookup": "a shop is found by its slug",
    "register": "an organization is made before anybody belongs to it",
    "outbox": "the worker claims due work of all organizations",
    "sweep": "beat compacts counters and removes what has expired",
    "reminders": "beat finds the users of all organizations whose daily mail is due",
    "back_office": "platform operators work in the admin across organizations",
    "command": "management commands run by an operator",
}


def operator(step: str) -> Any:
    """Open a transaction that sees every organization, for one of the named `OPERATOR_STEPS`."""
    if step not in OPERATOR_STEPS:
        raise ValueError(f"{step!r} is not a listed operator step.")
    return _entered(Scope(is_operator=True))
