"""A deep page begins in its month, and shows what an offset from the start would."""

import random
from datetime import UTC, datetime, timedelta

from contacts.models import Contact
from crm.api import queries
from crm.core import counters, ids
from crm.core.db import tenant


def spread(acme, count):
    """Make contacts created at random moments of two years, some at the very same one."""
    numbers = random.Random(7)  # noqa: S311 - the same moments each time
    start = datetime(2024, 11, 1, tzinfo=UTC)
    moments = [start + timedelta(minutes=numbers.randrange(730 * 24 * 60)) for _ in range(count // 2)] * 2
    with tenant(acme.id):
        contacts = [Contact(id=ids.uuid7(), organization_id=acme.id, first_name=f"N{n}") for n in range(len(moments))]
        Contact.objects.bulk_create(contacts)
        for contact, moment in zip(contacts, moments, strict=True):
            contact.created_at = moment
        Contact.objects.bulk_update(contacts, ["created_at"])


def test_every_page_is_the_one_an_offset_would_show(acme, client_for, monkeypatch):
    spread(acme, 240)
    monkeypatch.setattr(queries, "DEEP", 10)
    team = client_for(acme.owner, "team")

    pages = [team.get("contacts", page=number, pageSize=25).json()["data"] for number in range(1, 12)]

    with tenant(acme.id):
        expected = [str(pk) for pk in Contact.objects.order_by("-created_at", "-id").values_list("pk", flat=True)]
    assert [row["id"] for page in pages for row in page["contacts"]] == expected
    assert {page["meta"]["pagination"]["total"] for page in pages} == {len(expected)}


def test_the_months_hold_through_deletion_and_folding(acme):
    spread(acme, 60)
    with tenant(acme.id):
        for contact in Contact.objects.order_by("?")[:20]:
            contact.deleted_at = contact.created_at
            contact.save(update_fields=["deleted_at"])
    counters.compact()

    actor = acme.actor("owner")
    with tenant(acme.id):
        newest = list(Contact.objects.alive().order_by("-created_at", "-id"))
        starts = [counters.deep_page_start(actor, "contacts", offset) for offset in range(len(newest) + 1)]

    assert starts.pop() is None
    for offset, (before, passed) in enumerate(starts):
        assert newest[offset].created_at < before
        assert passed == sum(contact.created_at >= before for contact in newest)
