"""PostgreSQL back end whose transactions begin inside their tenant: BEGIN and the scope travel in one round trip."""

from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base

from crm.core import tenancy


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's back end; the outermost `atomic()` starts with the scope that `crm.core.tenancy` holds.

    A statement outside a transaction carries no scope, so policies show it no rows.
    """

    reader: psycopg.Cursor[Any] | None = None
    opened: tuple[tenancy.Question, list[tuple[Any, ...]]] | None = None
    prepared: set[str]

    def connect(self) -> None:
        """Open the connection; what was prepared on the one before is gone with it."""
        self.reader, self.prepared = None, set()
        super().connect()

    def _start_transaction_under_autocommit(self) -> None:
        """Send BEGIN with the scope. A connection that died while idle is replaced: nothing was begun on it yet."""
        scope = tenancy.current()
        with self.wrap_database_errors:
            try:
                self._begin(scope)
            except psycopg.OperationalError:
                if not self.connection.closed:
                    raise
                self.close()
                self.connect()
                self._begin(scope)

    def _begin(self, scope: tenancy.Scope) -> None:
        self.opened = None
        question = scope.asking if settings.PREPARED_STATEMENTS else None
        if question is None:
            self.connection.execute(f"BEGIN{scope.statements()}")
            return
        if question.name not in self.prepared:
            self._prepare(question)
        try:
            results = self._open(scope, question)
        except psycopg.errors.InvalidSqlStatementName:  # after a rollback psycopg forgets what was prepared
            self._prepare(question)
            results = self._open(scope, question)
        while results.nextset():
            pass
        self.opened = (question, results.fetchall())

    def _prepare(self, question: tenancy.Question) -> None:
        self.connection.execute(question.preparation())
        self.prepared.add(question.name)

    def _open(self, scope: tenancy.Scope, question: tenancy.Question) -> psycopg.Cursor[Any]:
        connection: psycopg.Connection[Any] = self.connection
        try:
            return connection.execute(f"BEGIN{scope.statements()}; {question.execution()}")
        except psycopg.Error:
            if not connection.closed:
                connection.rollback()
            raise
