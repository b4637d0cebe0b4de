"""Decided deals are summed up by month as well: a month is read from a few rows, however many days and owners it has."""

from importlib import import_module

from django.db import migrations

from crm.core.db.operations import ReplaceTriggers

before = import_module("sales.migrations.0003_figures")
KEY, SUMS = before.KEY, before.SUMS

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
# Nobody writes deals until the triggers are exchanged. The tables' owner is held by their policies as well; references
# that are checked at the end would keep it from taking them up again.
FROM_DAYS = f"""
    LOCK TABLE sales_deal, sales_figure IN SHARE ROW EXCLUSIVE MODE;
    ALTER TABLE sales_figure NO FORCE ROW LEVEL SECURITY;
    INSERT INTO sales_figure ({KEY}, {SUMS}, is_compacted)
    SELECT organization_id, 'closed by month', owner_id, NULL, status, currency, date_trunc('month', day)::date,
           sum(n), sum(amount), sum(weighted), sum(unweighted), sum(seconds), true
    FROM sales_figure WHERE kind = 'closed'
    GROUP BY organization_id, owner_id, status, currency, date_trunc('month', day);
    SET CONSTRAINTS ALL IMMEDIATE;
    ALTER TABLE sales_figure FORCE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):
    dependencies = [("sales", "0003_figures")]

    operations = [
        migrations.RunSQL(FROM_DAYS, reverse_sql=migrations.RunSQL.noop),
        ReplaceTriggers("sales_deal", "sales_deal_figure", rows=before.DEALS, insertion=DEAL_FIGURES),
    ]
