import django.db.models.deletion
from django.db import migrations, models

from crm.core.db.operations import SummaryTriggers, TenantTable, after_each

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
DEAL_FIGURES = f"""
    INSERT INTO sales_figure ({KEY}, {SUMS})
    SELECT organization_id, CASE GROUPING(stage) WHEN 0 THEN 'deals' ELSE 'closed' END,
           owner, stage, status, currency, day, sum(n), sum(amount), sum(weighted), sum(unweighted), sum(seconds)
    FROM ({{change}}) AS change
    GROUP BY GROUPING SETS (
        (organization_id, owner, stage, status, currency), (organization_id, owner, status, currency, day)
    )
    HAVING (GROUPING(stage) = 0 OR day IS NOT NULL)
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
    dependencies = [("sales", "0002_walls"), ("accounts", "0002_walls")]

    operations = [
        migrations.CreateModel(
            name="Figure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=40)),
                ("owner_id", models.UUIDField(null=True)),
                ("stage_id", models.UUIDField(null=True)),
                (
                    "status",
                    models.CharField(
                        blank=True, choices=[("open", "Open"), ("won", "Won"), ("lost", "Lost")], max_length=4
                    ),
                ),
                ("currency", models.CharField(blank=True, max_length=3)),
                ("day", models.DateField(null=True)),
                ("n", models.BigIntegerField()),
                ("is_compacted", models.BooleanField(db_default=False, editable=False)),
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
                    models.Index("organization", "kind", "day", "owner_id", name="figure_sum"),
                    models.Index(
                        models.F("organization"),
                        models.F("kind"),
                        condition=models.Q(("is_compacted", False)),
                        name="summary_uncompacted",
                    ),
                ],
            },
        ),
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
