"""Writes to activities: a Team task is one of type `task`, under the same rules."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any, TypedDict, Unpack
from uuid import UUID

from contacts.models import Contact
from contacts.services import change_text, timeline
from contacts.services.companies import owner_names
from crm.core import clock, db, events, search
from crm.core.actor import Actor
from crm.core.db import lock_row, lock_rows
from crm.core.errors import Forbidden
from crm.core.models import TimelineKind
from sales.models import UNFINISHED, Activity, ActivityStatus, Deal
from sales.services import associations, schedule

INDEXED = frozenset({"subject", "description"})
SETTLING = frozenset({"due_on", "owner_id", "status"})  # what a due date's moment follows from
FOLLOWING = frozenset({"due_at", "completed_at", "scheduled_at", "updated_at"})
# Said by the due time, or ids, which tell people nothing.
UNTOLD = frozenset({"due_on", *associations.COLUMNS})


class ActivityFields(TypedDict, total=False):
    """What may be said of an activity, by domain name."""

    description: str
    status: str
    priority: str
    contact_id: UUID | None
    subject: str
    due: date | datetime | None
    owner_id: UUID | None
    company_id: UUID | None
    deal_id: UUID | None
    type: str
    related_type: str | None
    related_id: UUID | None


def create_activity(actor: Actor, *, requires_subject: bool = False, **fields: Unpack[ActivityFields]) -> Activity:
    """Create an activity, assigned to oneself unless to another or (None) to nobody.

    `due` is a date or a time; `requires_subject` refuses one that is about nothing.
    """
    values: dict[str, Any] = dict(fields)
    activity = Activity(organization_id=actor.organization_id, created_by_id=actor.user_id)
    _hold_contacts(actor, activity, values)
    activity.owner_id = schedule.assignee_for(actor, values, current=actor.user_id)
    found = associations.links_for(actor, values, activity, needed=requires_subject)
    events.assign(activity, {**schedule.stored(values), **found.columns})
    if found.contact is not None:
        activity.contact = found.contact
    schedule.set_due_at(actor, activity)
    index(activity)
    is_completed = _stamp(activity)
    db.insert(activity)
    _record(actor, activity, "created", content=activity.description)
    if is_completed:
        _record_completion(actor, activity, touched={activity.contact_id})
    return activity


def update_activity(
    actor: Actor, activity: Activity, *, requires_subject: bool = False, **fields: Unpack[ActivityFields]
) -> Activity:
    """Change an activity; nothing changed, nothing recorded. To set the status `completed` is to complete it."""
    values: dict[str, Any] = dict(fields)
    touched = _hold_contacts(actor, activity, values)
    asks_for_links = not {*associations.COLUMNS, "related_type", "related_id"}.isdisjoint(values)
    found = associations.links_for(actor, values, activity, needed=requires_subject and asks_for_links)
    activity = _locked(actor, activity.pk)
    if values.get("due") == activity.due_at:  # a date sent back as the time it was shown as stays a date
        values.pop("due", None)
    before = Activity(due_at=activity.due_at, due_on=activity.due_on, status=activity.status)
    owner_id = schedule.assignee_for(actor, values, current=activity.owner_id)
    changes = events.assign(activity, {**schedule.stored(values), **found.columns, "owner_id": owner_id})
    if SETTLING & changes.keys():
        schedule.set_due_at(actor, activity)
    if activity.due_at != before.due_at:
        changes["due_at"] = {"from": events.plain(before.due_at), "to": events.plain(activity.due_at)}
    if not changes:
        return activity
    is_reopened = activity.status in UNFINISHED and before.status not in UNFINISHED
    if is_reopened or {"due_at", "due_on", "owner_id"} & changes.keys():
        activity.scheduled_at = clock.now()
    is_completed = _stamp(activity)
    if INDEXED & changes.keys():
        index(activity)
    activity.save(update_fields={*changes, *FOLLOWING, *(("search",) if INDEXED & changes.keys() else ())})
    content = _told(actor, activity, before, changes)
    if is_completed:
        is_all = changes.keys() == {"status"}
        content = activity.description if is_all else content
        _record_completion(actor, activity, touched=touched, content=content, changes=changes)
    else:
        _record(actor, activity, "updated", content=content, changes=changes)
    return activity


def complete_activity(actor: Actor, activity: Activity) -> Activity:
    """Mark an activity as done; what is done already stays as it is."""
    return update_activity(actor, activity, status=ActivityStatus.COMPLETED)


def delete_activity(actor: Actor, activity: Activity) -> None:
    """Delete softly."""
    activity = _locked(actor, activity.pk)
    activity.deleted_at = clock.now()
    activity.save(update_fields=["deleted_at", "updated_at"])
    _record(actor, activity, "deleted")


def require_restorer(actor: Actor) -> None:
    """Raise `Forbidden` where somebody deletes their own activities, but restores none."""
    if not actor.sees_all:
        raise Forbidden("Only those who see everybody's activities may restore one.")


def restore_activity(actor: Actor, activity: Activity) -> Activity:
    """Bring a deleted activity back; one that is not deleted stays as it is. It takes the sight of everybody's."""
    require_restorer(actor)
    activity = _locked(actor, activity.pk, deleted_too=True)
    if activity.deleted_at is None:
        return activity
    activity.deleted_at, activity.scheduled_at = None, clock.now()
    schedule.set_due_at(actor, activity)
    activity.save(update_fields=["deleted_at", "scheduled_at", "due_at", "updated_at"])
    _record(actor, activity, "restored")
    return activity


