"""Writes to deals; what puts them into another stage is in `deal_moves`."""

from datetime import date
from decimal import Decimal
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.db.models import Case, QuerySet, Value, When

from contacts.models import Company, Contact
from contacts.services import change_text
from contacts.services.companies import owner_names
from contacts.services.references import default_owner, held_company, owner_for, visible_company
from crm.core import clock, db, events, money
from crm.core.actor import Actor
from crm.core.db import lock_row
from crm.core.errors import Conflict, Invalid
from crm.core.models import TimelineKind
from sales.models import Deal, DealStatus, Stage, StageKind
from sales.services import deal_moves, deal_ranks, search_index
from sales.services.deal_moves import named
from sales.services.deal_ranks import Slot
from sales.services.references import company_of, visible_contact

INDEXED = frozenset({"title", "contact_id", "company_id"})
PARTIES = frozenset({"contact_id", "company_id"})
NO_SUCH_STAGE = "The pipeline has no stage of this kind."
OPEN_FIRST = Case(When(kind=StageKind.OPEN, then=Value(0)), default=Value(1))


class DealFields(TypedDict, total=False):
    """What may be said of a deal, by domain name."""

    currency: str
    contact_id: UUID | None
    priority: str
    probability: int | None
    expected_close_date: date | None
    source: str
    tags: list[str]
    description: str
    lost_reason: str
    owner_id: UUID | None
    title: str
    amount: Decimal | None
    company_id: UUID | None


def create_deal(
    actor: Actor,
    *,
    pipeline_id: UUID | None = None,
    stage_id: UUID | None = None,
    position: int | None = None,
    status: str | None = None,
    **fields: Unpack[DealFields],
) -> Deal:
    """Create a deal in the stage named, else in the first of the pipeline, else of the default one; last unless told.

    A `status` asks for a stage that makes it so. The deal is about the contact's company unless another is named; staff
    own what they create.
    """
    values: dict[str, Any] = dict(fields)
    deal = Deal(organization_id=actor.organization_id, created_by_id=actor.user_id)
    deal.owner_id = default_owner(actor, values)
    contact_id, company_id = values.pop("contact_id", None), values.pop("company_id", None)
    # The company first: whoever renames it goes on to its contacts.
    company = visible_company(actor, company_id) if company_id else company_of(actor, contact_id)
    contact = visible_contact(actor, contact_id) if contact_id else None
    if contact and not company_id and contact.company_id != (company.pk if company else None):  # another, meanwhile
        company = held_company(actor, contact.company_id)
    deal.contact, deal.company = contact, company
    reason = values.pop("lost_reason", "")
    deal.currency = actor.currency
    events.assign(deal, _stored(deal, values))
    place = _first_place(actor, pipeline_id, stage_id, status=status, position=position)
    deal.stage_entered_at = moment = clock.now()
    deal_moves.apply_stage(deal, place, moment, lost_reason=reason)
    _check_reason(deal, reason)
    search_index.refresh(deal, contact, company)
    db.insert(deal)
    _record(
        actor,
        deal,
        "created",
        metadata={
            "to_stage": named(place.stage.pk, place.stage.name),
            "pipeline": named(deal.pipeline_id, place.pipeline_name),
            "lost_reason": reason or None,
        },
    )
    return deal


