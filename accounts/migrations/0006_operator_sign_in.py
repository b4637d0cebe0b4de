import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import crm.core.ids
from crm.core.db.operations import OperatorTable


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_google_accounts"),
    ]

    operations = [
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
        OperatorTable("accounts_operatortotp"),
        OperatorTable("accounts_operatorevent", kept_for="1 year"),
    ]
