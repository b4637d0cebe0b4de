import django.contrib.postgres.fields
from django.db import migrations, models

# Codes of custom permissions get a prefix that no built-in one has. The table's owner is held by its policies as well.
PREFIXED = """
    ALTER TABLE accounts_role NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE accounts_permission NO FORCE ROW LEVEL SECURITY;
    UPDATE accounts_role role SET permissions = (
        SELECT array_agg(
            CASE WHEN own.id IS NULL THEN held.code ELSE 'custom.' || held.code END ORDER BY held.position
        )
        FROM unnest(role.permissions) WITH ORDINALITY AS held (code, position)
        LEFT JOIN accounts_permission own
          ON own.organization_id = role.organization_id AND own.resource || ':' || own.action = held.code
    )
    WHERE EXISTS (
        SELECT FROM accounts_permission own
        WHERE own.organization_id = role.organization_id
          AND own.resource || ':' || own.action = ANY(role.permissions)
    );
    SET CONSTRAINTS ALL IMMEDIATE;
    ALTER TABLE accounts_permission FORCE ROW LEVEL SECURITY;
    ALTER TABLE accounts_role FORCE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_link_address")]

    operations = [
        migrations.AlterField(
            model_name="role",
            name="permissions",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=90), blank=True, default=list, size=None
            ),
        ),
        migrations.RunSQL(PREFIXED, reverse_sql=migrations.RunSQL.noop),
    ]
