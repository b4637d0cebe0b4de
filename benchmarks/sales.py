"""Deals and activities of the organization that is read, made by SQL beside its contacts, with their kept sums.

Of as many deals as there are contacts 20,000 at most are open, in eight stages; the others were won or lost within
1,000 days. There are three activities to a deal, of which one in thirty is still to be done.
"""

from importlib import import_module
from typing import Any

import psycopg

from benchmarks import data, rows

OPEN = 20_000
OPEN_SHARE = 5
STAGES = {
    "Lead": 5,
    "Called": 10,
    "Met": 20,
    "Offered": 30,
    "Tested": 45,
    "Agreed": 60,
    "Negotiated": 75,
    "Promised": 90,
}
PAST = {"Won": 100, "Lost": 0}
ACTIVITIES = 3
DAYS = 1000
GAP = 2**30

DEAL = {
    "id": "uuidv7(created_at - now())",
    "title": "'Deal ' || number",
    "pipeline_id": "pipeline_id",
    "stage_id": "stage_id",
    "rank": f"number * {GAP}::bigint",
    "status": "status",
    "contact_id": "contact_id",
    "company_id": "company_id",
    "amount": "(random() * 10000000)::bigint",
    "currency": "CASE WHEN number % 10 = 3 THEN 'EUR' ELSE 'USD' END",
    "probability": "CASE WHEN number % 3 = 0 THEN number % 101 END",
    "expected_close_date": "CASE WHEN number % 2 = 0 THEN (created_at + interval '60 days')::date END",
    "source": "CASE WHEN number % 4 = 0 THEN 'Website' ELSE '' END",
    "tags": "CASE WHEN number % 5 = 0 THEN '{vip,press}'::varchar[] ELSE '{}' END",
    "owner_id": "owner_id",
    "created_by_id": "owner_id",
    "stage_entered_at": "coalesce(closed_at, created_at)",
    "closed_at": "closed_at",
    "created_at": "created_at",
    "updated_at": "coalesce(closed_at, created_at)",
}
DEALS = f"""
SELECT made.*, stage.pipeline_id, stage.kind AS status, contact.id AS contact_id, contact.company_id,
       owners.ids[1 + floor(random() * {data.OWNERS})::int] AS owner_id,
       coalesce(closed_at - random() * interval '90 days', now() - random() * interval '200 days') AS created_at
FROM (
    SELECT number,
           CASE WHEN number >= %(open)s THEN now() - random() * interval '{DAYS} days' END AS closed_at,
           CASE WHEN number < %(open)s THEN (%(stages)s::uuid[])[1 + number %% {len(STAGES)}]
                ELSE (%(past)s::uuid[])[1 + (random() * 1.1)::int] END AS stage_id
    FROM generate_series(0, %(count)s - 1) AS number
) AS made
JOIN sales_stage stage ON stage.id = made.stage_id
JOIN numbered contact ON contact.number = made.number
CROSS JOIN (SELECT %(owners)s::uuid[] AS ids) AS owners
"""
ACTIVITY = {
    "id": "uuidv7(due_at - interval '14 days' - now())",
    "type": "(ARRAY['task', 'call', 'meeting', 'email', 'note'])[1 + number % 5]",
    "subject": "'Activity ' || number",
    "status": "CASE WHEN is_open THEN 'pending' ELSE 'completed' END",
    "due_at": "due_at",
    "owner_id": "owner_id",
    "created_by_id": "CASE WHEN number % 10 = 0 THEN maker_id ELSE owner_id END",
    "deal_id": "deal_id",
    "contact_id": "contact_id",
    "company_id": "company_id",
    "completed_at": "CASE WHEN NOT is_open THEN due_at END",
    "created_at": "due_at - interval '14 days'",
    "updated_at": "due_at - interval '14 days'",
}
# Half of what was due in the last thirty days and will be in the next thirty is still to be done.
WORK = f"""
SELECT made.*, due_at > now() - interval '30 days' AND random() < 0.5 AS is_open,
       deal.id AS deal_id, deal.contact_id, deal.company_id, deal.owner_id, %(maker)s AS maker_id
FROM (
    SELECT number, now() + interval '30 days' - random() * interval '{DAYS} days' AS due_at
    FROM generate_series(0, %(count)s * {ACTIVITIES} - 1) AS number
) AS made
JOIN dealt deal ON deal.number = made.number %% %(count)s
"""


