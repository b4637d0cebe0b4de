"""Django's PostgreSQL back end, with tenant scopes, prepared statements, and several statements in one message."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error
from django.db.backends.postgresql import base
from django.db.backends.utils import CursorDebugWrapper, debug_transaction

from crm.core import database_role
from crm.core.db.backend.pipeline import Pipeline, Result
from crm.core.db.scope import Params, PiggybackQuery, Scope, Statement, current


class DatabaseWrapper(base.DatabaseWrapper):
    """Begins the outermost `atomic()` in the scope that `crm.core.db.scope` holds.

    A statement outside a transaction has no scope, so policies show it no rows. A read-only scope is deferred: it
    sends no BEGIN, and each statement of `run` is a transaction of its own, in one message with its scope.
    """

    pipeline: Pipeline
    deferred_scope: Scope | None = None
    piggyback_result: tuple[PiggybackQuery, list[tuple[Any, ...]]] | None = None

    def connect(self) -> None:
        """Open the connection; prepared statements and a deferred scope of the former one are gone."""
        self.deferred_scope = None
        super().connect()
        if self.alias == DEFAULT_DB_ALIAS:
            self._refuse_unsafe()
        self.pipeline = Pipeline(self.connection, prepares=settings.PREPARED_STATEMENTS)

    def _refuse_unsafe(self) -> None:
        try:
            database_role.refuse_unsafe(self.connection)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; a deferred scope never begins."""
        self.deferred_scope = None
        super().close()

    def run(self, statement: str, params: Params) -> Result:
        """Run a prepared statement without a cursor in the current transaction; params as in `Pipeline.execute`."""
        self.ensure_connection()
        if self.execute_wrappers or self.queries_logged:
            result: Result = self._observed(statement, params, partial(self._run, statement, params))
            return result
        return self._run(statement, params)

    def _run(self, statement: str, params: Params) -> Result:
        with self.wrap_database_errors:
            if self.deferred_scope is not None:
                scope = self.deferred_scope
                return self._begin_and_execute(scope, scope.statements(), [(statement, params)])[-1]
            return self.pipeline.execute([(statement, params)])[0]

    def _observed(self, statement: str, params: Params, execute: Callable[[], Any]) -> Any:
        """Execute through `execute_wrappers` and into the query log, as Django's cursors do."""
        executor: Callable[..., Any] = lambda *_: execute()  # noqa: E731 - the end of the chain of wrappers
        for wrapper in reversed(self.execute_wrappers):
            executor = partial(wrapper, executor)
        context = {"connection": self, "cursor": None}
        if not self.queries_logged:
            return executor(statement, params, False, context)  # noqa: FBT003 - the wrappers' signature: many
        with CursorDebugWrapper(None, self).debug_sql(self._rendered(statement, params), params):
            return executor(statement, params, False, context)  # noqa: FBT003 - the same

    def _rendered(self, statement: str, params: Params) -> str:
        """Return a statement with its values, for the query log."""
        try:
            return psycopg.ClientCursor(self.connection).mogrify(statement, params)
        except psycopg.Error:  # its parameters are numbered ($1), which psycopg does not read
            return f"{statement} -- {params!r}"

    def piggyback_rows(self, query: PiggybackQuery) -> list[tuple[Any, ...]]:
        """Return the rows of a query: what came with the transaction's first message, or the result of running it."""
        if self.piggyback_result is None and self.deferred_scope is not None:
            with self.wrap_database_errors:
                self._begin_and_execute(self.deferred_scope, self.deferred_scope.statements())
        if self.piggyback_result is not None and self.piggyback_result[0] is query:
            return self.piggyback_result[1]
        return self.run(query.statement, query.ids).rows()

    def switch(self, scope: Scope) -> None:
        """Move the running transaction into another scope."""
        self._begin_deferred()
        with self.wrap_database_errors:
            self.pipeline.execute(scope.switch_statements())

    def _start_transaction_under_autocommit(self) -> None:
        scope = current()
        self.piggyback_result = self.deferred_scope = None
        if scope.is_read_only:
            self.deferred_scope = scope
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
        self._begin_deferred()
        return super()._cursor(name)  # type: ignore[misc]  # the stubs leave it out

    def _begin_deferred(self) -> None:
        if self.deferred_scope is not None:
            scope, self.deferred_scope = self.deferred_scope, None
            self._begin(scope)

    def _begin(self, scope: Scope) -> None:
        begin = "BEGIN READ ONLY" if scope.is_read_only else "BEGIN"
        with self.wrap_database_errors:
            self._begin_and_execute(scope, [(begin, ()), *scope.statements()])

    def _begin_and_execute(
        self, scope: Scope, opening: Sequence[Statement], statements: Sequence[Statement] = ()
    ) -> list[Result]:
        """Send what opens a transaction, its scope's piggyback query unless that has run, and the statements."""
        query = scope.piggyback if self.piggyback_result is None else None
        if query is None:
            return self._execute_reconnecting([*opening, *statements])
        send = partial(self._execute_reconnecting, [*opening, (query.statement, query.ids), *statements])
        is_observed = self.execute_wrappers or self.queries_logged
        results = self._observed(query.statement, query.ids, send) if is_observed else send()
        self.piggyback_result = (query, results[len(opening)].rows())
        return results

    def _execute_reconnecting(self, statements: Sequence[Statement]) -> list[Result]:
        """Execute the first message of a transaction; a connection that died while idle is replaced without loss."""
        try:
            return self.pipeline.execute(statements)
        except psycopg.OperationalError:
            if not self.connection.closed:
                raise
            self._replace_connection()
            return self.pipeline.execute(statements)

    def _replace_connection(self) -> None:
        """Connect anew inside a transaction that has sent nothing yet.

        Where that fails the transaction is over: what is left of its block must not run outside its scope.
        """
        deferred_scope = self.deferred_scope
        state = self.in_atomic_block, self.atomic_blocks, self.savepoint_ids, self.autocommit
        self.in_atomic_block = False
        self.close()
        try:
            self.connect()
        except BaseException:
            self.close()
            self.in_atomic_block, self.atomic_blocks, self.savepoint_ids, self.autocommit = state
            self.closed_in_transaction = self.needs_rollback = self.in_atomic_block
            raise
        self.deferred_scope = deferred_scope
        self.in_atomic_block, self.atomic_blocks, self.savepoint_ids, self.autocommit = state

    def _commit(self) -> None:
        self._end_transaction("COMMIT")

    def _rollback(self) -> None:
        self._end_transaction("ROLLBACK")

    def _end_transaction(self, word: str) -> None:
        if self.deferred_scope is not None:
            self.deferred_scope = None
        elif self.connection is not None:
            with debug_transaction(self, word), self.wrap_database_errors:
                self.pipeline.end_transaction(word.encode())
