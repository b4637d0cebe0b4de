"""Kept counts: exact whoever writes, deletes and folds at the same time."""

import random
from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import connection, transaction

from contacts.models import Contact
from contacts.services import contacts
from crm.core import counters
from crm.core.db import operator
from crm.core.models import RowCounter
from tests.conftest import Tenant
from tests.races.concurrency import crowd


@pytest.fixture
def acme(organization: Callable[..., Tenant]) -> Tenant:
    """An organization without a contact: no shopper belongs to it."""
    return organization(roles=("owner", "manager", "staff"))


@pytest.fixture
def other(organization: Callable[..., Tenant]) -> Tenant:
    return organization(roles=("owner",))


def living(tenant: Tenant, owner: UUID | None = None) -> int:
    with tenant.inside():
        rows = Contact.objects.of(tenant.id).alive()
        return (rows.filter(owner_id=owner) if owner else rows).count()


def tallied(tenant: Tenant, role: str = "owner") -> int:
    actor = tenant.actor(role)
    with tenant.inside():
        return counters.total(actor, "contacts")


def rows_of(tenant: Tenant) -> int:
    with operator("sweep"):
        return RowCounter.objects.filter(organization_id=tenant.id, kind="contacts").count()


def test_creating_deleting_restoring_and_giving_away_keep_the_counts(acme: Tenant) -> None:
    owner, staff = acme.actor("owner"), acme.actor("staff")
    with acme.inside():
        one = contacts.create_contact(staff, first_name="One")
        contacts.create_contact(owner, first_name="Two")
    assert (tallied(acme), tallied(acme, "staff")) == (2, 1)

    with acme.inside():
        contacts.delete_contact(owner, one)
    assert (tallied(acme), tallied(acme, "staff")) == (1, 0)

    with acme.inside():
        contacts.restore_contact(owner, one)
        contacts.update_contact(owner, one, owner_id=acme.manager.pk)
    assert (tallied(acme), tallied(acme, "staff")) == (2, 0)
    assert tallied(acme) == living(acme)


def test_a_statement_over_many_rows_counts_each(acme: Tenant) -> None:
    with acme.inside():
        Contact.objects.bulk_create(Contact(organization_id=acme.id, first_name=str(n)) for n in range(50))
    assert tallied(acme) == living(acme)

    with acme.inside():
        Contact.objects.filter(first_name__lt="3").delete()
    assert tallied(acme) == living(acme)


def test_a_rolled_back_change_is_not_counted(acme: Tenant) -> None:
    before = tallied(acme)
    actor = acme.actor("owner")
    with acme.inside():
        contacts.create_contact(actor, first_name="Undone")
        transaction.set_rollback(True)

    assert tallied(acme) == before


def test_organizations_are_counted_apart(acme: Tenant, other: Tenant) -> None:
    with other.inside():
        contacts.create_contact(other.actor("owner"), first_name="Theirs")

    assert (tallied(acme), tallied(other)) == (0, 1)


def test_folding_leaves_one_row_a_key_and_the_same_sums(acme: Tenant) -> None:
    with acme.inside():
        for number in range(12):
            contacts.create_contact(acme.actor("owner"), first_name=str(number))
    assert rows_of(acme) == 12

    counters.compact()

    assert (rows_of(acme), tallied(acme)) == (1, 12)


def test_folding_to_nothing_leaves_no_row(acme: Tenant) -> None:
    with acme.inside():
        contact = contacts.create_contact(acme.actor("owner"), first_name="Gone")
        contacts.delete_contact(acme.actor("owner"), contact)

    counters.compact()

    assert (rows_of(acme), tallied(acme)) == (0, 0)


def test_what_is_at_rest_is_not_folded_again(acme: Tenant) -> None:
    with acme.inside():
        contacts.create_contact(acme.actor("owner"), first_name="Alone")

    def kept() -> list[tuple[int, bool]]:
        with acme.inside():
            rows = RowCounter.objects.filter(organization_id=acme.id, kind__startswith="contacts")
            return sorted(rows.values_list("id", "is_compacted"))

    counters.compact()
    folded = kept()
    counters.compact()

    assert kept() == folded
    assert {is_compacted for _, is_compacted in folded} == {True}


WRITERS, FOLDERS = 6, 2
# Both in one statement, and so of one moment.
DIFFERENCE = """
SELECT (SELECT count(*) FROM contacts_contact WHERE deleted_at IS NULL)
     - (SELECT COALESCE(sum(n), 0) FROM core_rowcounter WHERE kind = 'contacts')
"""


def busy(acme: Tenant, fold: Callable[[], None]) -> list[int]:
    """Let some write and delete while others fold; return by how much a reader saw the sum differ, where it did."""
    actors = [acme.actor(role) for role in ("owner", "manager", "staff")]
    finished: list[int] = []
    wrong: list[int] = []

    def write(number: int) -> None:
        chance = random.Random(number)  # noqa: S311 - repeatable
        mine: list[Contact] = []
        for _ in range(25):
            with acme.inside():
                if mine and chance.random() < 0.4:
                    contacts.delete_contact(actors[number % 3], mine.pop())
                else:
                    mine.append(contacts.create_contact(actors[number % 3], first_name=f"{number}"))

    def read() -> None:
        with acme.inside(), connection.cursor() as cursor:
            cursor.execute(DIFFERENCE)
            if difference := cursor.fetchone()[0]:
                wrong.append(difference)

    def work(number: int) -> None:
        if number < WRITERS:
            try:
                write(number)
            finally:
                finished.append(number)
            return
        while len(finished) < WRITERS:
            fold() if number < WRITERS + FOLDERS else read()

    crowd(WRITERS + FOLDERS + 1, work)
    return wrong


@pytest.mark.races
def test_sums_are_exact_while_many_write_and_fold(acme: Tenant) -> None:
    wrong = busy(acme, counters.compact)

    assert wrong == []
    assert tallied(acme) == living(acme)
    assert tallied(acme, "staff") == living(acme, acme.staff.pk)
    counters.compact()
    assert tallied(acme) == living(acme)


@pytest.mark.races
def test_folding_in_two_steps_would_be_seen(acme: Tenant) -> None:
    """The control: read the sum, delete, write the sum, as separate statements that others may come between."""

    def fold() -> None:
        for owner in (acme.owner.pk, acme.manager.pk, acme.staff.pk):
            with operator("sweep"):
                rows = RowCounter.objects.filter(organization_id=acme.id, kind="contacts", owner_id=owner)
                total = sum(rows.values_list("n", flat=True))
                rows.delete()
            with operator("sweep"):
                RowCounter.objects.create(organization_id=acme.id, kind="contacts", owner_id=owner, n=total)

    assert busy(acme, fold)
