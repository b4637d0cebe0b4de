from django.db import migrations

from crm.core.db.operations import TenantTable


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        TenantTable("accounts_organization", column="id"),
        TenantTable("accounts_user"),
        TenantTable("accounts_role"),
        TenantTable("accounts_userrole", {"user_id": "accounts_user", "role_id": "accounts_role"}),
        TenantTable("accounts_permission"),
        TenantTable("accounts_session", {"user_id": "accounts_user"}),
        TenantTable("accounts_refreshtoken", {"session_id": "accounts_session"}),
        TenantTable(
            "accounts_invitation",
            {"role_id": "accounts_role", "user_id": "accounts_user", "invited_by_id": "accounts_user"},
        ),
        TenantTable("accounts_onetimelink", {"user_id": "accounts_user"}),
        TenantTable("accounts_oauthstate"),
    ]
