from django.db import migrations

from crm.core.db.operations import TenantTable


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial"), ("accounts", "0002_walls")]

    operations = [
        TenantTable("core_event", append_only=True),
        TenantTable("core_outboxmessage"),
        TenantTable("core_idempotencykey"),
        TenantTable("core_rowcounter"),
    ]
