"""PostgreSQL back end whose transactions begin inside their tenant, in the message of what is first asked of them."""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error
from django.db.backends.postgresql import base
from django.db.backends.utils import debug_transaction

from crm.core import tenancy
from crm.core.database import roles
from crm.core.database.wire import Answer, Params, Statement, Wire


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's back end; the outermost `atomic()` starts with the scope that `crm.core.tenancy` holds.

    A statement outside a transaction carries no scope, so policies show it no rows. A scope that only reads begins
    when it is first asked, and by `run` each statement is a transaction of its own, in one message with its scope.
    """

    wire: Wire
    waiting: tenancy.Scope | None = None
    answered: tuple[tenancy.Question, list[tuple[Any, ...]]] | None = None

    def connect(self) -> None:
        """Open the connection; what was prepared on the one before, or waited to begin on it, is gone with it."""
        self.waiting = None
        super().connect()
        if self.alias == DEFAULT_DB_ALIAS:
            self._refuse_unsafe()
        self.wire = Wire(self.connection, prepares=settings.PREPARED_STATEMENTS)

    def _refuse_unsafe(self) -> None:
        try:
            roles.refuse_unsafe(self.connection)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; what waited to begin on it never does."""
        self.waiting = None
        super().close()

    def run(self, statement: str, params: Params) -> Answer:
        """Run a statement in the current transaction, prepared and without a cursor; parameters as in `Wire.say`."""
        self.ensure_connection()
        if self.force_debug_cursor:
            self.queries_log.append({"sql": statement, "time": "0"})
        with self.wrap_database_errors:
            if self.waiting is not None:
                return self._read(self.waiting, (statement, params))
            return self.wire.say([(statement, params)])[0]

    def answer(self, question: tenancy.Question) -> list[tuple[Any, ...]]:
        """Return the rows of a question: what came with the first message of its transaction, or else asked now."""
        if self.answered is None and self.waiting is not None:
            with self.wrap_database_errors:
                self._read(self.waiting)
        if self.answered is not None and self.answered[0] is question:
            return self.answered[1]
        return self.run(question.statement, question.ids).rows()

    def switch(self, scope: tenancy.Scope) -> None:
        """Move the running transaction into another scope."""
        self._begin_waiting()
        with self.wrap_database_errors:
            self.wire.say(scope.switch_statements())

    def _start_transaction_under_autocommit(self) -> None:
        scope = tenancy.current()
        self.answered = self.waiting = None
        if scope.is_reading:
            self.waiting = scope
            return
        try:
            self._begin(scope)
        except Error:
            # Django does not count it as begun, and would never end what the server may have begun.
            try:
                self._rollback()
            except Error:
                self.close()
            raise

    def _cursor(self, name: str | None = None) -> Any:
        self._begin_waiting()
        return super()._cursor(name)  # type: ignore[misc]  # the stubs leave it out

    def _begin_waiting(self) -> None:
        if self.waiting is not None:
            scope, self.waiting = self.waiting, None
            self._begin(scope)

    def _begin(self, scope: tenancy.Scope) -> None:
        begin = "BEGIN READ ONLY" if scope.is_reading else "BEGIN"
        with self.wrap_database_errors:
            self._ask(scope, [(begin, ()), *scope.statements()])

    def _read(self, scope: tenancy.Scope, *statements: Statement) -> Answer:
        return self._ask(scope, scope.statements(), statements)[-1]

    def _ask(
        self, scope: tenancy.Scope, opening: Sequence[Statement], statements: Sequence[Statement] = ()
    ) -> list[Answer]:
        """Say what opens a transaction, its scope's question unless it is answered, and the statements."""
        question = scope.asking if self.answered is None else None
        asked = [(question.statement, question.ids)] if question else []
        answers = self._say_on_a_living_connection([*opening, *asked, *statements])
        if question:
            self.answered = (question, answers[len(opening)].rows())
        return answers

    def _say_on_a_living_connection(self, statements: Sequence[Statement]) -> list[Answer]:
        """Say what nothing was said before. A connection that died while idle is replaced: nothing is lost with it."""
        try:
            return self.wire.say(statements)
        except psycopg.OperationalError:
            if not self.connection.closed:
                raise
            self._replace_connection()
            return self.wire.say(statements)

    def _replace_connection(self) -> None:
        """Connect anew in the middle of a transaction that has said nothing yet.

        Where nobody takes the connection the transaction is over: what is left of it must not go on outside its scope.
        """
        waiting = self.waiting
        standing = self.in_atomic_block, self.atomic_blocks, self.savepoint_ids, self.autocommit
        self.in_atomic_block = False
        self.close()
        try:
            self.connect()
        except BaseException:
            self.close()
            self.in_atomic_block, self.atomic_blocks, self.savepoint_ids, self.autocommit = standing
            self.closed_in_transaction = self.needs_rollback = self.in_atomic_block
            raise
        self.waiting = waiting
        self.in_atomic_block, self.atomic_blocks, self.savepoint_ids, self.autocommit = standing

    def _commit(self) -> None:
        self._finish("COMMIT")

    def _rollback(self) -> None:
        self._finish("ROLLBACK")

    def _finish(self, word: str) -> None:
        if self.waiting is not None:
            self.waiting = None
        elif self.connection is not None:
            with debug_transaction(self, word), self.wrap_database_errors:
                self.wire.finish(word.encode())
