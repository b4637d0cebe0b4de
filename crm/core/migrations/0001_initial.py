import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import crm.core.db.models
import crm.core.ids
from crm.core.db.operations import TenantTable


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("contacts", "0001_initial"),
        ("sales", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RateCounter",
            fields=[
                ("key", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("window_ends_at", models.DateTimeField(db_index=True)),
                ("hits", models.PositiveIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=60)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("note", "Note"),
                            ("call", "Call"),
                            ("email", "Email"),
                            ("sms", "Sms"),
                            ("meeting", "Meeting"),
                            ("update", "Update"),
                            ("deal", "Deal"),
                            ("task", "Task"),
                            ("invoice", "Invoice"),
                            ("message", "Message"),
                            ("campaign", "Campaign"),
                            ("order", "Order"),
                        ],
                        default="update",
                        max_length=12,
                    ),
                ),
                ("subject_type", models.CharField(max_length=30)),
                ("subject_id", models.UUIDField()),
                ("subject_label", models.CharField(blank=True, max_length=300)),
                ("title", models.CharField(max_length=400)),
                ("content", models.TextField(blank=True)),
                ("changes", models.JSONField(default=dict)),
                ("metadata", models.JSONField(default=dict)),
                ("occurred_at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                (
                    "actor",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "company",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="contacts.company",
                    ),
                ),
                (
                    "contact",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="contacts.contact",
                    ),
                ),
                (
                    "deal",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="sales.deal",
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
                        models.F("organization"),
                        models.F("contact"),
                        models.OrderBy(models.F("occurred_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("contact__isnull", False)),
                        name="event_contact",
                    ),
                    models.Index(
                        models.F("organization"),
                        models.OrderBy(models.F("occurred_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="event_recent",
                    ),
                    models.Index(
                        models.F("organization"),
                        models.F("subject_id"),
                        models.OrderBy(models.F("id"), descending=True),
                        name="event_subject",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("user_id", models.UUIDField()),
                ("route", models.CharField(max_length=300)),
                ("key", models.CharField(max_length=255)),
                ("body_hash", models.CharField(max_length=64)),
                ("status", models.PositiveSmallIntegerField(null=True)),
                ("response", models.BinaryField(null=True)),
                ("subject_type", models.CharField(db_default="", max_length=60)),
                ("subject_id", models.UUIDField(null=True)),
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
            options={
                "indexes": [models.Index(models.F("created_at"), name="idempotency_age")],
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "user_id", "route", "key"), name="idempotency_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="OutboxMessage",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("topic", models.CharField(max_length=60)),
                ("payload", models.JSONField(default=dict)),
                ("due_at", models.DateTimeField()),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("leased_until", models.DateTimeField(null=True)),
                ("lease", models.UUIDField(null=True)),
                ("done_at", models.DateTimeField(null=True)),
                ("dead_at", models.DateTimeField(null=True)),
                ("last_error", models.TextField(blank=True)),
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
            options={
                "indexes": [
                    models.Index(
                        models.F("due_at"),
                        models.F("id"),
                        condition=models.Q(("dead_at__isnull", True), ("done_at__isnull", True)),
                        name="outbox_due",
                    ),
                    models.Index(
                        models.F("done_at"), condition=models.Q(("done_at__isnull", False)), name="outbox_done"
                    ),
                    models.Index(
                        models.F("dead_at"), condition=models.Q(("dead_at__isnull", False)), name="outbox_dead"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RowCounter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=40)),
                ("owner_id", models.UUIDField(null=True)),
                ("n", models.BigIntegerField()),
                ("is_compacted", models.BooleanField(db_default=False, editable=False)),
                ("month", models.DateField(null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("organization"),
                        models.F("kind"),
                        models.F("owner_id"),
                        models.F("month"),
                        include=("n",),
                        name="row_counter_sum",
                    ),
                    models.Index(
                        models.F("organization"),
                        models.F("kind"),
                        condition=models.Q(("is_compacted", False)),
                        name="row_counter_uncompacted",
                    ),
                ],
            },
        ),
        TenantTable("core_event", append_only=True),
        TenantTable("core_outboxmessage"),
        TenantTable("core_idempotencykey"),
        TenantTable("core_rowcounter"),
    ]
