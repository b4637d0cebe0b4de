"""The walls as the database itself knows them: a walk over every table, so that a new one is covered unnamed."""

import os
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.apps import apps
from django.db import IntegrityError, ProgrammingError, connection, models
from django.db.models import DO_NOTHING

from accounts.models import OperatorEvent, User, UserRole
from crm.core import clock
from crm.core.db import TenantForeignKey, operator, tenant
from crm.core.models import Event
from tests.conftest import Tenant
from tests.support.servers import ADMIN_URL


def is_ours(model: type[models.Model]) -> bool:
    return not model.__module__.startswith(("django.", "rest_framework"))


def belongs_to_an_organization(model: type[models.Model]) -> bool:
    return any(field.attname == "organization_id" for field in model._meta.concrete_fields)


MODELS = [model for model in apps.get_models(include_auto_created=True) if is_ours(model)]
TENANT_MODELS = [model for model in MODELS if belongs_to_an_organization(model)]
ORGANIZATION = apps.get_model("accounts", "Organization")
# Tables without an organization: nothing in them belongs to one.
SHARED = {"core_ratecounter"}


def table(model: type[models.Model]) -> str:
    return model._meta.db_table


def rows(statement: str, *params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()


each_tenant_model = pytest.mark.parametrize("model", TENANT_MODELS, ids=table)


def test_it_walks_over_tables() -> None:
    assert len(TENANT_MODELS) >= 13


def test_the_application_connects_as_nobody_special() -> None:
    [found] = rows(
        "SELECT current_user, session_user, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, "
        "rolinherit FROM pg_roles WHERE rolname = current_user"
    )

    assert found == ("crm_app", "crm_app", False, False, False, False, False, False)


def test_the_operators_role_cannot_sign_in_and_stands_below_the_policies() -> None:
    [found] = rows("SELECT rolcanlogin, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = 'crm_operator'")

    assert found == (False, False, False)


def test_the_application_is_member_of_the_operators_role_alone() -> None:
    found = rows(
        "SELECT granted.rolname FROM pg_auth_members m JOIN pg_roles granted ON granted.oid = m.roleid "
        "JOIN pg_roles member ON member.oid = m.member WHERE member.rolname IN ('crm_app', 'crm_operator')"
    )

    assert found == [("crm_operator",)]


def test_the_application_owns_nothing() -> None:
    owned = rows(
        "SELECT 'relation', relname FROM pg_class WHERE pg_get_userbyid(relowner) IN ('crm_app', 'crm_operator') "
        "UNION ALL SELECT 'function', proname FROM pg_proc "
        "WHERE pg_get_userbyid(proowner) IN ('crm_app', 'crm_operator') "
        "UNION ALL SELECT 'schema', nspname FROM pg_namespace "
        "WHERE pg_get_userbyid(nspowner) IN ('crm_app', 'crm_operator') "
        "UNION ALL SELECT 'database', datname FROM pg_database "
        "WHERE pg_get_userbyid(datdba) IN ('crm_app', 'crm_operator')"
    )

    assert owned == []


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE public.mine (id int)",
        "CREATE SCHEMA mine",
        "ALTER TABLE contacts_contact DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE contacts_contact NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY contacts_contact_tenant ON contacts_contact",
        "CREATE POLICY mine ON contacts_contact USING (true)",
        "TRUNCATE contacts_contact",
        "SET ROLE crm_owner",
        "SET ROLE postgres",
        "ALTER ROLE crm_app BYPASSRLS",
        "ALTER TABLE contacts_contact DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "COPY contacts_contact TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/hostname')",
    ],
)
def test_the_application_cannot_take_the_wall_down(statement: str) -> None:
    with pytest.raises(ProgrammingError), tenant(uuid4()), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("model", [*TENANT_MODELS, ORGANIZATION], ids=table)
def test_row_level_security_is_on_and_forced(model: type[models.Model]) -> None:
    [found] = rows("SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", table(model))

    assert found == (True, True)


@pytest.mark.parametrize("model", [*TENANT_MODELS, ORGANIZATION], ids=table)
def test_its_policies_are_the_organizations_and_the_operators(model: type[models.Model]) -> None:
    name = table(model)
    found = {
        row[0]: row[1:]
        for row in rows(
            "SELECT policyname, permissive, roles::text, cmd, qual, with_check FROM pg_policies "
            "WHERE schemaname = 'public' AND tablename = %s",
            name,
        )
    }

    assert found.keys() == {f"{name}_tenant", f"{name}_operator"}
    assert found[f"{name}_operator"] == ("PERMISSIVE", "{crm_operator}", "ALL", "true", "true")
    permissive, roles, command, using, check = found[f"{name}_tenant"]
    assert (permissive, command, using) == ("PERMISSIVE", "ALL", check)
    assert roles in {"{public}", "{crm_app}"}
    column = "id" if model is ORGANIZATION else "organization_id"
    assert re.match(rf"\({column} = \( SELECT \(?NULLIF\(current_setting\('app\.organization_id'", using)


