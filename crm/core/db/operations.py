"""Migration operations that put a table behind the isolation layers."""

from collections.abc import Mapping
from typing import Any

from django.db.migrations.operations.base import Operation

ORGANIZATION = "(SELECT NULLIF(current_setting('app.organization_id', true), '')::uuid)"


def _policies(table: str, column: str) -> list[str]:
    mine = f"{column} = {ORGANIZATION}"
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY {table}_tenant ON {table} USING ({mine}) WITH CHECK ({mine})",
        f"CREATE POLICY {table}_operator ON {table} TO crm_operator USING (true) WITH CHECK (true)",
    ]


class _Statements(Operation):
    """Run SQL forwards; backwards the table itself goes, and its policies with it."""

    reduces_to_sql = True
    reversible = True

    def statements(self) -> list[str]:
        raise NotImplementedError

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Leave Django's state as it is: policies and composite keys are the database's own."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Run the statements."""
        for statement in self.statements():
            schema_editor.execute(statement)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Nothing to undo."""


class TenantTable(_Statements):
    """Row-level security, unique (organization_id, id), and composite foreign keys for `references` (column: table).

    `append_only` takes UPDATE and DELETE away from the application's roles. `column` is `id` for the organization
    table itself.
    """

    def __init__(
        self,
        table: str,
        references: Mapping[str, str] | None = None,
        *,
        column: str = "organization_id",
        append_only: bool = False,
    ) -> None:
        self.table, self.references, self.column, self.append_only = table, dict(references or {}), column, append_only

    def statements(self) -> list[str]:
        """Return the statements in order."""
        table = self.table
        statements = _policies(table, self.column)
        if self.column != "id":
            statements.append(f"ALTER TABLE {table} ADD CONSTRAINT {table}_tenant_key UNIQUE (organization_id, id)")
        statements += [
            f"ALTER TABLE {table} ADD CONSTRAINT {table}_{column}_tenant FOREIGN KEY (organization_id, {column}) "
            f"REFERENCES {target} (organization_id, id)"
            for column, target in self.references.items()
        ]
        if self.append_only:
            statements.append(f"REVOKE UPDATE, DELETE ON {table} FROM crm_app, crm_operator")
        return statements

    def describe(self) -> str:
        """Return one line for `migrate --plan`."""
        return f"Put {self.table} behind the isolation layers"


class OperatorTable(_Statements):
    """Row-level security for a table without an organization: only the operators' role sees its rows.

    `kept_for`, an interval of PostgreSQL, makes it append-only: no row is changed, and none deleted before that age,
    counted from its column `occurred_at`.
    """

    def __init__(self, table: str, *, kept_for: str = "") -> None:
        self.table, self.kept_for = table, kept_for

    def statements(self) -> list[str]:
        """Return the statements in order."""
        table = self.table
        enabled = [f"ALTER TABLE {table} {verb} ROW LEVEL SECURITY" for verb in ("ENABLE", "FORCE")]
        if not self.kept_for:
            return [
                *enabled,
                f"CREATE POLICY {table}_operator ON {table} TO crm_operator USING (true) WITH CHECK (true)",
            ]
        is_old = f"occurred_at < now() - interval '{self.kept_for}'"
        return [
            *enabled,
            f"CREATE POLICY {table}_read ON {table} FOR SELECT TO crm_operator USING (true)",
            f"CREATE POLICY {table}_add ON {table} FOR INSERT TO crm_operator WITH CHECK (true)",
            f"CREATE POLICY {table}_expire ON {table} FOR DELETE TO crm_operator USING ({is_old})",
            f"REVOKE UPDATE ON {table} FROM crm_app, crm_operator",
        ]

    def describe(self) -> str:
        """Return one line for `migrate --plan`."""
        return f"Show {self.table} to operators alone"


class SummaryTriggers(_Statements):
    """Keep signed sums beside `table`: each statement that changes it adds rows to a table of sums; nothing is locked.

    `rows` selects what counts from `{source}`, each figure times `{sign}`; `insertion` writes the groups of
    `{change}`, leaving out those that changed nothing. Sums are exact at every moment; beat folds the rows
    (`crm.core.counters`).
    """

    def __init__(self, table: str, name: str, *, rows: str, insertion: str) -> None:
        self.table, self.name, self.rows, self.insertion = table, name, rows, insertion

    def statements(self) -> list[str]:
        """Return the trigger functions and triggers."""
        return [statement for pair in self.triggers() for statement in pair]

    def triggers(self) -> list[list[str]]:
        """Return for each event the function that keeps the sums, and the trigger that calls it."""
        plus, minus = (self.rows.format(source=source, sign=sign) for source, sign in (("added", 1), ("removed", -1)))
        sources = {"insert": plus, "delete": minus, "update": f"{plus} UNION ALL {minus}"}
        transition = {
            "insert": "NEW TABLE AS added",
            "delete": "OLD TABLE AS removed",
            "update": "OLD TABLE AS removed NEW TABLE AS added",
        }
        return [
            after_each(
                event, self.table, f"{self.name}_{event}", transition[event], self.insertion.format(change=change)
            )
            for event, change in sources.items()
        ]

    def describe(self) -> str:
        """Return one line for `migrate --plan`."""
        return f"Keep sums of {self.table}"


def after_each(event: str, table: str, name: str, transition: str, statement: str) -> list[str]:
    """Return the SQL of a trigger that runs `statement` once after each INSERT, UPDATE or DELETE on `table`."""
    trigger = f"CREATE TRIGGER {name} AFTER {event.upper()} ON {table} REFERENCING {transition} FOR EACH STATEMENT"
    body = f"BEGIN {statement}; RETURN NULL; END"
    return [
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$",
        f"{trigger} EXECUTE FUNCTION {name}()",
    ]


class CountedRows(SummaryTriggers):
    """Keep `core_rowcounter` beside `table`: living rows by kind and owner, and by kind and month of creation."""

    def __init__(self, table: str, kind: str, *, owner: str = "NULL::uuid", alive: str = "deleted_at IS NULL") -> None:
        month = "date_trunc('month', created_at AT TIME ZONE 'UTC')::date"
        columns = f"organization_id, {owner} AS owner, {month} AS month, {{sign}} AS n"
        super().__init__(
            table,
            f"{table}_{kind.replace(' ', '_')}_tally",
            rows=f"SELECT {columns} FROM {{source}} WHERE {alive}",  # noqa: S608 - names of a migration
            insertion=f"""
                INSERT INTO core_rowcounter (organization_id, kind, owner_id, month, n)
                SELECT organization_id, CASE WHEN month IS NULL THEN '{kind}' ELSE '{kind} by month' END,
                       owner, month, sum(n) FROM ({{change}}) AS change
                GROUP BY GROUPING SETS ((organization_id, owner), (organization_id, month)) HAVING sum(n) <> 0
                """,  # noqa: S608 - the same
        )