def load(url: str, tenant: data.Tenant, count: int) -> None:
    """Make the rows, unless they are there."""
    from sales.models import Activity, Deal  # noqa: PLC0415 - Django is set up after this module is imported

    with psycopg.connect(url) as connection:
        if connection.execute("SELECT 1 FROM sales_figure LIMIT 1").fetchone():
            return
        # Rows that are right by construction need no triggers; what these would keep is summed up below.
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET maintenance_work_mem = '512MB'")
        connection.execute("SET work_mem = '256MB'")
        connection.execute("SET synchronous_commit = off")
        connection.execute("SELECT setseed(0.5)")
        stages, past = (_pipeline(connection, tenant, place, names) for place, names in enumerate((STAGES, PAST)))
        asked = {
            "count": count,
            "open": min(OPEN, count // OPEN_SHARE),
            "stages": stages,
            "past": past,
            "owners": [tenant.owner(number) for number in range(data.OWNERS)],
            "maker": tenant.user,
            "organization": tenant.organization,
        }
        _number(connection, "numbered", "SELECT id, company_id FROM contacts_contact WHERE organization_id", tenant)
        rows.insert(connection, Deal, DEAL, DEALS, asked)
        _number(
            connection,
            "dealt",
            "SELECT id, contact_id, company_id, owner_id FROM sales_deal WHERE organization_id",
            tenant,
        )
        rows.insert(connection, Activity, ACTIVITY, WORK, asked)
        _sum_up(connection)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM (FREEZE, ANALYZE)")
        connection.execute("CHECKPOINT")


def _pipeline(
    connection: psycopg.Connection[Any], tenant: data.Tenant, place: int, stages: dict[str, int]
) -> list[Any]:
    """Make a pipeline, the first of which is the default, and return the ids of its stages."""
    pipeline = tenant.id(4, place)
    connection.execute(
        "INSERT INTO sales_pipeline (id, organization_id, name, is_default, created_at, updated_at) "
        "VALUES (%s, %s, %s, %s, now(), now())",
        [pipeline, tenant.organization, f"Pipeline {place}", place == 0],
    )
    ids = [tenant.id(5 + place, position) for position in range(len(stages))]
    for position, (name, probability) in enumerate(stages.items()):
        kind = name.lower() if stages is PAST else "open"
        connection.execute(
            "INSERT INTO sales_stage (id, organization_id, pipeline_id, name, position, probability, kind, created_at, "
            "updated_at) VALUES (%s, %s, %s, %s, %s, %s, %s, now(), now())",
            [ids[position], tenant.organization, pipeline, name, position, probability, kind],
        )
    return ids


def _number(connection: psycopg.Connection[Any], table: str, rows: str, tenant: data.Tenant) -> None:
    connection.execute(
        f"CREATE TEMP TABLE {table} AS SELECT *, row_number() OVER () - 1 AS number FROM ({rows} = %s) AS found",
        [tenant.organization],
    )
    connection.execute(f"CREATE INDEX ON {table} (number)")
    connection.execute(f"ANALYZE {table}")


def _sum_up(connection: psycopg.Connection[Any]) -> None:
    """Write the sums that the triggers would have kept."""
    from crm.core.db.operations import SummaryTriggers  # noqa: PLC0415 - Django is set up after this module is imported

    for operation in import_module("sales.migrations.0001_initial").Migration.operations:
        if isinstance(operation, SummaryTriggers):
            change = operation.rows.format(source=operation.table, sign=1)
            connection.execute(operation.insertion.format(change=change))
