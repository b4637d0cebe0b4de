"""Record facts in the transaction that makes them true; subscribers hear of them through the outbox."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import Model

from crm.core import clock, db, outbox, subscribers
from crm.core.actor import Actor
from crm.core.fields import FreeObjectField
from crm.core.free_objects import changed_keys
from crm.core.models import Event, TimelineKind


def record(
    actor: Actor,
    name: str,
    subject: Model,
    *,
    title: str,
    kind: str = TimelineKind.UPDATE,
    contact_id: UUID | None = None,
    company_id: UUID | None = None,
    deal_id: UUID | None = None,
    content: str = "",
    changes: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    occurred_at: datetime | None = None,
) -> Event:
    """Write one event, `noun.past_tense`, and one outbox message for each subscriber of its name.

    `changes` maps a field to `{"from": …, "to": …}` (`assign()` makes it); call inside the transaction of the change.
    """
    moment = clock.now()
    event = Event(
        organization_id=actor.organization_id,
        name=name,
        kind=kind,
        actor_id=actor.user_id,
        subject_type=str(subject._meta.model_name),  # noqa: SLF001 - Django's documented model metadata
        subject_id=subject.pk,
        subject_label=str(subject)[:300],
        contact_id=contact_id,
        company_id=company_id,
        deal_id=deal_id,
        title=title[:400],
        content=content,
        changes=dict(changes or {}),
        metadata=dict(metadata or {}),
        occurred_at=occurred_at or moment,
        recorded_at=moment,
    )
    db.insert(event)
    for topic in subscribers.topics_of(name):
        outbox.enqueue(actor.organization_id, topic, {"event_id": str(event.id)})
    return event


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: ids, times and decimals as text."""
    if isinstance(value, UUID | date | datetime | Decimal):
        return value.isoformat() if isinstance(value, date) else str(value)
    return value


def assign(row: Model, new: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Set `new` on `row` and return what differs, as `{field: {"from", "to"}}`; equal values are left out.

    Of a free object `from` and `to` hold the keys that differ.
    """
    differences = {}
    for field, value in new.items():
        before = getattr(row, field)
        if before != value:
            was, became = changed_keys(before, value) if field in _free_objects(type(row)) else (before, value)
            differences[field] = {"from": plain(was), "to": plain(became)}
            setattr(row, field, value)
    return differences


@cache
def _free_objects(model: type[Model]) -> frozenset[str]:
    columns = model._meta.concrete_fields  # noqa: SLF001 - Django's documented model metadata
    return frozenset(column.name for column in columns if isinstance(column, FreeObjectField))