def test_every_table_of_ours_is_behind_the_wall_or_known_to_be_shared() -> None:
    open_tables = {
        name
        for (name,) in rows(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace "
            "AND NOT relrowsecurity AND relname !~ '^(django|auth)_'"
        )
    }

    assert open_tables == SHARED


@pytest.mark.parametrize("name", ["accounts_operatorevent", "accounts_operatortotp"])
def test_a_table_of_operators_shows_its_rows_to_their_role_alone(name: str) -> None:
    [found] = rows("SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", name)
    allowed = rows("SELECT DISTINCT roles::text FROM pg_policies WHERE tablename = %s", name)

    assert found == (True, True)
    assert allowed == [("{crm_operator}",)]


def test_events_of_operators_are_not_changed_and_kept_for_a_year() -> None:
    def event(age: timedelta) -> OperatorEvent:
        made = OperatorEvent(name=OperatorEvent.Name.FAILED, occurred_at=clock.now() - age)
        made.save(force_insert=True)
        return made

    with operator("command"):
        young, old = event(timedelta(days=364)), event(timedelta(days=367))
        OperatorEvent.objects.filter(pk__in=[young.pk, old.pk]).delete()
        left = list(OperatorEvent.objects.filter(pk__in=[young.pk, old.pk]))
    with pytest.raises(ProgrammingError, match="permission denied"), operator("command"):
        OperatorEvent.objects.filter(pk=young.pk).update(reason="forged")
    with pytest.raises(ProgrammingError, match="row-level security"):
        event(timedelta())

    assert left == [young]
    assert not OperatorEvent.objects.filter(pk=young.pk).exists()


def test_no_view_looks_around_the_wall() -> None:
    found = rows(
        "SELECT relname FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace "
        "AND NOT COALESCE(reloptions::text, '') LIKE '%%security_invoker=true%%'"
    )

    assert found == []


# Functions that run with their owner's rights, and why.
OWNERS_FUNCTIONS = {
    "contacts_move_events": "the events of a merged contact move to the timeline of the one that stayed"
}


def test_functions_with_their_owners_rights_are_listed_and_closed() -> None:
    found = rows(
        "SELECT proname, COALESCE(proconfig::text, ''), COALESCE(proacl::text, '') FROM pg_proc "
        "WHERE pronamespace = 'public'::regnamespace AND prosecdef"
    )

    assert {name for name, _, _ in found} <= set(OWNERS_FUNCTIONS)
    for _, settings, access in found:
        assert "search_path=" in settings
        assert access
        assert not re.search(r"[{,]=X", access), "everybody may call it"


@each_tenant_model
def test_organization_and_id_are_unique_together(model: type[models.Model]) -> None:
    assert ["organization_id", "id"] in [columns for columns, _ in unique_indexes(model)]


@each_tenant_model
def test_what_is_unique_is_unique_within_the_organization(model: type[models.Model]) -> None:
    """But for the id, the hash of a secret, and what is unique among the rows of no organization."""
    for columns, condition in unique_indexes(model):
        assert (
            columns[0] == "organization_id"
            or columns == ["id"]
            or (len(columns) == 1 and columns[0].endswith("_hash"))
            or "organization_id IS NULL" in condition
        ), columns


def unique_indexes(model: type[models.Model]) -> list[tuple[list[str], str]]:
    found = rows(
        "SELECT ARRAY(SELECT COALESCE(a.attname, '(expression)') FROM unnest(i.indkey) WITH ORDINALITY AS k(n, place) "
        "LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n AND k.n > 0 "
        "WHERE k.place <= i.indnkeyatts ORDER BY k.place), COALESCE(pg_get_expr(i.indpred, i.indrelid), '') "
        "FROM pg_index i WHERE i.indisunique AND i.indrelid = %s::regclass",
        table(model),
    )
    return [([str(name) for name in columns], condition) for columns, condition in found]


