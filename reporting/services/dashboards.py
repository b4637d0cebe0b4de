"""The figures of the dashboards, each within what the actor sees. What is not sold or done yet counts as none."""

from dataclasses import dataclass

from crm.core import sql
from crm.core.actor import Actor

_TOTALS = """
SELECT kind, sum(n)::bigint FROM core_tally
WHERE organization_id = %s AND kind = ANY(%s) AND (%s OR owner_id = %s)
GROUP BY kind
"""
# What one must be allowed to view to be told how many there are.
_COUNTED = {"contacts": "contacts:view", "companies": "companies:view"}


@dataclass(frozen=True, slots=True)
class Figures:
    """The twelve figures; money in major units of the organization's currency, times in days."""

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


def figures_for(actor: Actor) -> Figures:
    """Return the figures of what the actor sees, from kept counts."""
    kinds = [kind for kind, permission in _COUNTED.items() if actor.can(permission)]
    asked = (actor.organization_id, kinds, actor.sees_all, actor.user_id)
    totals = {kind: int(n) for kind, n in sql.fetch(_TOTALS, asked)}
    return Figures(contacts=totals.get("contacts", 0), accounts=totals.get("companies", 0))
