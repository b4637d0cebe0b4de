"""Prepared statements over libpq in pipeline mode: several statements in one message.

psycopg's cursors cost more than the statements of the hot paths, and its own pipeline mode twice as much as this one.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import orjson
import psycopg
from psycopg import abc, adapt, generators
from psycopg.abc import PQGen
from psycopg.adapt import Loader, PyFormat
from psycopg.errors import FeatureNotSupported, InvalidSqlStatementName, error_from_result
from psycopg.pq import ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.types.string import TextLoader

from crm.core.db.scope import Params, Statement

MAX_PREPARED = 500  # prepared statements of a connection
PLACEHOLDERS = re.compile(r"%(?:\((\w+)\)s|s|%)")
FAILED = frozenset({ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE, ExecStatus.PIPELINE_ABORTED})

Command = Callable[[PGconn], None]
StatementKey = tuple[bytes, tuple[int, ...]]  # SQL and the types of its parameters


class _JsonLoader(Loader):
    """Passes JSON columns on unparsed."""

    def load(self, data: Any) -> orjson.Fragment:
        return orjson.Fragment(bytes(data))


class Result:
    """The result of a statement."""

    __slots__ = ("_result", "_transformer")

    def __init__(self, result: PGresult, transformer: abc.Transformer) -> None:
        self._result, self._transformer = result, transformer

    def rows(self) -> list[tuple[Any, ...]]:
        """Return the rows; ids and decimals are text, JSON is an `orjson.Fragment`."""
        self._transformer.set_pgresult(self._result)
        return self._transformer.load_rows(0, self._result.ntuples, tuple)

    @property
    def count(self) -> int:
        """Return how many rows the statement affected."""
        return self._result.command_tuples or 0


class BoundStatement(NamedTuple):
    """A statement with its values, as libpq takes them."""

    kind: StatementKey
    values: Sequence[abc.Buffer | None]
    formats: Sequence[Format] | None


class Pipeline:
    """Executes statements on a psycopg connection, beside its cursors."""

    def __init__(self, connection: psycopg.Connection[Any], *, prepares: bool) -> None:
        self.connection, self.prepares = connection, prepares
        self._transformer: abc.Transformer = adapt.Transformer(_loading_cursor(connection))
        self._names: dict[StatementKey, bytes] = {}
        self._named = 0

    def execute(self, statements: Sequence[Statement]) -> list[Result]:
        """Send statements in one message and return the result of each, or raise the first error.

        Where no transaction is open and none of them opens one, they are one transaction together. Parameters are
        `%s`, `%(name)s`, or `$1` and so on.
        """
        bound = [self._bind(text, params) for text, params in statements]
        alone = self.connection.pgconn.transaction_status == TransactionStatus.IDLE
        try:
            return self._execute(bound)
        except (InvalidSqlStatementName, FeatureNotSupported):
            # The server has dropped what was prepared, or a table has changed.
            self._names.clear()
            if not alone:
                raise
            self.end_transaction(b"ROLLBACK")  # of the transaction that the message itself may have begun
            return self._execute(bound)

    def end_transaction(self, word: bytes) -> None:
        """End the transaction by COMMIT or ROLLBACK, if there is one.

        psycopg's own rollback would drop every prepared statement, for the transaction may have made tables.
        """
        pgconn = self.connection.pgconn
        if pgconn.transaction_status == TransactionStatus.IDLE:
            return
        pgconn.send_query(word)
        for result in self.connection.wait(generators.execute(pgconn)):
            if result.status in FAILED:
                raise error_from_result(result, encoding=self.connection.info.encoding)

    def _bind(self, text: str, params: Params) -> BoundStatement:
        query, names = _numbered(text)
        values = [params[name] for name in names] if isinstance(params, dict) else params
        formats = [PyFormat.AUTO] * len(values)
        dumped = self._transformer.dump_sequence(values, formats)
        return BoundStatement((query, self._transformer.types or ()), dumped, self._transformer.formats)

    def _execute(self, statements: list[BoundStatement]) -> list[Result]:
        commands: list[Command] = []
        if len(self._names) > MAX_PREPARED:
            commands += self._deallocate_unused()
        positions: list[int] = []
        prepared: dict[int, StatementKey] = {}
        for bound in statements:
            if self.prepares:
                name = self._names.pop(bound.kind, None)
                if name is None:
                    self._named += 1
                    name = b"w%d" % self._named
                    prepared[len(commands)] = bound.kind
                    commands.append(partial(_prepare, name, bound.kind))
                self._names[bound.kind] = name  # the last used come last
                commands.append(partial(_send_prepared, name, bound))
            else:
                commands.append(partial(_send, bound))
            positions.append(len(commands) - 1)
        results = self._exchange(commands)
        for place, kind in prepared.items():
            if results[place].status in FAILED:
                self._names.pop(kind, None)
        for result in results:
            if result.status in FAILED:
                raise error_from_result(result, encoding=self.connection.info.encoding)
        return [Result(results[place], self._transformer) for place in positions]

    def _deallocate_unused(self) -> Iterator[Command]:
        """Deallocate the least recently used statements, ahead of the message: behind a failure nothing is executed."""
        while len(self._names) > MAX_PREPARED:
            unused = self._names.pop(next(iter(self._names)))
            yield partial(_deallocate, unused)

    def _exchange(self, commands: list[Command]) -> list[PGresult]:
        pgconn = self.connection.pgconn
        pgconn.enter_pipeline_mode()
        try:
            for command in commands:
                command(pgconn)
            pgconn.pipeline_sync()
            results: list[PGresult] = self.connection.wait(_results(pgconn, len(commands)))
            pgconn.exit_pipeline_mode()
        except BaseException:
            # Results may still arrive that the next statement must not take for its own.
            self.connection.close()
            raise
        return results


def _prepare(name: bytes, kind: StatementKey, pgconn: PGconn) -> None:
    query, types = kind
    pgconn.send_prepare(name, query, types)


def _send_prepared(name: bytes, bound: BoundStatement, pgconn: PGconn) -> None:
    pgconn.send_query_prepared(name, bound.values, bound.formats)


def _send(bound: BoundStatement, pgconn: PGconn) -> None:
    query, types = bound.kind
    pgconn.send_query_params(query, bound.values, types, bound.formats)


def _deallocate(name: bytes, pgconn: PGconn) -> None:
    pgconn.send_query_params(b"DEALLOCATE " + name, None)


def _results(pgconn: PGconn, count: int) -> PQGen[list[PGresult]]:
    yield from generators.send(pgconn)
    results = []
    for _ in range(count):
        found = yield from generators.fetch_many(pgconn)
        results.append(found[-1])
    yield from generators.fetch_many(pgconn)  # the end of the pipeline
    return results


@lru_cache(maxsize=4096)
def _numbered(statement: str) -> tuple[bytes, tuple[str, ...]]:
    """Return a statement with its parameters numbered (`$1`), and their names in that order if they are named."""
    numbers: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        name = found[1] or f"%{len(numbers)}"
        return f"${numbers.setdefault(name, len(numbers) + 1)}"

    text = PLACEHOLDERS.sub(number, statement)
    return text.encode(), tuple(name for name in numbers if not name.startswith("%"))


def _loading_cursor(connection: psycopg.Connection[Any]) -> psycopg.Cursor[Any]:
    """Return a cursor whose loaders give values as JSON holds them, decoded in C."""
    reader = psycopg.Cursor(connection)
    for name in ("uuid", "numeric"):
        reader.adapters.register_loader(name, TextLoader)
    for name in ("timestamptz", "date"):  # psycopg's own, in C, instead of Django's in Python
        oid = psycopg.adapters.types[name].oid
        if loader := psycopg.adapters.get_loader(oid, Format.TEXT):
            reader.adapters.register_loader(oid, loader)
    for name in ("json", "jsonb"):
        reader.adapters.register_loader(name, _JsonLoader)
    return reader
