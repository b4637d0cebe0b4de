"""What an activity is about: a contact, a company or a deal, told by their ids or as one related thing."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from contacts.models import Contact
from contacts.services.references import visible_company
from crm.core.actor import Actor
from crm.core.db import CompiledQuery, lock_rows, share_rows
from crm.core.errors import Invalid
from sales.models import Activity, Deal
from sales.services import search_index
from sales.services.references import visible_contact

COLUMNS = ("contact_id", "company_id", "deal_id")
# What a related thing may be called, and the column that refers to it; the first that is filled names it again.
RELATED = {"deal": "deal_id", "contact": "contact_id", "company": "company_id"}
FROM_THE_DEAL = ("contact_id", "company_id")
LOCKED = ("company_id", "contact_id", "deal_id")  # the order of their locks: who renames a company goes on to contacts
NEEDED = "Say what it is about."
TOGETHER = "related_type and related_id go together."


@dataclass(slots=True)
class Links:
    """The columns to set, and the contact among them where it is another than before."""

    columns: dict[str, UUID | None]
    contact: Contact | None = None


def links_for(actor: Actor, fields: dict[str, Any], current: Activity, *, needed: bool = False) -> Links:
    """Take the links out of the fields; what is named anew must be there and visible to the actor.

    What is about a deal is also about the deal's contact and company, where these are not named otherwise.
    `needed` refuses to leave nothing. What is named as it was shown is no wish: a merge may change it meanwhile.
    """
    named = _named(fields)
    links = Links({column: pk for column, (pk, _) in named.items()})
    anew = {column: pk for column, pk in links.columns.items() if pk is not None and pk != getattr(current, column)}
    for column in filter(anew.__contains__, LOCKED):
        pk = anew[column]
        try:
            if column == "contact_id":
                links.contact = visible_contact(actor, pk)
            elif column == "company_id":
                visible_company(actor, pk)
            else:
                _inherit(actor, links, current, pk)
        except Invalid as refusal:
            raise Invalid({named[column][1]: refusal.details[column]}) from refusal
    is_about_nothing = not any(links.columns.get(column, getattr(current, column)) for column in COLUMNS)
    if needed and is_about_nothing:
        raise Invalid(dict.fromkeys(named, NEEDED) or {"related_id": NEEDED})
    links.columns = {column: pk for column, pk in links.columns.items() if pk != getattr(current, column)}
    return links


def _named(fields: dict[str, Any]) -> dict[str, tuple[UUID | None, str]]:
    """Return the id of each link that the fields name, and the name under which it was told."""
    named: dict[str, tuple[UUID | None, str]] = {
        column: (fields.pop(column), column) for column in COLUMNS if column in fields
    }
    kind, pk = fields.pop("related_type", None), fields.pop("related_id", None)
    if kind is None and pk is None:
        return named
    if kind is None or pk is None:
        raise Invalid({"related_type" if kind is None else "related_id": TOGETHER})
    own = RELATED[kind]
    if own in named and named[own][0] != pk:
        raise Invalid({own: "related_id names another."})
    # The related thing alone: what else it was about before goes, unless it comes with the deal.
    others = {} if kind == "deal" else {column: (None, column) for column in COLUMNS if column != own}
    return others | named | {own: (pk, "related_id")}


def _inherit(actor: Actor, links: Links, current: Activity, deal_id: UUID) -> None:
    for column, value in zip(FROM_THE_DEAL, _parties(actor, deal_id), strict=True):
        had = getattr(current, column)
        came_with_a_deal = current.deal is not None and had == getattr(current.deal, column)
        if column not in links.columns and (had is None or came_with_a_deal):
            links.columns[column] = value and UUID(value)


def _parties(actor: Actor, deal_id: UUID) -> tuple[Any, ...]:
    """Return contact and company of a deal that the actor sees.

    The contact is held: one that is being merged is waited for, and the deal is asked again whose it is by then.
    """
    whose = Contact.objects.of(actor).filter(pk__in=Deal.objects.of(actor).filter(pk=deal_id).values("contact_id"))
    while True:
        held = {str(contact.pk) for contact in share_rows(whose.only("pk"))}
        found = _VISIBLE_DEAL.rows(actor, pk=deal_id)
        if not found:
            raise Invalid({"deal_id": "There is no such deal."})
        if found[0][0] is None or found[0][0] in held:
            return found[0]


_VISIBLE_DEAL = CompiledQuery(
    lambda actor, pk: Deal.objects.visible_to(actor).alive().filter(pk=pk).values_list(*FROM_THE_DEAL)
)


def reassign_contact(actor: Actor, gone: UUID, kept: UUID) -> None:
    """Let everything of sales that speaks of the merged contact speak of the one that stays.

    The merge is the event: what refers to a contact is not told of it one by one.
    """
    # Of both, in the order of their keys: found by the name of the one that stays, its own are written anew too.
    deals = Deal.objects.of(actor)
    lock_rows(deals, deals.filter(contact_id__in=[gone, kept]).values_list("pk", flat=True))
    deals.filter(contact_id=gone).update(contact_id=kept)
    activities = Activity.objects.of(actor).filter(contact_id=gone)
    lock_rows(activities, activities.values_list("pk", flat=True))
    activities.update(contact_id=kept)
    search_index.reindex(actor, contact_id=kept)
