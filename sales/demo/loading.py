"""Writes invented deals and activities in bulk; derived columns and events are as the services would make them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count, zip_longest
from typing import Any
from uuid import UUID

from accounts.models import User
from contacts.demo.chapters import Telling
from contacts.demo.copying import Row, batches, id_at, insert, row_of, update
from contacts.demo.telling import Chronicle
from contacts.models import Contact
from contacts.services import change_text
from contacts.services.timeline import IN_TOUCH
from crm.core.db import tenant
from crm.core.models import Event, TimelineKind
from sales.demo.invention import InventedActivity, InventedDeal, Step
from sales.models import Activity, ActivityStatus, Deal, Pipeline, Stage
from sales.services import activities, deal_moves, deal_ranks, search_index

BATCH = 2000
MOVED = ("id", "stage_id", "status", "lost_reason", "stage_entered_at", "closed_at", "updated_at")
DELETED = ("id", "deleted_at", "updated_at")
A_MOMENT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Course:
    """A pipeline with its stages in their order."""

    pipeline: Pipeline
    stages: Sequence[Stage]


class Loader:
    """Loads invented sales: parties, pipelines and workers are what positions of the invention stand for."""

    def __init__(self, telling: Telling, courses: Sequence[Course], parties: Sequence[Contact]) -> None:
        self.organization_id = telling.organization_id
        self.workers: Sequence[User] = telling.workers
        self.courses, self.parties = courses, parties
        self.chronicle = Chronicle(telling.organization_id.hex)
        self.deals: list[Deal] = []

    def load_deals(self, invented: Sequence[InventedDeal]) -> None:
        """Write the deals in their first stage and let them move on, step by step, each with its events."""
        self.deals = list(map(self._deal, invented, self._ranks(invented)))
        for batch in batches(zip(invented, self.deals, strict=True), BATCH):
            with tenant(self.organization_id):
                insert(Deal, [row_of(deal) for _, deal in batch])
                details = [list(self._walk(*one)) for one in batch]
                for moved in zip_longest(*([row for row, _ in steps if row] for steps in details)):
                    update(Deal, filter(None, moved))
                insert(Event, [event for steps in details for _, event in steps])
                update(Deal, [self._deleted(deal, one.deleted_at) for one, deal in batch if one.deleted_at])

    def load_activities(self, invented: Iterable[InventedActivity]) -> None:
        """Write activities with their events; those who were called, met or written to have been in touch."""
        for batch in batches(((one, self._activity(one)) for one in invented), BATCH):
            touched = self._touched(activity for _, activity in batch)
            with tenant(self.organization_id):
                insert(Activity, [row_of(activity) for _, activity in batch])
                insert(Event, [event for _, activity in batch for event in self._activity_events(activity)])
                update(Contact, [row_of(contact, ("id", "last_contacted_at")) for contact in touched])

    # --- Deals

    def _ranks(self, invented: Sequence[InventedDeal]) -> list[int]:
        """Return ranks, unique in every stage, in which the deals of a stage stand as they came into it."""
        with tenant(self.organization_id):
            last = Deal.objects.of(self.organization_id).order_by("-rank").values_list("rank", flat=True).first() or 0
        arrivals = sorted(range(len(invented)), key=lambda at: invented[at].steps[-1].at)
        by_arrival = dict(zip(arrivals, count(last + deal_ranks.GAP, deal_ranks.GAP), strict=False))
        return [by_arrival[at] for at in range(len(invented))]

    def _deal(self, one: InventedDeal, rank: int) -> Deal:
        contact, owner = self.parties[one.party], self.workers[one.owner]
        deal = Deal(
            id=UUID(id_at(one.created_at)),
            organization_id=self.organization_id,
            title=one.title,
            rank=rank,
            contact=contact,
            company=contact.company,
            amount=one.amount,
            currency=one.currency,
            probability=one.probability,
            priority=one.priority,
            expected_close_date=one.expected_close_date,
            source=one.source,
            tags=one.tags,
            description=one.description,
            owner=owner,
            created_by=owner,
            created_at=one.created_at,
        )
        self._enter(deal, one, one.steps[0])
        search_index.refresh(deal, contact, contact.company)
        return deal

    def _enter(self, deal: Deal, one: InventedDeal, step: Step) -> None:
        course = self.courses[one.track]
        place = deal_ranks.Slot(course.stages[step.stage], course.pipeline.name, deal.rank, None, None, None)
        deal_moves.apply_stage(deal, place, step.at, lost_reason=step.lost_reason)
        deal.stage_entered_at = deal.updated_at = step.at

    def _walk(self, one: InventedDeal, deal: Deal) -> Iterator[tuple[Row | None, Row]]:
        """Let the deal go its way from its first stage: yield what each step makes of it, and the event."""
        pipeline = self.courses[one.track].pipeline
        about = {"contact_id": deal.contact_id, "company_id": deal.company_id, "deal_id": deal.pk}
        plain: dict[str, Any] = {"actor_id": deal.owner_id, "kind": TimelineKind.DEAL, **about}
        entered = {
            "to_stage": deal_moves.named(deal.stage.pk, deal.stage.name),
            "pipeline": deal_moves.named(pipeline.pk, pipeline.name),
            "lost_reason": None,
        }
        title = f"Deal {deal} created"
        yield None, self.chronicle.event("deal.created", deal, one.created_at, title=title, metadata=entered, **plain)
        for step in one.steps[1:]:
            stay, status = deal_moves.StageVisit(deal.stage, deal.stage_entered_at, step.at), deal.status
            self._enter(deal, one, step)
            changes = {"stage_id": {"from": str(stay.stage.pk), "to": str(deal.stage.pk)}}
            if deal.status != status:
                changes["status"] = {"from": str(status), "to": str(deal.status)}
            details = deal_moves.event_data(
                deal, stay, changes=changes, details={"note": step.note, "lost_reason": step.lost_reason}
            )
            yield (
                row_of(deal, MOVED),
                self.chronicle.event("deal.moved", deal, step.at, actor_id=deal.owner_id, **details),
            )
        if one.deleted_at:
            yield (
                None,
                self.chronicle.event("deal.deleted", deal, one.deleted_at, title=f"Deal {deal} deleted", **plain),
            )

    def _deleted(self, deal: Deal, at: datetime) -> Row:
        deal.deleted_at = deal.updated_at = at
        return row_of(deal, DELETED)

    # --- Activities

    def _activity(self, one: InventedActivity) -> Activity:
        contact = None if one.party is None else self.parties[one.party]
        deal = None if one.deal is None else self.deals[one.deal]
        activity = Activity(
            id=UUID(id_at(one.created_at)),
            organization_id=self.organization_id,
            type=one.type,
            subject=one.subject,
            description=one.description,
            status=one.status,
            priority=one.priority,
            due_at=one.due_at,
            due_on=one.due_on,
            scheduled_at=one.created_at,
            owner=self.workers[one.owner],
            created_by=self.workers[one.created_by],
            contact=None if one.of_company else contact,
            company=deal.company if deal else contact.company if one.of_company and contact else None,
            deal=deal,
            completed_at=one.completed_at,
            created_at=one.created_at,
            updated_at=one.completed_at or one.created_at,
        )
        activities.index(activity)
        return activity

    def _touched(self, done: Iterable[Activity]) -> list[Contact]:
        """Let contacts know when somebody was last in touch with them; return those for whom that is news."""
        touched: dict[UUID, Contact] = {}
        for activity in done:
            contact, at = activity.contact, activity.completed_at
            if contact is None or at is None or activity.type not in IN_TOUCH:
                continue
            if contact.last_contacted_at is None or contact.last_contacted_at < at:
                contact.last_contacted_at = at
                touched[contact.pk] = contact
        return list(touched.values())

    def _activity_events(self, activity: Activity) -> Iterator[Row]:
        def event(what: str, at: datetime, **details: Any) -> Row:
            return self.chronicle.event(
                f"activity.{what}", activity, at, **activities.event_data(activity, what), **details
            )

        yield event("created", activity.created_at, actor_id=activity.created_by_id, kind=TimelineKind.TASK)
        changes = {"status": {"from": ActivityStatus.PENDING.value, "to": activity.status}}
        if activity.completed_at:
            yield event(
                "completed",
                activity.completed_at,
                actor_id=activity.owner_id,
                kind=TimelineKind(activity.type),
                content=activity.description,
                changes=changes,
            )
        elif activity.status == ActivityStatus.CANCELLED:
            details = {"kind": TimelineKind.TASK, "content": change_text.sentences(changes, {}), "changes": changes}
            yield event("updated", activity.created_at + A_MOMENT, actor_id=activity.owner_id, **details)
