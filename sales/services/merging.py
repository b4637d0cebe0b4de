"""What follows a contact that became one with another."""

from uuid import UUID

from crm.core.actor import Actor
from crm.core.db import lock_rows
from sales.models import Activity, Deal
from sales.services import indexing


def follow_contact(actor: Actor, gone: UUID, kept: UUID) -> None:
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
    indexing.reindex(actor, contact_id=kept)
