import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import crm.core.db.models
import crm.core.ids
from crm.core.db.operations import OperatorTable, TenantTable


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("email", models.EmailField(max_length=254)),
                ("email_normalized", models.CharField(editable=False, max_length=254)),
                ("first_name", models.CharField(blank=True, max_length=100)),
                ("last_name", models.CharField(blank=True, max_length=100)),
                ("full_name", models.CharField(blank=True, editable=False, max_length=201)),
                ("phone", models.CharField(blank=True, max_length=20)),
                ("avatar", models.CharField(blank=True, max_length=500)),
                ("timezone", models.CharField(default="UTC", max_length=60)),
                (
                    "language",
                    models.CharField(
                        choices=[
                            ("en", "English"),
                            ("es", "Spanish"),
                            ("fr", "French"),
                            ("de", "German"),
                            ("pt", "Portuguese"),
                        ],
                        default="en",
                        max_length=2,
                    ),
                ),
                ("preferences", models.JSONField(blank=True, default=dict)),
                ("is_active", models.BooleanField(default=True)),
                ("is_invited", models.BooleanField(default=False, editable=False)),
                ("email_verified_at", models.DateTimeField(editable=False, null=True)),
                (
                    "google_subject",
                    models.CharField(blank=True, db_default="", default="", editable=False, max_length=255),
                ),
                ("is_superuser", models.BooleanField(default=False, editable=False)),
                ("search", django.contrib.postgres.search.SearchVectorField(editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "ordering": ["-created_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="Organization",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("slug", models.CharField(max_length=63, unique=True)),
                ("name", models.CharField(max_length=200)),
                ("industry", models.CharField(blank=True, max_length=100)),
                (
                    "company_size",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("1-10", "Micro"),
                            ("11-50", "Small"),
                            ("51-200", "Medium"),
                            ("201-500", "Large"),
                            ("500+", "Enterprise"),
                        ],
                        max_length=10,
                    ),
                ),
                ("website", models.CharField(blank=True, max_length=300)),
                ("contact_phone", models.CharField(blank=True, max_length=20)),
                ("address", models.CharField(blank=True, max_length=500)),
                ("timezone", models.CharField(default="UTC", max_length=60)),
                ("currency", models.CharField(default="USD", max_length=3)),
                ("logo", models.CharField(blank=True, max_length=500)),
                ("settings", models.JSONField(blank=True, default=dict)),
                ("shop_enabled", models.BooleanField(default=True)),
                ("shop_name", models.CharField(blank=True, max_length=200)),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="OperatorEvent",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "name",
                    models.CharField(
                        choices=[
                            ("sign_in_succeeded", "Signed in"),
                            ("sign_in_failed", "Wrong address or password"),
                            ("sign_in_locked", "Too many attempts"),
                            ("password_accepted", "Right password, second factor asked"),
                            ("second_factor_failed", "Wrong code"),
                            ("recovery_code_used", "Recovery code used"),
                            ("second_factor_on", "Second factor switched on"),
                            ("second_factor_replaced", "Second factor set up anew"),
                            ("second_factor_off", "Second factor switched off"),
                            ("second_factor_reset", "Second factor removed by command"),
                            ("password_changed", "Password changed"),
                        ],
                        max_length=30,
                    ),
                ),
                ("operator_id", models.UUIDField(null=True)),
                ("email", models.CharField(blank=True, max_length=254)),
                ("address", models.GenericIPAddressField(null=True)),
                ("user_agent", models.CharField(blank=True, max_length=300)),
                ("reason", models.CharField(blank=True, max_length=60)),
                ("occurred_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("operator_id"),
                        models.OrderBy(models.F("occurred_at"), descending=True),
                        name="operator_event_recent",
                    ),
                    models.Index(models.F("occurred_at"), name="operator_event_age"),
                    models.Index(
                        django.contrib.postgres.indexes.OpClass("email", "varchar_pattern_ops"),
                        name="operator_event_email",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OperatorTotp",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("sealed_secret", models.CharField(max_length=300)),
                ("last_step", models.BigIntegerField()),
                (
                    "recovery_hashes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64), default=list, size=None
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="totp", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="OAuthState",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("state_hash", models.CharField(max_length=64, unique=True)),
                ("verifier", models.CharField(max_length=128)),
                ("nonce", models.CharField(max_length=64)),
                ("client_state", models.CharField(blank=True, max_length=300)),
                ("browser_hash", models.CharField(blank=True, db_default="", default="", max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="user",
            name="organization",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.organization",
            ),
        ),
        migrations.CreateModel(
            name="Permission",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=80)),
                ("resource", models.CharField(max_length=40)),
                ("action", models.CharField(max_length=39)),
                ("description", models.CharField(blank=True, max_length=300)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Role",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=60)),
                ("description", models.CharField(blank=True, max_length=300)),
                ("scope", models.CharField(choices=[("own", "Own"), ("all", "All")], default="own", max_length=3)),
                ("rank", models.PositiveSmallIntegerField()),
                ("is_built_in", models.BooleanField(default=False, editable=False)),
                (
                    "permissions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=90), blank=True, default=list, size=None
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("email", models.EmailField(max_length=254)),
                ("email_normalized", models.CharField(editable=False, max_length=254)),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "invited_by",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "role",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.role",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "surface",
                    models.CharField(
                        choices=[("team", "Team"), ("platform", "Platform"), ("storefront", "Storefront")],
                        max_length=10,
                    ),
                ),
                ("address", models.GenericIPAddressField(null=True)),
                ("user_agent", models.CharField(blank=True, max_length=300)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("end_reason", models.CharField(blank=True, max_length=30)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "user",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RefreshToken",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "session",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refresh_tokens",
                        to="accounts.session",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="UserRole",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "role",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="holders",
                        to="accounts.role",
                    ),
                ),
                (
                    "user",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="held_roles",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="OneTimeLink",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "email_normalized",
                    models.CharField(blank=True, db_default="", default="", editable=False, max_length=254),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[("verify_email", "Verify Email"), ("reset_password", "Reset Password")], max_length=20
                    ),
                ),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                (
                    "created_at",
                    models.DateTimeField(auto_now_add=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "user",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("organization"), models.F("user"), models.F("purpose"), name="one_time_link_user"
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(models.F("email_normalized"), name="user_email"),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                django.contrib.postgres.indexes.OpClass("email_normalized", "varchar_pattern_ops"),
                name="user_email_prefix",
            ),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                models.F("organization"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="user_recent",
            ),
        ),
        migrations.AddIndex(
            model_name="user",
            index=django.contrib.postgres.indexes.GinIndex(models.F("search"), fastupdate=False, name="user_search"),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_active", True), ("is_invited", True), _connector="OR"),
                fields=("organization", "email_normalized"),
                name="user_email_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                condition=models.Q(("organization__isnull", True)),
                fields=("email_normalized",),
                name="operator_email_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                condition=models.Q(("google_subject", ""), _negated=True),
                fields=("organization", "google_subject"),
                name="user_google_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="permission",
            constraint=models.UniqueConstraint(
                fields=("organization", "resource", "action"), name="permission_code_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="permission",
            constraint=models.UniqueConstraint(fields=("organization", "name"), name="permission_name_once"),
        ),
        migrations.AddConstraint(
            model_name="role",
            constraint=models.UniqueConstraint(fields=("organization", "name"), name="role_name_once"),
        ),
        migrations.AddIndex(
            model_name="invitation",
            index=models.Index(
                django.contrib.postgres.indexes.OpClass("email_normalized", "varchar_pattern_ops"),
                name="invitation_email_prefix",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("accepted_at", None), ("revoked_at", None)),
                fields=("organization", "email_normalized"),
                name="invitation_pending_once",
            ),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(
                models.F("organization"), models.F("user"), condition=models.Q(("ended_at", None)), name="session_user"
            ),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(
                models.F("user"), models.OrderBy(models.F("id"), descending=True), name="session_recent"
            ),
        ),
        migrations.AddIndex(
            model_name="refreshtoken",
            index=models.Index(models.F("organization"), models.F("session"), name="refresh_session"),
        ),
        migrations.AddIndex(
            model_name="userrole",
            index=models.Index(models.F("organization"), models.F("role"), name="user_role_holders"),
        ),
        migrations.AddConstraint(
            model_name="userrole",
            constraint=models.UniqueConstraint(fields=("organization", "user", "role"), name="user_role_once"),
        ),
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
        OperatorTable("accounts_operatortotp"),
        OperatorTable("accounts_operatorevent", kept_for="1 year"),
    ]
