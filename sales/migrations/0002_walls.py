from django.db import migrations

from crm.core.rls import Tallied, TenantTable

PEOPLE = {"owner_id": "accounts_user", "created_by_id": "accounts_user"}
CUSTOMERS = {"contact_id": "contacts_contact", "company_id": "contacts_company"}


class Migration(migrations.Migration):
    dependencies = [("sales", "0001_initial"), ("contacts", "0002_walls")]

    operations = [
        TenantTable("sales_pipeline"),
        TenantTable("sales_stage", {"pipeline_id": "sales_pipeline"}),
        TenantTable("sales_deal", {**PEOPLE, **CUSTOMERS, "pipeline_id": "sales_pipeline", "stage_id": "sales_stage"}),
        TenantTable("sales_activity", {**PEOPLE, **CUSTOMERS, "deal_id": "sales_deal"}),
        TenantTable("sales_dailyreminder", {"user_id": "accounts_user"}),
        Tallied("sales_deal", "deals", owner="owner_id"),
        Tallied("sales_activity", "activities", owner="owner_id"),
    ]
