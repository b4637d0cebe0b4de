"""Migration operations that put a table behind the tenancy walls."""

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
        return f"Put {self.table} behind the tenancy walls"


class Tallied(_Statements):
    """Keep `core_tally` beside `table`: one signed row a statement, kind and owner; sums are exact, nothing is locked.

    Soft-deleted rows do not count. Beat folds the rows (`crm.core.tallies`).
    """

    def __init__(self, table: str, kind: str, *, owner: str = "NULL::uuid", alive: str = "deleted_at IS NULL") -> None:
        self.table, self.kind, self.owner, self.alive = table, kind, owner, alive

    def statements(self) -> list[str]:
        """Return the trigger functions and triggers."""
        plus, minus = self._rows("added", 1), self._rows("removed", -1)
        sources = {"insert": plus, "delete": minus, "update": f"{plus} UNION ALL {minus}"}
        transition = {
            "insert": "NEW TABLE AS added",
            "delete": "OLD TABLE AS removed",
            "update": "OLD TABLE AS removed NEW TABLE AS added",
        }
        statements = []
        for event, rows in sources.items():
            name = f"{self.table}_{self.kind.replace(' ', '_')}_tally_{event}"
            statements += [
                f"""CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    INSERT INTO core_tally (organization_id, kind, owner_id, month, n)
                    SELECT organization_id, CASE WHEN month IS NULL THEN '{self.kind}' ELSE '{self.kind} by month' END,
                           owner, month, sum(n) FROM ({rows}) AS change
                    GROUP BY GROUPING SETS ((organization_id, owner), (organization_id, month)) HAVING sum(n) <> 0;
                    RETURN NULL; END $$""",  # noqa: S608 - table and column names of a migration
                f"""CREATE TRIGGER {name} AFTER {event.upper()} ON {self.table}
                    REFERENCING {transition[event]} FOR EACH STATEMENT EXECUTE FUNCTION {name}()""",
            ]
        return statements

    def _rows(self, source: str, sign: int) -> str:
        month = "date_trunc('month', created_at AT TIME ZONE 'UTC')::date"
        columns = f"organization_id, {self.owner} AS owner, {month} AS month, {sign} AS n"
        return f"SELECT {columns} FROM {source} WHERE {self.alive}"  # noqa: S608 - names of a migration

    def describe(self) -> str:
        """Return one line for `migrate --plan`."""
        return f"Keep the tally of {self.table}"