def _locked(actor: Actor, pk: UUID, *, deleted_too: bool = False) -> Activity:
    rows = Activity.objects.visible_to(actor).select_related("contact", "deal")
    locked: Activity = lock_row(rows if deleted_too else rows.alive(), pk)
    return locked


def _hold_contacts(actor: Actor, activity: Activity, fields: Mapping[str, Any]) -> set[UUID]:
    """Return whom an activity that gets completed may have been in touch with, locked: before the activity itself.

    That is the contact named, or the one that comes with the deal named.
    """
    is_completed = fields.get("status") == ActivityStatus.COMPLETED != activity.status
    if not (is_completed and TimelineKind(fields.get("type", activity.type)) in timeline.IN_TOUCH):
        return set()
    named = {f"{fields.get('related_type')}_id": fields.get("related_id"), **fields}
    whose: list[UUID | None] = [named.get("contact_id", activity.contact_id)]
    if deal_id := named.get("deal_id"):
        whose += Deal.objects.of(actor).filter(pk=deal_id).values_list("contact_id", flat=True)
    return set(lock_rows(Contact.objects.of(actor), filter(None, whose)))


def _stamp(activity: Activity) -> bool:
    """Keep when an activity was completed; tell whether that is now."""
    is_done = activity.status == ActivityStatus.COMPLETED
    is_now = is_done and activity.completed_at is None
    if is_now or not is_done:
        activity.completed_at = clock.now() if is_now else None
    return is_now


def index(activity: Activity) -> None:
    """Set what an activity is found by."""
    activity.search = search.vector(activity.organization_id, activity.subject, activity.description)


def _told(actor: Actor, activity: Activity, before: Activity, changes: change_text.Changes) -> str:
    due = schedule.display_values(before), schedule.display_values(activity)
    silent = UNTOLD if due[0] != due[1] else UNTOLD | {"due_at"}
    data = {name: change for name, change in changes.items() if name not in silent}
    return change_text.sentences(data, {"due_at": due, **owner_names(actor, changes)})


def _record_completion(actor: Actor, activity: Activity, *, touched: Collection[UUID | None], **details: Any) -> None:
    """Record what was done; a call, e-mail or meeting counts as contact with the person."""
    person = activity.contact_id
    if person is not None and person in touched and TimelineKind(activity.type) in timeline.IN_TOUCH:
        timeline.note_contact(actor, person, activity.completed_at or clock.now())
    _record(actor, activity, "completed", kind=TimelineKind(activity.type), **details)


def _record(
    actor: Actor, activity: Activity, what: str, *, kind: TimelineKind = TimelineKind.TASK, **details: Any
) -> None:
    events.record(actor, f"activity.{what}", activity, **event_data(activity, what), kind=kind, **details)


def event_data(activity: Activity, what: str) -> dict[str, Any]:
    """Return what an event tells, also on the timeline of the contact of the deal that the activity is about."""
    contact, deal = activity.contact, activity.deal
    return {
        "title": f"{activity.label} {what}: {activity}",
        "contact_id": activity.contact_id or getattr(deal, "contact_id", None),
        "company_id": activity.company_id or getattr(deal, "company_id", None) or getattr(contact, "company_id", None),
        "deal_id": activity.deal_id,
    }