@each_tenant_model
def test_its_references_to_tenant_tables_stay_in_the_organization(model: type[models.Model]) -> None:
    """Each is a composite foreign key; a fact that outlives what it speaks of (DO_NOTHING) has none."""
    composite = {
        (source[1], target): len(source) == 2 and source[0] == "organization_id" and goal == ["organization_id", "id"]
        for source, target, goal in foreign_keys(model)
        if len(source) == 2
    }
    for field in model._meta.concrete_fields:
        if not isinstance(field, models.ForeignKey) or field.name == "organization":
            continue
        if field.related_model not in TENANT_MODELS:
            continue
        assert isinstance(field, TenantForeignKey), f"{field} is a plain foreign key"
        if field.remote_field.on_delete is not DO_NOTHING:
            assert composite.get((field.attname, table(field.related_model))), f"{field} has no composite key"


@each_tenant_model
def test_it_has_no_foreign_key_that_ignores_the_organization(model: type[models.Model]) -> None:
    tenant_tables = {table(other) for other in TENANT_MODELS}

    for source, target, _ in foreign_keys(model):
        assert target not in tenant_tables or source[0] == "organization_id", (source, target)


@each_tenant_model
def test_its_organization_is_a_real_one(model: type[models.Model]) -> None:
    assert (["organization_id"], "accounts_organization", ["id"]) in foreign_keys(model)


def foreign_keys(model: type[models.Model]) -> list[tuple[list[str], str, list[str]]]:
    found = rows(
        "SELECT (SELECT array_agg(a.attname ORDER BY k.place) FROM unnest(c.conkey) WITH ORDINALITY AS k(n, place) "
        "JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n), t.relname, "
        "(SELECT array_agg(a.attname ORDER BY k.place) FROM unnest(c.confkey) WITH ORDINALITY AS k(n, place) "
        "JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n) "
        "FROM pg_constraint c JOIN pg_class t ON t.oid = c.confrelid "
        "WHERE c.contype = 'f' AND c.convalidated AND c.conrelid = %s::regclass",
        table(model),
    )
    return [([str(a) for a in source], str(target), [str(a) for a in goal]) for source, target, goal in found]


@pytest.mark.parametrize("scope", ["tenant", "operator"])
def test_the_database_itself_refuses_a_foreign_id(scope: str, acme: Tenant, other: Tenant) -> None:
    """Even for whoever sees both organizations: foreign keys do not look at policies."""
    with acme.inside():
        role_id = UserRole.objects.get(user=acme.staff).role_id
    scopes = {"tenant": acme.inside, "operator": lambda: operator("command")}

    with pytest.raises(IntegrityError, match="_tenant"), scopes[scope]():
        UserRole.objects.create(organization_id=acme.id, user_id=other.staff.pk, role_id=role_id)


def test_a_row_cannot_be_moved_to_another_organization_by_its_id(acme: Tenant, other: Tenant) -> None:
    with pytest.raises((IntegrityError, ProgrammingError)), operator("command"):
        UserRole.objects.filter(user=acme.staff).update(organization_id=other.id)


@pytest.mark.parametrize("statement", ["UPDATE core_event SET title = 'forged'", "DELETE FROM core_event"])
def test_events_are_never_changed_or_deleted_by_the_application(statement: str, acme: Tenant) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), acme.inside(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("statement", ["UPDATE core_event SET title = 'forged'", "DELETE FROM core_event"])
def test_events_are_never_changed_or_deleted_by_the_operators_steps(statement: str) -> None:
    with pytest.raises(ProgrammingError), operator("command"), connection.cursor() as cursor:
        cursor.execute(statement)


def test_events_are_read_within_the_organization(acme: Tenant, other: Tenant) -> None:
    with acme.inside():
        found = set(Event.objects.values_list("organization_id", flat=True))

    assert found == {acme.id}


@each_tenant_model
def test_its_rows_stay_inside(model: type[models.Model], acme: Tenant, other: Tenant) -> None:
    """What the operator sees of both, each organization sees of its own, and nobody without a scope."""
    manager = model._default_manager
    assert manager.count() == 0
    for mine in (acme, other):
        with mine.inside():
            inside = manager.count()
            assert manager.exclude(organization_id=mine.id).count() == 0
        with operator("command"):
            assert manager.filter(organization_id=mine.id).count() == inside


def test_a_policy_switched_off_would_be_seen(acme: Tenant, other: Tenant) -> None:
    """The control: where the policies do not hold, as for a superuser, the same questions see other organizations."""
    url = psycopg.conninfo.make_conninfo(os.environ[ADMIN_URL], dbname=connection.settings_dict["NAME"])
    with psycopg.connect(url) as admin:
        admin.execute(f"SET LOCAL app.organization_id = '{acme.id}'")
        found = {row[0] for row in admin.execute("SELECT DISTINCT organization_id FROM accounts_user")}

    assert found >= {acme.id, other.id}
    assert User.objects.count() == 0
