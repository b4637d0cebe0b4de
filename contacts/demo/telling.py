"""Events of the demo: rows as `crm.core.events.record` would have written them at that moment."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Model

from contacts.demo.copying import Row, id_at
from crm.core.models import TimelineKind

LONGEST_LABEL, LONGEST_TITLE = 300, 400


Id = UUID | str


@dataclass(frozen=True, slots=True)
class Subject:
    """What an event is about, where that is no row of a model yet."""

    type: str
    id: Id
    label: str


@dataclass(frozen=True, slots=True)
class Chronicle:
    """Writes the events of one organization."""

    organization_id: str

    def event(
        self,
        name: str,
        subject: Model | Subject,
        at: datetime,
        *,
        title: str,
        actor_id: Id | None,
        kind: str = TimelineKind.UPDATE,
        contact_id: Id | None = None,
        company_id: Id | None = None,
        deal_id: Id | None = None,
        content: str = "",
        changes: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Row:
        """Return the row of one event; what it tells is named as `record` names it."""
        about, moment = _subject(subject), at.isoformat()
        return {
            "id": id_at(at),
            "organization_id": self.organization_id,
            "name": name,
            "kind": str(kind),
            "actor_id": _text(actor_id),
            "subject_type": about.type,
            "subject_id": str(about.id),
            "subject_label": about.label[:LONGEST_LABEL],
            "contact_id": _text(contact_id),
            "company_id": _text(company_id),
            "deal_id": _text(deal_id),
            "title": title[:LONGEST_TITLE],
            "content": content,
            "changes": json.dumps(changes, ensure_ascii=False) if changes else "{}",
            "metadata": json.dumps(metadata, ensure_ascii=False) if metadata else "{}",
            "occurred_at": moment,
            "recorded_at": moment,
        }


def _subject(subject: Model | Subject) -> Subject:
    if isinstance(subject, Subject):
        return subject
    return Subject(str(subject._meta.model_name), subject.pk, str(subject))  # noqa: SLF001 - Django's documented model metadata


def _text(pk: Id | None) -> str | None:
    return None if pk is None else str(pk)
