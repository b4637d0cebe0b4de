import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.core.validators
import django.db.models.constraints
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import crm.core.clock
import crm.core.db.models
import crm.core.ids
from crm.core.db.operations import CountedRows, SummaryTriggers, TenantTable, after_each

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

DAY = "AT TIME ZONE 'UTC')::date"
SUMS = "n, amount, weighted, unweighted, seconds"
KEY = "organization_id, kind, owner_id, stage_id, status, currency, day"

DEALS = f"""
    SELECT organization_id, owner_id AS owner, stage_id AS stage, status, currency, (closed_at {DAY} AS day,
           {{sign}} AS n,
           {{sign}} * amount AS amount,
           {{sign}} * amount * coalesce(probability, 0) AS weighted,
           CASE WHEN probability IS NULL THEN {{sign}} * amount ELSE 0 END AS unweighted,
           CASE WHEN status = 'won' THEN {{sign}} * floor(extract(epoch FROM closed_at - created_at)) ELSE 0 END AS seconds
    FROM {{source}} WHERE deleted_at IS NULL
"""
# Decided deals are summed up by day and by month: a month is read from a few rows.
DEAL_FIGURES = f"""
    INSERT INTO sales_figure ({KEY}, {SUMS})
    SELECT organization_id,
           CASE WHEN GROUPING(stage) = 0 THEN 'deals' WHEN GROUPING(day) = 0 THEN 'closed' ELSE 'closed by month' END,
           owner, stage, status, currency, coalesce(day, month),
           sum(n), sum(amount), sum(weighted), sum(unweighted), sum(seconds)
    FROM (SELECT *, date_trunc('month', day)::date AS month FROM ({{change}}) AS dated) AS change
    GROUP BY GROUPING SETS (
        (organization_id, owner, stage, status, currency),
        (organization_id, owner, status, currency, day),
        (organization_id, owner, status, currency, month)
    )
    HAVING (GROUPING(stage) = 0 OR day IS NOT NULL OR month IS NOT NULL)
       AND (sum(n), sum(amount), sum(weighted), sum(unweighted), sum(seconds)) <> (0, 0, 0, 0, 0)
"""
# A stage is left by an update, and what was spent there stays spent: no row is taken back.
STAGES_LEFT = f"""
    INSERT INTO sales_figure ({KEY}, {SUMS})
    SELECT o.organization_id, 'left', o.owner_id, o.stage_id, '', '', (n.stage_entered_at {DAY},
           count(*), 0, 0, 0, sum(greatest(0, floor(extract(epoch FROM n.stage_entered_at - o.stage_entered_at))))
    FROM removed o JOIN added n ON n.id = o.id
    WHERE n.stage_id <> o.stage_id
    GROUP BY o.organization_id, o.owner_id, o.stage_id, (n.stage_entered_at {DAY}
"""
UNFINISHED = "deleted_at IS NULL AND status IN ('pending', 'in_progress') AND due_at IS NOT NULL"
ACTIVITIES = f"""
    SELECT organization_id, 'due' AS kind, owner_id AS who, (due_at {DAY} AS day, {{sign}} AS n
    FROM {{source}} WHERE {UNFINISHED}
    UNION ALL
    SELECT organization_id, 'due for others', created_by_id, (due_at {DAY}, {{sign}}
    FROM {{source}} WHERE {UNFINISHED} AND created_by_id IS DISTINCT FROM owner_id AND created_by_id IS NOT NULL
"""
ACTIVITY_FIGURES = f"""
    INSERT INTO sales_figure ({KEY}, {SUMS})
    SELECT organization_id, CASE GROUPING(day) WHEN 0 THEN kind ELSE kind || ' by month' END,
           who, NULL, '', '', coalesce(day, month), sum(n), 0, 0, 0, 0
    FROM (SELECT *, date_trunc('month', day)::date AS month FROM ({{change}}) AS dated) AS change
    GROUP BY GROUPING SETS ((organization_id, kind, who, day), (organization_id, kind, who, month))
    HAVING sum(n) <> 0
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("contacts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Pipeline",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
                ("is_default", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
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
            name="Stage",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
                ("position", models.PositiveIntegerField()),
                (
                    "probability",
                    models.PositiveSmallIntegerField(
                        default=0, validators=[django.core.validators.MaxValueValidator(100)]
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("open", "Open"), ("won", "Won"), ("lost", "Lost")], default="open", max_length=4
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
                (
                    "pipeline",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stages",
                        to="sales.pipeline",
                    ),
                ),
            ],
            options={
                "ordering": ["position"],
            },
        ),
        migrations.CreateModel(
            name="Deal",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("title", models.CharField(max_length=200)),
                ("rank", models.BigIntegerField(editable=False)),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "Open"), ("won", "Won"), ("lost", "Lost")],
                        default="open",
                        editable=False,
                        max_length=4,
                    ),
                ),
                ("amount", models.BigIntegerField(default=0)),
                ("currency", models.CharField(max_length=3)),
                (
                    "probability",
                    models.PositiveSmallIntegerField(
                        blank=True, null=True, validators=[django.core.validators.MaxValueValidator(100)]
                    ),
                ),
                (
                    "priority",
                    models.CharField(
                        choices=[("low", "Low"), ("medium", "Medium"), ("high", "High"), ("urgent", "Urgent")],
                        default="medium",
                        max_length=6,
                    ),
                ),
                ("expected_close_date", models.DateField(blank=True, null=True)),
                ("source", models.CharField(blank=True, max_length=100)),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), blank=True, default=list, size=None
                    ),
                ),
                ("description", models.TextField(blank=True)),
                ("lost_reason", models.CharField(blank=True, max_length=500)),
                ("search", django.contrib.postgres.search.SearchVectorField(editable=False, null=True)),
                ("stage_entered_at", models.DateTimeField(editable=False)),
                ("closed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "company",
                    crm.core.db.models.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contacts.company",
                    ),
                ),
                (
                    "contact",
                    crm.core.db.models.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contacts.contact",
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
                    "pipeline",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deals",
                        to="sales.pipeline",
                    ),
                ),
                (
                    "stage",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deals",
                        to="sales.stage",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DailyReminder",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("day", models.DateField()),
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
                (
                    "user",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "user", "day"), name="daily_reminder_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Activity",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("task", "Task"),
                            ("call", "Call"),
                            ("meeting", "Meeting"),
                            ("email", "Email"),
                            ("note", "Note"),
                        ],
                        default="task",
                        max_length=8,
                    ),
                ),
                ("subject", models.CharField(max_length=200)),
                ("description", models.TextField(blank=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("in_progress", "In Progress"),
                            ("completed", "Completed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="pending",
                        max_length=11,
                    ),
                ),
                (
                    "priority",
                    models.CharField(
                        choices=[("low", "Low"), ("medium", "Medium"), ("high", "High"), ("urgent", "Urgent")],
                        default="medium",
                        max_length=6,
                    ),
                ),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("due_on", models.DateField(blank=True, editable=False, null=True)),
                ("scheduled_at", models.DateTimeField(default=crm.core.clock.now, editable=False)),
                ("search", django.contrib.postgres.search.SearchVectorField(editable=False, null=True)),
                ("completed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "company",
                    crm.core.db.models.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contacts.company",
                    ),
                ),
                (
                    "contact",
                    crm.core.db.models.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contacts.contact",
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
                    "deal",
                    crm.core.db.models.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="activities",
                        to="sales.deal",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "activities",
                "indexes": [
                    models.Index(
                        models.F("organization"),
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("deleted_at", None)),
                        name="activity_recent",
                    ),
                    models.Index(
                        models.F("organization"),
                        models.F("owner"),
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("deleted_at", None)),
                        name="activity_owner",
                    ),
                    models.Index(
                        models.F("organization"),
                        models.F("created_by"),
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(
                            ("deleted_at", None), models.Q(("owner_id", models.F("created_by_id")), _negated=True)
                        ),
                        name="activity_maker",
                    ),
                    models.Index(
                        models.F("organization"),
                        models.F("due_at"),
                        condition=models.Q(("deleted_at", None), ("due_at__isnull", False)),
                        name="activity_calendar",
                    ),
                    models.Index(
                        models.F("organization"),
                        models.F("due_at"),
                        models.F("owner"),
                        condition=models.Q(
                            ("deleted_at", None), ("due_at__isnull", False), ("status__in", ("pending", "in_progress"))
                        ),
                        include=("created_by", "type"),
                        name="activity_due",
                    ),
                    models.Index(
                        models.F("organization"),
                        models.F("owner"),
                        models.F("due_at"),
                        condition=models.Q(
                            ("deleted_at", None), ("due_at__isnull", False), ("status__in", ("pending", "in_progress"))
                        ),
                        name="activity_owner_due",
                    ),
                    models.Index(
                        models.F("organization"),
                        models.F("contact"),
                        models.F("id"),
                        condition=models.Q(("contact__isnull", False)),
                        name="activity_contact",
                    ),
                    models.Index(
                        models.F("organization"),
                        models.F("company"),
                        models.F("id"),
                        condition=models.Q(("company__isnull", False)),
                        name="activity_company",
                    ),
                    models.Index(
                        models.F("organization"),
                        models.F("deal"),
                        models.F("id"),
                        condition=models.Q(("deal__isnull", False)),
                        name="activity_deal",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        models.F("search"), fastupdate=False, name="activity_search"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("completed_at__isnull", False), ("status", "completed")),
                            models.Q(models.Q(("status", "completed"), _negated=True), ("completed_at", None)),
                            _connector="OR",
                        ),
                        name="activity_completed_when_done",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Figure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=40)),
                ("owner_id", models.UUIDField(null=True)),
                ("n", models.BigIntegerField()),
                ("is_compacted", models.BooleanField(db_default=False, editable=False)),
                ("stage_id", models.UUIDField(null=True)),
                (
                    "status",
                    models.CharField(
                        blank=True, choices=[("open", "Open"), ("won", "Won"), ("lost", "Lost")], max_length=4
                    ),
                ),
                ("currency", models.CharField(blank=True, max_length=3)),
                ("day", models.DateField(null=True)),
                ("amount", models.DecimalField(decimal_places=0, default=0, max_digits=40)),
                ("weighted", models.DecimalField(decimal_places=0, default=0, max_digits=40)),
                ("unweighted", models.DecimalField(decimal_places=0, default=0, max_digits=40)),
                ("seconds", models.BigIntegerField(default=0)),
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
                        models.F("day"),
                        models.F("owner_id"),
                        name="figure_sum",
                    ),
                    models.Index(
                        models.F("organization"),
                        models.F("kind"),
                        condition=models.Q(("is_compacted", False)),
                        name="summary_uncompacted",
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="pipeline",
            index=models.Index(
                models.F("organization"), models.F("created_at"), models.F("id"), name="pipeline_recent"
            ),
        ),
        migrations.AddConstraint(
            model_name="pipeline",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None), ("is_default", True)),
                fields=("organization",),
                name="pipeline_default_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="stage",
            constraint=models.UniqueConstraint(
                deferrable=django.db.models.constraints.Deferrable["DEFERRED"],
                fields=("organization", "pipeline", "position"),
                name="stage_position_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="stage",
            constraint=models.CheckConstraint(
                condition=models.Q(("probability__lte", 100)), name="stage_probability_range"
            ),
        ),
        migrations.AddIndex(
            model_name="deal",
            index=models.Index(
                models.F("organization"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("deleted_at", None)),
                name="deal_recent",
            ),
        ),
        migrations.AddIndex(
            model_name="deal",
            index=models.Index(
                models.F("organization"),
                models.F("owner"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("deleted_at", None)),
                name="deal_owner",
            ),
        ),
        migrations.AddIndex(
            model_name="deal",
            index=models.Index(
                models.F("organization"),
                models.F("contact"),
                models.F("id"),
                condition=models.Q(("contact__isnull", False)),
                name="deal_contact",
            ),
        ),
        migrations.AddIndex(
            model_name="deal",
            index=models.Index(
                models.F("organization"),
                models.F("company"),
                models.F("id"),
                condition=models.Q(("company__isnull", False)),
                name="deal_company",
            ),
        ),
        migrations.AddIndex(
            model_name="deal",
            index=models.Index(
                models.F("organization"),
                models.F("closed_at"),
                condition=models.Q(("closed_at__isnull", False)),
                name="deal_closed",
            ),
        ),
        migrations.AddIndex(
            model_name="deal",
            index=django.contrib.postgres.indexes.GinIndex(models.F("search"), fastupdate=False, name="deal_search"),
        ),
        migrations.AddConstraint(
            model_name="deal",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None)),
                fields=("organization", "stage", "rank"),
                name="deal_rank_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="deal",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gte", 0), ("amount__lte", 999999999999999)), name="deal_amount_range"
            ),
        ),
        migrations.AddConstraint(
            model_name="deal",
            constraint=models.CheckConstraint(
                condition=models.Q(("probability__isnull", True), ("probability__lte", 100), _connector="OR"),
                name="deal_probability_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="deal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at", None), ("status", "open")),
                    models.Q(models.Q(("status", "open"), _negated=True), ("closed_at__isnull", False)),
                    _connector="OR",
                ),
                name="deal_closed_when_decided",
            ),
        ),
        TenantTable("sales_pipeline"),
        TenantTable("sales_stage", {"pipeline_id": "sales_pipeline"}),
        TenantTable("sales_deal", {**PEOPLE, **CUSTOMERS, "pipeline_id": "sales_pipeline", "stage_id": "sales_stage"}),
        TenantTable("sales_activity", {**PEOPLE, **CUSTOMERS, "deal_id": "sales_deal"}),
        TenantTable("sales_dailyreminder", {"user_id": "accounts_user"}),
        CountedRows("sales_deal", "deals", owner="owner_id"),
        SummaryTriggers("sales_activity", "sales_activity_counter", rows=COUNTED, insertion=COUNTS),
        TenantTable("sales_figure"),
        SummaryTriggers("sales_deal", "sales_deal_figure", rows=DEALS, insertion=DEAL_FIGURES),
        SummaryTriggers("sales_activity", "sales_activity_figure", rows=ACTIVITIES, insertion=ACTIVITY_FIGURES),
        migrations.RunSQL(
            after_each(
                "update", "sales_deal", "sales_deal_left", "OLD TABLE AS removed NEW TABLE AS added", STAGES_LEFT
            ),
            reverse_sql=migrations.RunSQL.noop,
        ),
    ]
