"""The figures of sales as slow Python makes them from the rows themselves: what the kept sums are compared with."""

from collections import Counter
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from crm.core.actor import Actor
from sales.models import UNFINISHED, Activity, Deal, Stage
from sales.services.figures import DealFigures, Overview, Total


def deals_of(actor: Actor) -> list[Deal]:
    """The living deals that the actor sees."""
    return list(Deal.objects.visible_to(actor).alive())


def total(deals: list[Deal]) -> Total:
    values: Counter[str] = Counter()
    for deal in deals:
        values[deal.currency] += deal.amount
    return Total(len(deals), dict(values))


def deal_figures(deals: list[Deal], stages: dict) -> DealFigures:
    by_status = {status: [deal for deal in deals if deal.status == status] for status in ("open", "won", "lost")}
    weighted: dict[str, Decimal] = {}
    for deal in by_status["open"]:
        percent = stages[deal.stage_id].probability if deal.probability is None else deal.probability
        weighted[deal.currency] = weighted.get(deal.currency, Decimal(0)) + Decimal(deal.amount) * percent / 100
    return DealFigures(
        **{status: total(found) for status, found in by_status.items()},
        weighted={
            currency: int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP)) for currency, value in weighted.items()
        },
        seconds_to_win=sum((deal.closed_at - deal.created_at) // timedelta(seconds=1) for deal in by_status["won"]),
    )


def overview(actor: Actor, now: datetime) -> Overview:
    """What `figures.overview` must say at a moment."""
    deals = deals_of(actor)
    stages = {stage.pk: stage for stage in Stage.objects.of(actor)}
    zone, own = ZoneInfo(actor.organization_timezone), ZoneInfo(actor.timezone)
    month = now.astimezone(zone).strftime("%Y-%m")
    lately = [deal for deal in deals if deal.closed_at and deal.closed_at.astimezone(zone).strftime("%Y-%m") == month]
    due = [
        (activity.due_at, activity.type)
        for activity in Activity.objects.visible_to(actor).alive()
        if activity.status in UNFINISHED and activity.due_at
    ]
    ahead = [(moment.astimezone(own).date(), kind) for moment, kind in due if moment >= now]
    today = [kind for day, kind in ahead if day == now.astimezone(own).date()]
    return Overview(
        counted={},
        deals=deal_figures(deals, stages),
        won_this_month=total([deal for deal in lately if deal.status == "won"]),
        lost_this_month=total([deal for deal in lately if deal.status == "lost"]),
        due_today=len(today),
        tasks_due_today=today.count("task"),
        overdue=sum(moment < now for moment, _ in due),
    )
