"""Statements beside the cursors: values there and back, errors, what stays prepared, and connections that die."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import orjson
import psycopg
import pytest
from django.db import (
    DataError,
    Error,
    IntegrityError,
    InternalError,
    OperationalError,
    connection,
    connections,
    transaction,
)

from accounts.models import Organization
from crm.core import db
from crm.core.db import PiggybackQuery, tenant
from crm.core.db.backend import pipeline
from crm.core.db.backend.base import DatabaseWrapper
from tests.conftest import Tenant
from tests.core.test_tenancy import asked, terminate

MOMENT = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


def prepared() -> int:
    """How many statements the connection keeps."""
    return int(asked("SELECT count(*) FROM pg_prepared_statements WHERE NOT from_sql"))


@pytest.mark.parametrize(
    ("statement", "params", "row"),
    [
        ("SELECT %s::int, %s::text", (1, "a"), (1, "a")),
        ("SELECT %(b)s::int, %(a)s::text, %(b)s::int + 1", {"a": "x", "b": 4, "unused": 5}, (4, "x", 5)),
        ("SELECT 7 %% 4, 'ab' LIKE 'a%%'", (), (3, True)),
        ("SELECT %s::timestamptz, %s::date", (MOMENT, MOMENT.date()), (MOMENT, MOMENT.date())),
        ("SELECT %s::numeric, %s::bool, %s::text", (Decimal("1.50"), True, None), ("1.50", True, None)),
        ("SELECT %s::text[], cardinality(%s::int[])", (["a", "%s", None], [1, 2]), (["a", "%s", None], 2)),
        ("SELECT %s::int8, %s::text", (2**40, "'; DROP TABLE x; --"), (2**40, "'; DROP TABLE x; --")),
    ],
)
def test_values_go_there_and_back(statement: str, params: Any, row: tuple[Any, ...]) -> None:
    for _ in range(2):  # prepared, and then again
        assert db.fetch(statement, params) == [row]


def test_ids_are_text_and_json_stays_as_it_was_written() -> None:
    key = uuid4()

    ((id_, document),) = db.fetch('SELECT %s::uuid, \'{"b": 1, "a": [1.0]}\'::json', (key,))

    assert id_ == str(key)
    assert orjson.dumps(document) == b'{"b": 1, "a": [1.0]}'


def test_a_statement_is_prepared_once_for_each_kind_of_values() -> None:
    def ask(value: Any) -> None:
        db.fetch(f"SELECT %s::text -- {mark}", (value,))

    mark, before = uuid4(), prepared()
    for value in ("a", "b", None, "c"):
        ask(value)
    assert prepared() == before + 1
    ask(5)
    assert prepared() == before + 2


def test_the_statements_that_were_not_used_for_longest_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    connection.close()
    monkeypatch.setattr(pipeline, "MAX_PREPARED", 3)
    for number in (1, 2, 3, 1, 4, 5):
        assert db.fetch(f"SELECT {number}, %s::int", (0,)) == [(number, 0)]

    kept = db.fetch("SELECT statement FROM pg_prepared_statements WHERE statement LIKE %s", ("SELECT _, $1::int",))

    assert sorted(statement[7] for (statement,) in kept) == ["1", "4", "5"]
    connection.close()


def test_statements_that_fail_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    connection.close()
    monkeypatch.setattr(pipeline, "MAX_PREPARED", 3)
    for number in range(20):
        with pytest.raises(DataError, match="division by zero"):
            db.fetch(f"SELECT {number} / %s::int", (0,))

    assert prepared() <= 4  # the last one lets go of none
    connection.close()


def test_a_refused_request_leaves_what_is_prepared(acme: Tenant) -> None:
    def work(*, fails: bool) -> None:
        with tenant(acme.id):
            db.fetch("SELECT name FROM accounts_organization WHERE slug = %s", (acme.slug,))
            if fails:
                raise KeyError

    work(fails=False)
    before = prepared()
    with pytest.raises(KeyError):
        work(fails=True)

    assert prepared() == before


def test_what_cannot_be_prepared_is_an_error_each_time() -> None:
    for _ in range(2):
        with pytest.raises(Exception, match="nowhere"):
            db.fetch("SELECT * FROM nowhere WHERE x = %s", (1,))
    assert db.fetch("SELECT %s::int", (1,)) == [(1,)]


def test_a_statement_that_fails_at_first_is_found_prepared_afterwards() -> None:
    text = f"SELECT 1 / %s::int -- {uuid4()}"
    before = prepared()
    for _ in range(3):
        with pytest.raises(DataError, match="division by zero"):
            db.fetch(text, (0,))

    assert db.fetch(text, (1,)) == [(1,)]
    assert prepared() == before + 1


def test_values_that_cannot_be_sent_leave_the_connection_well() -> None:
    connection.close()
    for _ in range(2):
        with pytest.raises(DataError, match="NUL"):
            db.fetch("SELECT %s::text", ("a\0b",))
        with pytest.raises(DataError, match="NUL"), tenant(uuid4(), read_only=True):
            db.fetch("SELECT %s::text", ("a\0b",))

    with tenant(uuid4(), read_only=True):
        assert db.fetch("SELECT %s::text", ("ab",)) == [("ab",)]


@pytest.mark.parametrize("change", ["DEALLOCATE ALL", "ALTER TABLE {table} ALTER n TYPE text"])
def test_what_is_no_longer_prepared_is_prepared_anew(change: str, acme: Tenant) -> None:
    """By somebody on the connection, or by a migration while we run: a request of its own does not notice."""
    table = f"shifting_{uuid4().hex}"
    piggyback = f"SELECT n FROM {table}"  # noqa: S608 - a name of our own
    with connections["owner"].cursor() as owner:
        owner.execute(f"CREATE TABLE {table} AS SELECT 1 AS n; GRANT SELECT ON {table} TO crm_app")
        with tenant(acme.id, read_only=True):
            assert db.fetch(piggyback, ()) == [(1,)]

        (owner if "ALTER" in change else connection.cursor()).execute(change.format(table=table))

        with tenant(acme.id, read_only=True):
            assert [str(n) for (n,) in db.fetch(piggyback, ())] == ["1"]
        owner.execute(f"DROP TABLE {table}")


def test_what_a_transaction_is_asked_as_it_begins_is_prepared_anew(acme: Tenant) -> None:
    """The message that begins a transaction has begun it when the statement behind turns out to be out of date."""
    table = f"shifting_{uuid4().hex}"
    with connections["owner"].cursor() as owner:
        owner.execute(f"CREATE TABLE {table} AS SELECT 1 AS n; GRANT SELECT ON {table} TO crm_app")
        question = PiggybackQuery(f"SELECT n FROM {table} WHERE $1::uuid IS NOT NULL", (acme.id,))  # noqa: S608 - our own
        with tenant(acme.id, piggyback=question):
            assert db.piggyback_rows(question) == [(1,)]

        owner.execute(f"ALTER TABLE {table} ALTER n TYPE text")

        with tenant(acme.id, piggyback=question):
            assert db.piggyback_rows(question) == [("1",)]
            Organization.objects.update(name="Written")
        owner.execute(f"DROP TABLE {table}")
    with tenant(acme.id):
        assert Organization.objects.get().name == "Written"


def test_a_transaction_that_fails_as_it_begins_leaves_none_open(acme: Tenant) -> None:
    question = PiggybackQuery("SELECT 1 / (SELECT 0 * count(*) FROM accounts_user WHERE id <> $1)", (acme.id,))

    with pytest.raises(DataError, match="division by zero"), tenant(acme.id, piggyback=question):
        pass

    assert connection.connection.info.transaction_status.name == "IDLE"
    with tenant(acme.id):
        assert Organization.objects.get().pk == acme.id


def test_an_error_keeps_nothing_of_the_message_and_leaves_the_connection_well(acme: Tenant) -> None:
    taken = ("UPDATE accounts_organization SET name = 'Kept?' WHERE id = %s", (acme.id,))
    scope = ("SELECT set_config('app.organization_id', %s, true)", (str(acme.id),))

    with pytest.raises(Exception, match="division by zero"):
        connection.pipeline.execute([scope, taken, ("SELECT 1 / %s::int", (0,)), ("SELECT 1", ())])

    assert asked("SELECT current_setting('app.organization_id', true)") in {None, ""}
    with tenant(acme.id):
        assert Organization.objects.get(pk=acme.id).name == acme.organization.name


def test_errors_are_djangos(acme: Tenant) -> None:
    with tenant(acme.id):
        with pytest.raises(IntegrityError), transaction.atomic():
            db.fetch("INSERT INTO accounts_organization (id) VALUES (%s)", (acme.id,))
        with pytest.raises(DataError, match="NUL"):
            db.fetch("SELECT %s::text", ("a\0b",))
        assert Organization.objects.count() == 1


def test_more_than_the_sockets_hold_goes_through() -> None:
    text = "x" * 20_000_000

    assert db.fetch("SELECT %s::text, %s::text", (text, text)) == [(text, text)]


def test_without_prepared_statements_it_works_the_same(settings: Any, acme: Tenant) -> None:
    connection.close()
    settings.PREPARED_STATEMENTS = False
    for _ in range(2):
        with tenant(acme.id, read_only=True):
            assert db.fetch("SELECT name, %s::int FROM accounts_organization", (3,)) == [(acme.organization.name, 3)]
    assert prepared() == 0
    connection.close()


class TestReading:
    """A transaction that only reads."""

    def test_each_statement_is_one_message_and_leaves_nothing_open(
        self, acme: Tenant, other: Tenant, messages: Callable[[], int]
    ) -> None:
        with tenant(acme.id, read_only=True):
            for _ in range(3):
                assert db.fetch("SELECT id FROM accounts_organization", ()) == [(str(acme.id),)]
            assert connection.connection.info.transaction_status.name == "IDLE"

        assert messages() == 3

    def test_an_answer_comes_with_the_first_statement(self, acme: Tenant, messages: Callable[[], int]) -> None:
        question = PiggybackQuery("SELECT slug FROM accounts_organization WHERE id = $1", (acme.id,))

        with tenant(acme.id, piggyback=question, read_only=True):
            db.fetch("SELECT 1", ())
            assert db.piggyback_rows(question) == [(acme.slug,)]
            assert db.piggyback_rows(question) == [(acme.slug,)]

        assert messages() == 1

    def test_an_answer_that_nothing_came_with_is_asked_for(self, acme: Tenant, messages: Callable[[], int]) -> None:
        question = PiggybackQuery("SELECT slug FROM accounts_organization WHERE id = $1", (acme.id,))

        with tenant(acme.id, piggyback=question, read_only=True):
            assert db.piggyback_rows(question) == [(acme.slug,)]
            db.fetch("SELECT 1", ())

        assert messages() == 2

    def test_nothing_is_asked_of_what_asks_nothing(self, acme: Tenant, messages: Callable[[], int]) -> None:
        with tenant(acme.id, read_only=True):
            pass

        assert messages() == 0

    def test_the_orm_sees_the_same_organization_alone(self, acme: Tenant, other: Tenant) -> None:
        with tenant(acme.id, read_only=True):
            db.fetch("SELECT 1", ())
            assert list(Organization.objects.values_list("pk", flat=True)) == [acme.id]
            with tenant(other.id):
                assert list(Organization.objects.values_list("pk", flat=True)) == [other.id]
            assert db.fetch("SELECT id FROM accounts_organization", ()) == [(str(acme.id),)]
        assert not Organization.objects.exists()

    @pytest.mark.parametrize("way", ["statement", "orm", "nested scope"])
    def test_it_cannot_write(self, way: str, acme: Tenant) -> None:
        def write() -> None:
            if way == "statement":
                db.fetch("UPDATE accounts_organization SET name = 'Written' RETURNING id", ())
            elif way == "orm":
                Organization.objects.update(name="Written")
            else:
                with tenant(acme.id):
                    Organization.objects.update(name="Written")

        with pytest.raises(InternalError, match="read-only transaction"), tenant(acme.id, read_only=True):
            write()

        with tenant(acme.id):
            assert Organization.objects.get().name == acme.organization.name
            Organization.objects.update(name="Written")  # and the next transaction can

    def test_a_connection_that_died_idle_is_replaced(self, acme: Tenant) -> None:
        backend = asked("SELECT pg_backend_pid()")
        terminate(backend)

        with tenant(acme.id, read_only=True):
            assert db.fetch("SELECT id FROM accounts_organization", ()) == [(str(acme.id),)]
            with transaction.atomic():
                assert asked("SELECT pg_backend_pid()") != backend
        with tenant(acme.id):
            assert Organization.objects.get().pk == acme.id

    @pytest.mark.parametrize("way", ["statement", "orm", "savepoint"])
    def test_a_scope_that_finds_no_connection_does_not_go_on_without_it(
        self, way: str, acme: Tenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Outside of it a question would be answered too: by nothing, as if nothing were there."""

        def ask() -> None:
            if way == "statement":
                db.fetch("SELECT id FROM accounts_organization", ())
            elif way == "orm":
                Organization.objects.get()
            else:
                with transaction.atomic():
                    pass

        terminate(asked("SELECT pg_backend_pid()"))
        with tenant(acme.id, read_only=True):
            with monkeypatch.context() as away:
                away.setattr(DatabaseWrapper, "get_new_connection", refuse)
                with pytest.raises(OperationalError, match="starting up"):
                    ask()
            with pytest.raises(Error):
                db.fetch("SELECT id FROM accounts_organization", ())
            with pytest.raises(Error):
                Organization.objects.exists()

        with tenant(acme.id, read_only=True):
            assert db.fetch("SELECT id FROM accounts_organization", ()) == [(str(acme.id),)]


