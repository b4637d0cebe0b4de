from django.db import migrations

from crm.core.db.operations import CountedRows, TenantTable


class Migration(migrations.Migration):
    dependencies = [("contacts", "0001_initial"), ("accounts", "0002_walls"), ("core", "0002_walls")]

    operations = [
        TenantTable("contacts_company", {"owner_id": "accounts_user", "created_by_id": "accounts_user"}),
        TenantTable(
            "contacts_contact",
            {
                "owner_id": "accounts_user",
                "created_by_id": "accounts_user",
                "user_id": "accounts_user",
                "company_id": "contacts_company",
            },
        ),
        CountedRows("contacts_company", "companies", owner="owner_id"),
        CountedRows("contacts_contact", "contacts", owner="owner_id"),
    ]
