"""The floor's answers about sales: the same kept sums and the same rows, by one statement or two."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

Fetch = Callable[[str, tuple[Any, ...]], list[tuple[Any, ...]]]

CURRENCY = "USD"
DAY_SECONDS = 86_400
MIDDLE = 15  # of a month
# $1 organization, $2 and $3 the first midnight of UTC of this month and the next, $4 and $5 today's, $6 now, $7 and $8
# where the month begins and ends in the organization's time zone; $9 the month nearest to today, $10 and $11 the days
# between, $12 whether they are added to what was due before that month (1) or taken away (-1).
SUMMARY = """
SELECT kind, '', '', sum(n)::int8, 0::numeric, 0::numeric, 0::int8
FROM core_rowcounter WHERE organization_id = $1 AND kind IN ('contacts', 'companies') GROUP BY kind
UNION ALL
SELECT 'all', f.status, f.currency, sum(f.n)::int8, sum(f.amount), sum(f.weighted + f.unweighted * s.probability),
       sum(f.seconds)::int8
FROM sales_figure f JOIN sales_stage s ON s.id = f.stage_id
WHERE f.organization_id = $1 AND f.kind = 'deals' GROUP BY f.status, f.currency
UNION ALL
SELECT 'month', status, currency, sum(n)::int8, sum(amount), 0, 0 FROM (
    SELECT status, currency, n, amount FROM sales_figure
    WHERE organization_id = $1 AND kind = 'closed by month' AND day >= $2::date AND day < $3::date
    UNION ALL
    SELECT status, currency, 1, amount FROM sales_deal
    WHERE organization_id = $1 AND deleted_at IS NULL
      AND (closed_at >= $7 AND closed_at < $2 OR closed_at >= $3 AND closed_at < $8)
) closed
GROUP BY status, currency
UNION ALL
SELECT 'today', '', '', count(*), 0, 0, 0 FROM sales_activity
WHERE organization_id = $1 AND deleted_at IS NULL AND status IN ('pending', 'in_progress')
  AND due_at >= $6 AND due_at < $5
UNION ALL
SELECT 'overdue', '', '', (
    SELECT coalesce(sum(n), 0)::int8 FROM sales_figure
    WHERE organization_id = $1 AND kind = 'due by month' AND day < $9
) + $12 * (
    SELECT coalesce(sum(n), 0)::int8 FROM sales_figure
    WHERE organization_id = $1 AND kind = 'due' AND day >= $10 AND day < $11
) + (
    SELECT count(*) FROM sales_activity
    WHERE organization_id = $1 AND deleted_at IS NULL AND status IN ('pending', 'in_progress')
      AND due_at >= $4 AND due_at < $6
), 0, 0, 0
"""


def summary(fetch: Fetch, organization: str, _: Mapping[str, str]) -> Any:
    """Return the twelve figures."""
    now = datetime.now(UTC)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    month = today.replace(day=1)
    following = month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
    tomorrow = datetime.fromtimestamp(today.timestamp() + DAY_SECONDS, UTC)
    found: dict[tuple[str, ...], tuple[Any, ...]] = {}
    currencies = {CURRENCY}
    near = (month if today.day <= MIDDLE else following).date()
    due = (near, min(near, today.date()), max(near, today.date()), 1 if near <= today.date() else -1)
    asked = (organization, month, following, today, tomorrow, now, month, following, *due)  # in UTC
    for about, status, currency, *sums in fetch(SUMMARY, asked):
        found[about, status, currency] = tuple(sums)
        if currency:
            currencies.add(currency)
    none = (0, 0, 0, 0)

    def count(about: str, status: str) -> int:
        return int(sum(found.get((about, status, currency), none)[0] for currency in currencies))

    def amounts(currency: str) -> dict[str, float]:
        standing, won = found.get(("all", "open", currency), none), found.get(("month", "won", currency), none)
        return {
            "pipeline_open": int(standing[1]) / 100,
            "pipeline_weighted": (int(standing[2]) + 50) // 100 / 100,
            "won_value_this_month": int(won[1]) / 100,
        }

    won, lost = count("all", "won"), count("all", "lost")
    seconds = sum(found.get(("all", "won", currency), none)[3] for currency in currencies)
    by_currency = {currency: amounts(currency) for currency in sorted(currencies)}
    return {
        "contacts": found["contacts", "", ""][0],
        "accounts": found["companies", "", ""][0],
        "open_opportunities": count("all", "open"),
        "won_this_month": count("month", "won"),
        "lost_this_month": count("month", "lost"),
        "conversion_rate": round(100 * won / (won + lost), 2),
        "avg_cycle": round(seconds / won / DAY_SECONDS, 2),
        "activities_due_today": found["today", "", ""][0],
        "activities_overdue": found["overdue", "", ""][0],
        **by_currency.pop(CURRENCY),
        "by_currency": by_currency,
    }


# $1 organization; of its default pipeline.
BOARD = """
SELECT p.id, p.name, s.id, s.name, s.position, s.probability, s.kind, f.currency, f.n, f.amount
FROM sales_pipeline p JOIN sales_stage s ON s.pipeline_id = p.id
LEFT JOIN (
    SELECT stage_id, currency, sum(n)::int8 AS n, sum(amount)::int8 AS amount FROM sales_figure
    WHERE organization_id = $1 AND kind = 'deals' GROUP BY stage_id, currency
) f ON f.stage_id = s.id
WHERE p.organization_id = $1 AND p.is_default AND p.deleted_at IS NULL ORDER BY s.position
"""
# $2 stages, $3 deals of each.
CARDS = """
SELECT d.id, d.currency, d.contact_id, d.pipeline_id, d.stage_id, d.status, d.priority,
       coalesce(d.probability, s.probability), d.expected_close_date, nullif(d.source, ''), d.tags, d.owner_id,
       d.stage_entered_at, d.closed_at, d.created_at, d.updated_at, d.title, d.amount, d.company_id,
       coalesce(nullif(c.full_name, ''), c.email), coalesce(nullif(u.full_name, ''), u.email), f.name