def refuse(*_: Any) -> None:
    """As a server that is not up yet answers."""
    raise psycopg.OperationalError("the database system is starting up")


def test_a_connection_closed_before_it_began_leaves_no_beginning_behind(acme: Tenant) -> None:
    def work() -> None:
        with tenant(acme.id, read_only=True):
            connection.close()
            raise KeyError

    with pytest.raises(KeyError):
        work()

    assert not Organization.objects.exists()
    assert connection.connection.info.transaction_status.name == "IDLE"


def test_a_connection_that_dies_in_a_transaction_takes_it_along(acme: Tenant) -> None:
    def work() -> None:
        with tenant(acme.id):
            db.fetch("UPDATE accounts_organization SET name = 'Lost' RETURNING id", ())
            terminate(asked("SELECT pg_backend_pid()"))
            db.fetch("SELECT 1", ())

    with pytest.raises(OperationalError):
        work()

    with tenant(acme.id):
        assert Organization.objects.get().name == acme.organization.name


def test_a_statement_that_is_interrupted_leaves_no_answer_to_the_next(acme: Tenant) -> None:
    """What interrupts (a deadline's signal) comes while the answer is on its way."""

    def interrupt(generator: Any) -> Any:
        next(generator)
        raise KeyboardInterrupt

    def work() -> None:
        with tenant(acme.id):
            connection.connection.wait = interrupt
            db.fetch("SELECT 'of the interrupted'", ())

    with pytest.raises(KeyboardInterrupt):
        work()

    with tenant(acme.id):
        assert db.fetch("SELECT 'of the next'", ()) == [("of the next",)]