def update_deal(
    actor: Actor,
    deal: Deal,
    *,
    stage_id: UUID | None = None,
    pipeline_id: UUID | None = None,
    position: int | None = None,
    status: str | None = None,
    **fields: Unpack[DealFields],
) -> Deal:
    """Change a deal; a `stage_id` moves it (a second event). Nothing changed: no event.

    Another `status` moves it too: to the end of the first stage of its pipeline that makes it so. Of the two, the one
    that is sent as it was shown is no wish.
    """
    values: dict[str, Any] = dict(fields)
    if status == deal.status:
        status = None
    elif status is not None and stage_id == deal.stage_id:
        stage_id = None
    # What is sent as it was shown is no wish either: a merge may put another contact there meanwhile.
    values = {name: value for name, value in values.items() if name not in PARTIES or value != getattr(deal, name)}
    # The company first: whoever renames it goes on to its contacts.
    company = visible_company(actor, values["company_id"]) if values.get("company_id") else None
    contact = visible_contact(actor, values["contact_id"]) if values.get("contact_id") else None
    if stage_id is None and pipeline_id not in {None, deal.pipeline_id}:
        raise Invalid({"pipeline_id": "Name the stage as well: a deal moves to a stage of the pipeline."})
    place = _next_place(actor, deal, pipeline_id, stage_id, status=status, position=position)
    deal = deal_moves.lock_living(actor, deal.pk)
    if stage_id is None and status == deal.status:  # by somebody else, meanwhile
        place = None
    if (
        "probability" in values and values["probability"] == deal.chance
    ):  # sent back as it was shown: no wish to part from the stage's
        del values["probability"]
    if place is not None:
        is_move = place.stage.pk != deal.stage_id
        deal_moves.enter(actor, deal, place, lost_reason=values.pop("lost_reason", "") if is_move else "")
    owner_id = owner_for(actor, values, current=deal.owner_id)
    before = {name: getattr(deal, name) for name in ("contact_id", "company_id", "amount", "currency")}
    changes = events.assign(deal, {**_stored(deal, values), "owner_id": owner_id})
    if not changes:
        return deal
    _check_reason(deal, deal.lost_reason)
    written = {*changes, "updated_at"}
    if INDEXED & changes.keys():
        contact = contact or Contact.objects.of(actor).filter(pk=deal.contact_id).first()
        company = company or Company.objects.of(actor).filter(pk=deal.company_id).first()
        search_index.refresh(deal, contact, company)
        written |= {"search"}
    deal.save(update_fields=written)
    changes = _in_major_units(deal, changes, before)
    _record(
        actor,
        deal,
        "updated",
        content=change_text.sentences(changes, _spoken(actor, deal, changes, before) | owner_names(actor, changes)),
        changes=changes,
    )
    return deal


def delete_deal(actor: Actor, deal: Deal) -> None:
    """Delete softly; the deals after it in its stage move up."""
    deal = lock_row(Deal.objects.visible_to(actor).alive(), deal.pk)
    deal.deleted_at = clock.now()
    deal.save(update_fields=["deleted_at", "updated_at"])
    _record(actor, deal, "deleted")


def restore_deal(actor: Actor, deal: Deal) -> Deal:
    """Bring a deleted deal back to the end of its stage, as what the stage now makes of it.

    Refused while its pipeline is deleted. One that is not deleted stays as it is.
    """
    place = deal_ranks.claim(actor, Stage.objects.of(actor).filter(pk=deal.stage_id), deal_id=deal.pk)
    deal = lock_row(Deal.objects.visible_to(actor), deal.pk)
    if deal.deleted_at is None:
        return deal
    if place is None or place.stage.pk != deal.stage_id:
        raise Conflict("Its pipeline is deleted: restore that first.", code="PIPELINE_DELETED")
    before = deal.status
    deal_moves.apply_stage(deal, place, clock.now())
    deal.deleted_at = None
    deal.save(update_fields=["deleted_at", "rank", "status", "closed_at", "lost_reason", "updated_at"])
    changes = {"status": {"from": before, "to": deal.status}} if before != deal.status else {}
    _record(actor, deal, "restored", changes=changes)
    return deal


def _first_place(
    actor: Actor, pipeline_id: UUID | None, stage_id: UUID | None, *, status: str | None, position: int | None
) -> Slot:
    stages = _stages(actor, pipeline_id, stage_id)
    wanted = stages if status is None or stage_id is not None else stages.filter(kind=status)
    place = deal_ranks.claim(actor, wanted, position=position)
    if place is None:
        is_there = wanted is not stages and stages.filter(pipeline__deleted_at=None).exists()
        raise Invalid({"status": NO_SUCH_STAGE} if is_there else _unknown(pipeline_id, stage_id))
    _check_status(place, status)
    return place