FROM unnest($2::uuid[]) AS asked (id) JOIN sales_stage s ON s.id = asked.id
CROSS JOIN LATERAL (
    SELECT * FROM sales_deal WHERE organization_id = $1 AND stage_id = s.id AND deleted_at IS NULL
    ORDER BY rank LIMIT $3
) d
LEFT JOIN contacts_contact c ON c.id = d.contact_id
LEFT JOIN accounts_user u ON u.id = d.owner_id
LEFT JOIN contacts_company f ON f.id = d.company_id
ORDER BY d.rank
"""


def team_card(row: tuple[Any, ...]) -> dict[str, Any]:
    """Return a deal as the Team's board shows it."""
    return {
        "id": row[0],
        "currency": row[1],
        "contactId": row[2],
        "contact": None if row[2] is None else {"id": row[2], "name": row[19]},
        "pipelineId": row[3],
        "stageId": row[4],
        "status": row[5],
        "priority": row[6],
        "probability": row[7],
        "expectedCloseDate": row[8],
        "source": row[9],
        "tags": row[10],
        "ownerId": row[11],
        "owner": None if row[11] is None else {"id": row[11], "name": row[20]},
        "stageEnteredAt": row[12],
        "closedAt": row[13],
        "createdAt": row[14],
        "updatedAt": row[15],
        "title": row[16],
        "value": row[17] / 100,
        "companyId": row[18],
        "company": None if row[18] is None else {"id": row[18], "name": row[21]},
    }


def platform_card(row: tuple[Any, ...]) -> dict[str, Any]:
    """Return an opportunity as the Platform's board shows it."""
    return {
        "id": row[0],
        "currency": row[1],
        "contact_id": row[2],
        "contact": None if row[2] is None else {"id": row[2], "name": row[19]},
        "pipeline_id": row[3],
        "stage_id": row[4],
        "status": row[5],
        "priority": row[6],
        "probability": row[7],
        "expected_close_date": row[8],
        "source": row[9],
        "tags": row[10],
        "owner_id": row[11],
        "owner": None if row[11] is None else {"id": row[11], "name": row[20]},
        "stage_entered_at": row[12],
        "closed_at": row[13],
        "created_at": row[14],
        "updated_at": row[15],
        "name": row[16],
        "amount": row[17] / 100,
        "account_id": row[18],
        "account": None if row[18] is None else {"id": row[18], "name": row[21]},
    }


def board(fetch: Fetch, organization: str, size: int, names: tuple[str, ...], card: Callable[[Any], Any]) -> Any:
    """Return the default pipeline's stages with what they hold and the first deals of each."""
    count, value, others, cards = names
    stages: dict[str, dict[str, Any]] = {}
    for _, _, pk, name, position, probability, kind, currency, n, amount in (rows := fetch(BOARD, (organization,))):
        stage = stages.get(pk)
        if stage is None:
            stage = stages[pk] = {
                "id": pk,
                "name": name,
                "position": position,
                "probability": probability,
                "type": kind,
                count: 0,
                value: 0.0,
                others: {},
                cards: [],
            }
        stage[count] += n or 0
        if currency == CURRENCY:
            stage[value] = amount / 100
        elif currency:
            stage[others][currency] = amount / 100
    for row in fetch(CARDS, (organization, list(stages), size)):
        stages[row[4]][cards].append(card(row))
    return {"pipeline": {"id": rows[0][0], "name": rows[0][1]}, "stages": list(stages.values())}


def team_board(fetch: Fetch, organization: str, asked: Mapping[str, str]) -> Any:
    """Return the Team's board."""
    names = ("dealCount", "totalValue", "valuesByCurrency", "deals")
    return board(fetch, organization, int(asked.get("pageSize", 25)), names, team_card)


def platform_board(fetch: Fetch, organization: str, asked: Mapping[str, str]) -> Any:
    """Return the Platform's board."""
    names = ("count", "value", "by_currency", "opportunities")
    made = board(fetch, organization, int(asked.get("limit", 20)), names, platform_card)
    others: dict[str, float] = {}
    for stage in made["stages"]:
        for currency, amount in stage["by_currency"].items():
            others[currency] = others.get(currency, 0) + round(amount * 100)
    made["total_count"] = sum(stage["count"] for stage in made["stages"])
    made["total_value"] = sum(round(stage["value"] * 100) for stage in made["stages"]) / 100
    made["by_currency"] = {currency: amount / 100 for currency, amount in others.items()}
    return made


ANSWERS: dict[str, Callable[[Fetch, str, Mapping[str, str]], Any]] = {
    "/api/deals": team_board,
    "/api/v1/dashboard/pipeline": platform_board,
    "/api/v1/dashboard/summary": summary,
}
