"""Each wall alone keeps the others' promise; with the first two down together, the walk finds what it looks for."""

from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, connection, connections, transaction

from tests.isolation import evidence, factories, layers
from tests.isolation.attack import Attack
from tests.isolation.calls import Persona
from tests.isolation.tenants import Tenant

# Tables without an organization, each with the reason why rows of all tenants may share them.
SHARED_TABLES = {
    "auth_group": "Django's own, unused: roles are accounts.Role",
    "auth_group_permissions": "Django's own, unused",
    "auth_permission": "Django's own names of admin permissions",
    "core_ratecounter": "attempts by client address; no tenant's data",
    "django_admin_log": "what platform operators did in the back office",
    "django_content_type": "Django's own names of models",
    "django_migrations": "which migrations ran",
    "django_session": "sessions of platform operators in the back office",
}
# Tables without an organization whose rows only the operators' steps see.
OPERATORS_TABLES = {
    "accounts_operatorevent": "sign-ins of platform operators, who belong to no organization",
    "accounts_operatortotp": "second factors of platform operators",
}
# References without a composite key, each with the reason.
LOOSE_REFERENCES = {
    "core_event.actor_id": "a fact outlives what it speaks of",
    "core_event.contact_id": "a fact outlives what it speaks of",
    "core_event.company_id": "a fact outlives what it speaks of",
    "core_event.deal_id": "a fact outlives what it speaks of",
}
models = pytest.mark.parametrize("model", factories.tenant_models(), ids=lambda model: model._meta.label)


@pytest.mark.parametrize("name", ["owner", "staff"])
@pytest.mark.parametrize("wall", [1, 2, 3])
def test_two_walls_hold_where_one_is_down(wall: int, name: str, ours: Tenant, theirs: Tenant, seen: None) -> None:
    attack = Attack(Persona(name, ours, ours.person(name)), ours, theirs)

    with layers.off(wall):
        attack.everything()

    assert attack.findings == [], "\n".join(attack.findings)


def test_without_the_first_two_walls_the_walk_finds_reads_writes_and_differences(
    ours: Tenant, theirs: Tenant, seen: None
) -> None:
    attack = Attack(Persona("owner", ours, ours.person("owner")), ours, theirs)

    with layers.off(1, 2):
        attack.everything()

    found = "\n".join(attack.findings)
    assert "tells body: id" in found
    assert "canary-b" in found
    assert "from nothing: 200 and 404" in found
    assert "rows of theirs changed" in found


def test_without_any_wall_the_walk_finds_rows_that_were_tied_to_theirs(
    ours: Tenant, theirs: Tenant, seen: None
) -> None:
    attack = Attack(Persona("owner", ours, ours.person("owner")), ours, theirs)

    with layers.off(1, 2, 3):
        attack.everything()
        found = "\n".join(attack.findings)
        tied = evidence.entangled(ours, theirs)

    assert " took their " in found
    assert "contacts_contact" in tied


def test_the_walls_are_up_again_after_each_block(ours: Tenant) -> None:
    keys = layers.composite_keys()

    with layers.off(1, 2, 3):
        assert layers.composite_keys() == []

    assert layers.composite_keys() == keys
    assert _unprotected() == []


def test_every_table_is_behind_row_level_security_or_listed_with_a_reason() -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        everything = {name for (name,) in cursor.fetchall()}

    assert everything - set(evidence.tables()) - set(SHARED_TABLES) - set(OPERATORS_TABLES) == set()
    assert set(SHARED_TABLES) | set(OPERATORS_TABLES) <= everything
    assert _unprotected() == []


def test_every_tenant_model_has_a_table_behind_the_walls() -> None:
    assert {model._meta.db_table for model in factories.tenant_models()} | {"accounts_organization"} == set(
        evidence.tables()
    )


def test_the_application_s_role_is_held_by_the_policies() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == ("crm_app", False, False)
        cursor.execute("SELECT count(*) FROM pg_class WHERE relowner = 'crm_app'::regrole")
        assert cursor.fetchone() == (0,)


def test_without_a_scope_the_database_shows_no_row(theirs: Tenant) -> None:
    with connection.cursor() as cursor:
        for table in evidence.tables():
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone() == (0,), table


@models
def test_the_database_hides_their_rows_and_takes_none_for_them(model: type, ours: Tenant, theirs: Tenant) -> None:
    table = model._meta.db_table
    row = _row_of(table, theirs)

    with ours.scope(), connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} WHERE organization_id = %s", [theirs.id])
        assert cursor.fetchone() == (0,)
        for statement in (f"UPDATE {table} SET organization_id = organization_id", f"DELETE FROM {table}"):
            assert _touched(cursor, f"{statement} WHERE organization_id = %s", theirs) == 0, statement
        columns = ", ".join(field.column for field in model._meta.concrete_fields if not field.generated)
        insert = f"INSERT INTO {table} ({columns}) SELECT {columns} FROM jsonb_populate_record(NULL::{table}, %s)"
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            cursor.execute(insert, [row])


@models
def test_every_reference_between_tenants_tables_is_a_composite_key(model: type) -> None:
    held = {f"{table}.{column}" for table, column in _references()}

    for field in model._meta.concrete_fields:
        if field.is_relation and field.related_model in factories.tenant_models():
            name = f"{model._meta.db_table}.{field.column}"
            assert name in held or name in LOOSE_REFERENCES, f"{name} has no composite key: name it in TenantTable."


def test_the_database_refuses_every_reference_into_another_organization(ours: Tenant, theirs: Tenant) -> None:
    by_table = {model._meta.db_table: model for model in factories.tenant_models()}
    references = _references()
    assert references

    for table, column in references:
        row = factories.make(by_table[table], ours, ours.person("staff"))
        field = next(field for field in by_table[table]._meta.concrete_fields if field.column == column)
        foreign = factories.shared(field.related_model, theirs)
        statement = f"UPDATE {table} SET {column} = %s WHERE id = %s"
        # As the tables' owner, whom no missing privilege stops before the key does.
        with pytest.raises(IntegrityError, match="foreign key"):
            _as_owner(ours).execute(statement, [foreign.pk, row.pk])


def _references() -> list[tuple[str, str]]:
    """Table and column of each composite key."""
    return [
        (table, definition.partition("organization_id, ")[2].partition(")")[0])
        for table, _, definition in layers.composite_keys()
    ]


def _as_owner(tenant: Tenant) -> Any:
    """A cursor of the tables' owner, in the scope of the organization."""
    cursor = connections["owner"].cursor()
    cursor.execute("SELECT set_config('app.organization_id', %s, false)", [str(tenant.id)])
    return cursor


def _row_of(table: str, tenant: Tenant) -> str:
    with _as_owner(tenant) as cursor:
        cursor.execute(f"SELECT to_jsonb(t)::text FROM {table} t WHERE organization_id = %s LIMIT 1", [tenant.id])
        return cursor.fetchone()[0]


def _touched(cursor: Any, statement: str, tenant: Tenant) -> int:
    """How many rows a statement reached; a table that takes no changes at all gives 0."""
    try:
        with transaction.atomic():
            cursor.execute(statement, [tenant.id])
            return cursor.rowcount
    except ProgrammingError as error:
        if "permission denied" not in str(error):
            raise
        return 0


def _unprotected() -> list[str]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relname = ANY(%s) AND NOT (relrowsecurity AND relforcerowsecurity)",
            [list(evidence.tables())],
        )
        return [name for (name,) in cursor.fetchall()]
