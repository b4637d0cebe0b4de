"""Events of the demo: rows as `crm.core.events.record` would have written them at that moment."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contacts.demo.copying import Row, id_at
from crm.core.models import TimelineKind

LONGEST_LABEL, LONGEST_TITLE = 300, 400


@dataclass(frozen=True, slots=True)
class Subject:
    """What an event is about, and on whose timelines it stands. Ids are hexadecimal."""

    type: str
    id: str
    label: str
    contact_id: str | None = None
    company_id: str | None = None
    deal_id: str | None = None


@dataclass(frozen=True, slots=True)
class Chronicle:
    """Writes the events of one organization."""

    organization_id: str

    def event(
        self,
        name: str,
        subject: Subject,
        at: datetime,
        *,
        title: str,
        actor_id: str | None,
        kind: str = TimelineKind.UPDATE.value,
        content: str = "",
        changes: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Row:
        """Return the row of one event."""
        moment = at.isoformat()
        return {
            "id": id_at(at),
            "organization_id": self.organization_id,
            "name": name,
            "kind": kind,
            "actor_id": actor_id,
            "subject_type": subject.type,
            "subject_id": subject.id,
            "subject_label": subject.label[:LONGEST_LABEL],
            "contact_id": subject.contact_id,
            "company_id": subject.company_id,
            "deal_id": subject.deal_id,
            "title": title[:LONGEST_TITLE],
            "content": content,
            "changes": json.dumps(changes, ensure_ascii=False) if changes else "{}",
            "metadata": json.dumps(metadata, ensure_ascii=False) if metadata else "{}",
            "occurred_at": moment,
            "recorded_at": moment,
        }
