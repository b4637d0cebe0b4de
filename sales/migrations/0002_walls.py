from django.db import migrations

from crm.core.db.operations import CountedRows, SummaryTriggers, TenantTable

PEOPLE = {"owner_id": "accounts_user", "created_by_id": "accounts_user"}
CUSTOMERS = {"contact_id": "contacts_contact", "company_id": "contacts_company"}

# Living activities, and the tasks among them. One's own is what one is assigned to, counted by owner, and what one made
# for others, counted by its maker.
COUNTED = """
    SELECT organization_id, type, owner_id AS owner,
           CASE WHEN created_by_id IS DISTINCT FROM owner_id THEN created_by_id END AS maker,
           date_trunc('month', created_at AT TIME ZONE 'UTC')::date AS made_in, {sign} AS n
    FROM {source} WHERE deleted_at IS NULL
"""
COUNTS = """
    INSERT INTO core_rowcounter (organization_id, kind, owner_id, month, n)
    SELECT organization_id, kind || way, who, month, sum(n)
    FROM ({change}) AS change
    CROSS JOIN (VALUES ('activities'), ('tasks')) AS kinds (kind)
    CROSS JOIN LATERAL (
        VALUES ('', owner, NULL::date), (' for others', maker, NULL), (' by month', NULL, made_in)
    ) AS ways (way, who, month)
    WHERE (kind = 'activities' OR type = 'task') AND (way <> ' for others' OR who IS NOT NULL)
    GROUP BY organization_id, kind, way, who, month HAVING sum(n) <> 0
"""


class Migration(migrations.Migration):
    dependencies = [("sales", "0001_initial"), ("contacts", "0002_walls")]

    operations = [
        TenantTable("sales_pipeline"),
        TenantTable("sales_stage", {"pipeline_id": "sales_pipeline"}),
        TenantTable("sales_deal", {**PEOPLE, **CUSTOMERS, "pipeline_id": "sales_pipeline", "stage_id": "sales_stage"}),
        TenantTable("sales_activity", {**PEOPLE, **CUSTOMERS, "deal_id": "sales_deal"}),
        TenantTable("sales_dailyreminder", {"user_id": "accounts_user"}),
        CountedRows("sales_deal", "deals", owner="owner_id"),
        SummaryTriggers("sales_activity", "sales_activity_tally", rows=COUNTED, insertion=COUNTS),
    ]
