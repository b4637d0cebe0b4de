"""Scopes: what a transaction sees, and that nothing of it outlives the transaction."""

import os
import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import OperationalError, ProgrammingError, connection, transaction

from accounts.models import Organization, User
from crm.core.db import operator, tenant
from crm.core.db.scope import NOTHING, OPERATOR_STEPS, Scope, current
from tests.conftest import Tenant
from tests.support.servers import ADMIN_URL


def asked(statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def role() -> str:
    return str(asked("SELECT current_user"))


def setting() -> str:
    return str(asked("SELECT COALESCE(current_setting('app.organization_id', true), '')"))


def visible() -> set[Any]:
    return set(Organization.objects.values_list("pk", flat=True))


def test_without_a_scope_it_shows_no_rows(acme: Tenant) -> None:
    assert visible() == set()
    assert User.objects.count() == 0
    with transaction.atomic():
        assert visible() == set()


def test_a_scope_shows_one_organization_alone(acme: Tenant, other: Tenant) -> None:
    with tenant(acme.id):
        assert visible() == {acme.id}
        assert set(User.objects.values_list("organization_id", flat=True)) == {acme.id}
        assert not User.objects.filter(pk=other.owner.pk).exists()


def test_a_scope_writes_into_one_organization_alone(acme: Tenant, other: Tenant) -> None:
    with tenant(acme.id):
        changed = User.objects.filter(pk=other.owner.pk).update(first_name="Mallory")
        deleted, _ = User.objects.filter(pk=other.owner.pk).delete()
    with pytest.raises(ProgrammingError, match="row-level security"), tenant(acme.id):
        User.objects.create(organization_id=other.id, email="mallory@example.com")
    with pytest.raises(ProgrammingError, match="row-level security"), tenant(acme.id):
        User.objects.filter(pk=acme.owner.pk).update(organization_id=other.id)

    assert (changed, deleted) == (0, 0)
    with tenant(other.id):
        assert User.objects.get(pk=other.owner.pk).first_name == "Owner"


def test_the_operators_scope_shows_every_organization(acme: Tenant, other: Tenant) -> None:
    with operator("command"):
        assert visible() >= {acme.id, other.id}
        assert role() == "crm_operator"


def test_a_nested_scope_restores_the_outer_one(acme: Tenant, other: Tenant) -> None:
    with tenant(acme.id):
        with tenant(other.id):
            assert visible() == {other.id}
            with operator("command"):
                assert visible() >= {acme.id, other.id}
            assert (role(), visible()) == ("crm_app", {other.id})
        assert (role(), visible()) == ("crm_app", {acme.id})


def test_a_nested_scope_restores_the_operators(acme: Tenant) -> None:
    with operator("command"):
        with tenant(acme.id):
            assert (role(), visible()) == ("crm_app", {acme.id})
        assert role() == "crm_operator"
        assert visible() > {acme.id}


@pytest.mark.parametrize("inner", ["tenant", "operator"])
def test_a_nested_scope_that_fails_restores_the_outer_one(inner: str, acme: Tenant, other: Tenant) -> None:
    scope = {"tenant": lambda: tenant(other.id), "operator": lambda: operator("command")}[inner]

    with tenant(acme.id):
        with pytest.raises(KeyError), scope():
            raise KeyError
        assert (role(), visible()) == ("crm_app", {acme.id})
        assert current() == Scope(organization_id=acme.id)


def test_a_nested_scope_whose_statement_fails_restores_the_outer_one(acme: Tenant, other: Tenant) -> None:
    with tenant(acme.id):
        with pytest.raises(ProgrammingError), tenant(other.id), connection.cursor() as cursor:
            cursor.execute("SELECT * FROM nowhere")
        assert (role(), visible()) == ("crm_app", {acme.id})


def test_savepoints_released_and_rolled_back_keep_the_scope(acme: Tenant, other: Tenant) -> None:
    with tenant(acme.id):
        with transaction.atomic(), tenant(other.id), transaction.atomic():
            assert visible() == {other.id}
        assert visible() == {acme.id}
        with transaction.atomic():
            with tenant(other.id):
                pass
            transaction.set_rollback(True)
        assert visible() == {acme.id}


def test_a_scope_inside_a_bare_transaction_leaves_no_scope_behind(acme: Tenant) -> None:
    with transaction.atomic():
        with tenant(acme.id):
            assert visible() == {acme.id}
        assert (setting(), visible()) == ("", set())


@pytest.mark.parametrize("failing", [False, True], ids=["committed", "rolled-back"])
def test_nothing_leaks_to_the_next_transaction_of_the_connection(failing: bool, acme: Tenant) -> None:  # noqa: FBT001 - a parameter
    for scope in (lambda: tenant(acme.id), lambda: operator("command")):
        try:
            with scope():
                backend = asked("SELECT pg_backend_pid()")
                if failing:
                    raise KeyError
        except KeyError:
            pass

        assert current() == NOTHING
        assert (role(), setting(), visible()) == ("crm_app", "", set())
        with transaction.atomic():
            assert (role(), setting(), visible()) == ("crm_app", "", set())
            assert asked("SELECT pg_backend_pid()") == backend


def test_nothing_leaks_to_another_thread(acme: Tenant) -> None:
    seen: list[Any] = []

    def look() -> None:
        seen.append((current(), visible()))
        connection.close()

    with tenant(acme.id):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()

    assert seen == [(NOTHING, set())]


def test_scopes_of_several_threads_do_not_mix(organization: Callable[..., Tenant]) -> None:
    tenants = [organization(roles=("owner",)) for _ in range(4)]
    wrong: list[Any] = []

    def work(mine: Tenant) -> None:
        for _ in range(25):
            with tenant(mine.id):
                if visible() != {mine.id}:
                    wrong.append(mine.id)
        connection.close()

    threads = [threading.Thread(target=work, args=(mine,)) for mine in tenants]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


@pytest.mark.parametrize("step", ["", "anything", "OUTBOX", "command "])
def test_an_operators_step_that_is_not_listed_is_refused(step: str) -> None:
    with pytest.raises(ValueError, match="not a listed"):
        operator(step)


def test_every_operators_step_has_a_reason() -> None:
    assert all(len(reason) > 20 for reason in OPERATOR_STEPS.values())


def test_a_scope_of_no_organization_is_refused() -> None:
    with pytest.raises(ValueError, match="organization"):
        tenant(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", ["", "x'; SET ROLE crm_operator; --", "1", "{}", None])
def test_a_scope_takes_ids_alone(bad: Any) -> None:
    with pytest.raises((ValueError, AttributeError, TypeError)), tenant(bad):
        pass

    assert current() == NOTHING
    assert (role(), visible()) == ("crm_app", set())


def test_an_unknown_organization_shows_nothing() -> None:
    with tenant(uuid4()):
        assert visible() == set()


def test_a_connection_that_died_idle_is_replaced(acme: Tenant) -> None:
    with tenant(acme.id):
        backend = asked("SELECT pg_backend_pid()")
    terminate(backend)

    with tenant(acme.id):
        assert visible() == {acme.id}
        assert asked("SELECT pg_backend_pid()") != backend


@pytest.mark.parametrize("where", ["before the inner one", "inside the inner one"])
def test_a_scope_that_dies_with_its_connection_leaves_none_behind(where: str, acme: Tenant, other: Tenant) -> None:
    """Nested scopes speak to the connection themselves; what goes wrong there is Django's error like any other."""

    def work() -> None:
        with tenant(acme.id):
            if where == "before the inner one":
                terminate(asked("SELECT pg_backend_pid()"))
            with tenant(other.id):
                terminate(asked("SELECT pg_backend_pid()"))

    with pytest.raises(OperationalError):
        work()

    assert current() == NOTHING
    with tenant(acme.id):
        assert visible() == {acme.id}


def terminate(backend: int) -> None:
    with psycopg.connect(os.environ[ADMIN_URL], autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