def _next_place(
    actor: Actor,
    deal: Deal,
    pipeline_id: UUID | None,
    stage_id: UUID | None,
    *,
    status: str | None,
    position: int | None,
) -> Slot | None:
    """Claim where a change puts a deal, or return None where it stays; the deal is locked after it."""
    if stage_id is not None:
        stages = Stage.objects.of(actor).filter(pk=stage_id)
        place = deal_moves.claim(
            actor, deal, stages.filter(pipeline_id=pipeline_id) if pipeline_id else stages, position=position
        )
        _check_status(place, status)
        return place
    if status is None:
        return None
    stages = Stage.objects.of(actor).filter(pipeline_id=deal.pipeline_id, kind=status).order_by("position")
    found = deal_ranks.claim(actor, stages, deal_id=deal.pk)
    if found is None:
        raise Invalid({"status": NO_SUCH_STAGE})
    return found


def _check_status(place: Slot, status: str | None) -> None:
    if status not in {None, place.stage.kind}:
        raise Invalid({"status": "This stage gives the deal another status."})


def _stages(actor: Actor, pipeline_id: UUID | None, stage_id: UUID | None) -> QuerySet[Stage]:
    rows: QuerySet[Stage] = Stage.objects.of(actor).order_by(OPEN_FIRST, "position")
    if stage_id is not None:
        rows = rows.filter(pk=stage_id)
    if pipeline_id is not None:
        return rows.filter(pipeline_id=pipeline_id)
    return rows if stage_id else rows.filter(pipeline__is_default=True, pipeline__deleted_at=None)


def _unknown(pipeline_id: UUID | None, stage_id: UUID | None) -> dict[str, str]:
    if stage_id is None:
        return {"pipeline_id": "There is no such pipeline, or it has no stages."}
    return {"stage_id": "There is no such stage in this pipeline." if pipeline_id else "There is no such stage."}


def _stored(deal: Deal, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields with money in minor units; another currency keeps the figure, not its worth."""
    if "amount" not in fields and "currency" not in fields:
        return fields
    currency = money.currency_code(fields.get("currency") or deal.currency)
    if "amount" in fields:
        amount = money.to_minor(fields["amount"] or Decimal(0), currency)
    else:
        amount = money.to_minor(Decimal(deal.amount).scaleb(-money.exponent(deal.currency)), currency, field="currency")
    return fields | {"amount": amount, "currency": currency}


def _check_reason(deal: Deal, reason: str) -> None:
    if reason and deal.status != DealStatus.LOST:
        raise Invalid({"lost_reason": deal_moves.NOT_LOST})


def _spoken(
    actor: Actor, deal: Deal, changes: change_text.Changes, before: dict[str, Any]
) -> dict[str, tuple[str, str]]:
    """Return from and to in words where ids and numbers are stored."""
    said: dict[str, tuple[str, str]] = {}
    if "amount" in changes:
        said["amount"] = (money.text(before["amount"], before["currency"]), money.text(deal.amount, deal.currency))
    for name, model in (("contact_id", Contact), ("company_id", Company)):
        if name in changes:
            ids = (before[name], getattr(deal, name))
            names = {row.pk: str(row) for row in model.objects.of(actor).filter(pk__in=[pk for pk in ids if pk])}
            said[name] = (names.get(ids[0], ""), names.get(ids[1], ""))
    return said


def _in_major_units(deal: Deal, changes: change_text.Changes, before: dict[str, Any]) -> dict[str, Any]:
    """Return the changes as they are kept: the worth before and after in major units, each in its own currency."""
    kept = {name: change for name, change in changes.items() if name != "amount"}
    was, is_now = money.to_major(before["amount"], before["currency"]), money.to_major(deal.amount, deal.currency)
    return kept if was == is_now else kept | {"amount": {"from": was, "to": is_now}}


def _record(actor: Actor, deal: Deal, done: str, **details: Any) -> None:
    events.record(
        actor,
        f"deal.{done}",
        deal,
        title=f"Deal {deal} {done}",
        kind=TimelineKind.DEAL,
        contact_id=deal.contact_id,
        company_id=deal.company_id,
        deal_id=deal.pk,
        **details,
    )
