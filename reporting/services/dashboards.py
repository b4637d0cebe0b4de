"""The figures of the dashboards, each within what the actor sees; what they may not view counts as none.

docs/figures.md defines them, `sales.services.figures` computes them: every dashboard asks there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from crm.core import money
from crm.core.actor import Actor
from sales.services import figures
from sales.services.figures import DealFigures, Overview, Total

# What one must be allowed to view to be told how many there are.
_COUNTED = {"contacts": "contacts:view", "companies": "companies:view"}


@dataclass(frozen=True, slots=True)
class Summary:
    """The twelve figures; money in major units of the organization's currency, others in `by_currency`."""

    contacts: int = 0
    accounts: int = 0
    open_opportunities: int = 0
    pipeline_open: float = 0.0
    pipeline_weighted: float = 0.0
    won_this_month: int = 0
    won_value_this_month: float = 0.0
    lost_this_month: int = 0
    conversion_rate: float = 0.0
    avg_cycle: float | None = None
    activities_due_today: int = 0
    activities_overdue: int = 0
    by_currency: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def overview_for(actor: Actor) -> Overview:
    """Return the figures that the actor may be told."""
    kinds = [kind for kind, permission in _COUNTED.items() if actor.can(permission)]
    details = figures.overview(actor, kinds)
    if not actor.can("deals:view"):
        details = replace(details, deals=DealFigures(), won_this_month=Total(), lost_this_month=Total())
    if not actor.can("activities:view"):
        details = replace(details, due_today=0, tasks_due_today=0, overdue=0)
    return details


def summary_for(actor: Actor) -> Summary:
    """Return the twelve figures that the actor may be told."""
    details = overview_for(actor)
    amounts = {
        "pipeline_open": details.deals.open.value,
        "pipeline_weighted": details.deals.weighted,
        "won_value_this_month": details.won_this_month.value,
    }
    currencies = sorted({actor.currency, *(currency for value in amounts.values() for currency in value)})
    by_currency: dict[str, Any] = {
        currency: {name: money.to_major(value.get(currency, 0), currency) for name, value in amounts.items()}
        for currency in currencies
    }
    return Summary(
        contacts=details.counted.get("contacts", 0),
        accounts=details.counted.get("companies", 0),
        open_opportunities=details.deals.open.count,
        won_this_month=details.won_this_month.count,
        lost_this_month=details.lost_this_month.count,
        conversion_rate=details.deals.conversion_rate,
        avg_cycle=details.deals.average_cycle,
        activities_due_today=details.due_today,
        activities_overdue=details.overdue,
        **by_currency.pop(actor.currency),
        by_currency=by_currency,
    )
