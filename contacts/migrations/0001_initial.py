import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import crm.core.db.models
import crm.core.ids
from crm.core.db.operations import CountedRows, TenantTable

# Events are append-only for the application. Of a merged contact they must still be found on the timeline of the one
# that stayed, so this one function, the owner's, may move them: within the organization of the transaction, and only
# away from a contact that is deleted.
MOVE_EVENTS = """
CREATE FUNCTION contacts_move_events(gone uuid, kept uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    mine uuid := NULLIF(current_setting('app.organization_id', true), '')::uuid;
    moved integer;
BEGIN
    IF NOT EXISTS (SELECT FROM contacts_contact WHERE id = gone AND organization_id = mine AND deleted_at IS NOT NULL)
       OR NOT EXISTS (SELECT FROM contacts_contact WHERE id = kept AND organization_id = mine AND deleted_at IS NULL)
    THEN
        RAISE EXCEPTION 'events move from a deleted contact to a living one of the same organization';
    END IF;
    UPDATE core_event SET contact_id = kept WHERE organization_id = mine AND contact_id = gone;
    GET DIAGNOSTICS moved = ROW_COUNT;
    RETURN moved;
END $$;
REVOKE ALL ON FUNCTION contacts_move_events(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION contacts_move_events(uuid, uuid) TO crm_app;
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Company",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "lifecycle_stage",
                    models.CharField(
                        choices=[
                            ("subscriber", "Subscriber"),
                            ("lead", "Lead"),
                            ("marketing_qualified", "Marketing Qualified"),
                            ("sales_qualified", "Sales Qualified"),
                            ("opportunity", "Opportunity"),
                            ("customer", "Customer"),
                            ("evangelist", "Evangelist"),
                            ("other", "Other"),
                        ],
                        default="lead",
                        max_length=20,
                    ),
                ),
                ("phone", models.CharField(blank=True, max_length=40)),
                ("address", models.JSONField(blank=True, null=True)),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), blank=True, default=list, size=None
                    ),
                ),
                ("search", django.contrib.postgres.search.SearchVectorField(editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("name", models.CharField(max_length=200)),
                ("name_normalized", models.CharField(editable=False, max_length=200)),
                ("website", models.CharField(blank=True, max_length=300)),
                ("industry", models.CharField(blank=True, max_length=100)),
                ("tier", models.CharField(blank=True, max_length=60)),
                ("country", models.CharField(blank=True, max_length=60)),
                ("employee_count", models.PositiveIntegerField(blank=True, null=True)),
                ("annual_revenue", models.BigIntegerField(blank=True, null=True)),
                (
                    "created_by",
                    crm.core.db.models.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
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
                    "owner",
                    crm.core.db.models.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "companies",
            },
        ),
        migrations.CreateModel(
            name="Contact",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "lifecycle_stage",
                    models.CharField(
                        choices=[
                            ("subscriber", "Subscriber"),
                            ("lead", "Lead"),
                            ("marketing_qualified", "Marketing Qualified"),
                            ("sales_qualified", "Sales Qualified"),
                            ("opportunity", "Opportunity"),
                            ("customer", "Customer"),
                            ("evangelist", "Evangelist"),
                            ("other", "Other"),
                        ],
                        default="lead",
                        max_length=20,
                    ),
                ),
                ("phone", models.CharField(blank=True, max_length=40)),
                ("address", models.JSONField(blank=True, null=True)),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), blank=True, default=list, size=None
                    ),
                ),
                ("search", django.contrib.postgres.search.SearchVectorField(editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("first_name", models.CharField(blank=True, max_length=100)),
                ("last_name", models.CharField(blank=True, max_length=100)),
                ("full_name", models.CharField(blank=True, editable=False, max_length=201)),
                ("name_normalized", models.CharField(blank=True, editable=False, max_length=201)),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("email_normalized", models.CharField(blank=True, editable=False, max_length=254)),
                ("job_title", models.CharField(blank=True, max_length=150)),
                (
                    "lead_status",
                    models.CharField(
                        choices=[
                            ("new", "New"),
                            ("open", "Open"),
                            ("in_progress", "In Progress"),
                            ("contacted", "Contacted"),
                            ("qualified", "Qualified"),
                            ("unqualified", "Unqualified"),
                        ],
                        default="new",
                        max_length=20,
                    ),
                ),
                (
                    "temperature",
                    models.CharField(
                        blank=True, choices=[("cold", "Cold"), ("warm", "Warm"), ("hot", "Hot")], max_length=10
                    ),
                ),
                ("source", models.CharField(blank=True, max_length=100)),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "Active"), ("inactive", "Inactive")], default="active", max_length=10
                    ),
                ),
                ("do_not_contact", models.BooleanField(default=False)),
                (
                    "rating",
                    models.DecimalField(
                        blank=True,
                        decimal_places=1,
                        max_digits=2,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(5),
                        ],
                    ),
                ),
                ("notes", models.TextField(blank=True)),
                ("custom_fields", models.JSONField(blank=True, default=dict)),
                ("avatar", models.CharField(blank=True, max_length=500)),
                ("dedupe_hash", models.CharField(blank=True, editable=False, max_length=64)),
                ("last_contacted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "company",
                    crm.core.db.models.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contacts",
                        to="contacts.company",
                    ),
                ),
                (
                    "created_by",
                    crm.core.db.models.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
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
                    "owner",
                    crm.core.db.models.TenantForeignKey(
                        blank=True,
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
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="company",
            index=models.Index(
                models.F("organization"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("deleted_at", None)),
                name="company_recent",
            ),
        ),
        migrations.AddIndex(
            model_name="company",
            index=models.Index(
                models.F("organization"),
                models.F("owner"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("deleted_at", None)),
                name="company_owner",
            ),
        ),
        migrations.AddIndex(
            model_name="company",
            index=models.Index(
                models.F("organization"),
                models.F("name_normalized"),
                models.F("id"),
                condition=models.Q(("deleted_at", None)),
                name="company_name",
            ),
        ),
        migrations.AddIndex(
            model_name="company",
            index=models.Index(
                django.contrib.postgres.indexes.OpClass("name_normalized", "varchar_pattern_ops"),
                name="company_name_prefix",
            ),
        ),
        migrations.AddIndex(
            model_name="company",
            index=django.contrib.postgres.indexes.GinIndex(models.F("search"), fastupdate=False, name="company_search"),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                models.F("organization"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("deleted_at", None)),
                name="contact_recent",
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                models.F("organization"),
                models.F("owner"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("deleted_at", None)),
                name="contact_owner",
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                models.F("organization"),
                models.F("company"),
                models.F("id"),
                condition=models.Q(("company__isnull", False)),
                name="contact_company",
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                models.F("organization"),
                models.F("name_normalized"),
                models.F("id"),
                condition=models.Q(("deleted_at", None)),
                name="contact_name",
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                models.F("organization"),
                models.F("email_normalized"),
                models.F("id"),
                condition=models.Q(("deleted_at", None)),
                name="contact_email",
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                models.F("organization"),
                models.F("dedupe_hash"),
                condition=models.Q(("deleted_at", None)),
                name="contact_dedupe",
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                models.F("organization"),
                models.OrderBy(models.F("created_at"), descending=True),
                condition=models.Q(("deleted_at__isnull", False)),
                name="contact_deleted",
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                django.contrib.postgres.indexes.OpClass("email_normalized", "varchar_pattern_ops"),
                name="contact_email_prefix",
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=django.contrib.postgres.indexes.GinIndex(models.F("search"), fastupdate=False, name="contact_search"),
        ),
        migrations.AddConstraint(
            model_name="contact",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None), ("user__isnull", False)),
                fields=("organization", "user"),
                name="contact_user_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="contact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("rating__isnull", True), models.Q(("rating__gte", 0), ("rating__lte", 5)), _connector="OR"
                ),
                name="contact_rating_range",
            ),
        ),
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
        migrations.RunSQL(MOVE_EVENTS, "DROP FUNCTION contacts_move_events(uuid, uuid)"),
    ]
