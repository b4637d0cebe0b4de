"""Contacts that must be one, changes that must not be lost; each with a control that fails unprotected."""

from collections import Counter
from threading import Barrier

import pytest

from contacts.models import Company, Contact
from contacts.services import companies, contacts, search_index
from crm.core.db import locks
from tests.races.concurrency import crowd

pytestmark = pytest.mark.races

SIZE = 12


@pytest.fixture
def clients(acme, client_for):
    return [client_for(acme.manager, "platform") for _ in range(SIZE)]


def statuses(responses):
    return Counter(response.status_code for response in responses)


def rows(tenant, model, **filters):
    with tenant.inside():
        return list(model.objects.of(tenant.id).filter(**filters).order_by("id"))


def post_at_once(clients, path, body):
    return statuses(crowd(SIZE, lambda number: clients[number].post(path, body(number))))


def test_of_many_who_create_the_same_contact_with_reject_one_does(acme, clients):
    found = post_at_once(clients, "contacts?on_duplicate=reject", lambda number: {"email": "ADA@example.com"})

    assert found == {201: 1, 409: SIZE - 1}
    assert len(rows(acme, Contact, email_normalized="ada@example.com")) == 1


def test_control_without_the_lock_all_do(acme, clients, monkeypatch):
    all_have_read = Barrier(SIZE)

    def check_then_act(actor, contact):
        same = Contact.objects.of(actor).alive().filter(dedupe_hash=contact.dedupe_hash)
        if same.exists():
            raise contacts.Conflict
        all_have_read.wait(60)

    monkeypatch.setattr(contacts, "_reject_duplicates", check_then_act)

    found = post_at_once(clients, "contacts?on_duplicate=reject", lambda number: {"email": "ADA@example.com"})

    assert found == {201: SIZE}


def test_a_company_named_by_many_at_once_is_made_once(acme, clients):
    found = post_at_once(clients, "customers", lambda number: {"name": f"C {number}", "company": "Globex Ltd."})

    assert found == {201: SIZE}
    (company,) = rows(acme, Company)
    assert len(rows(acme, Contact, company=company)) == SIZE


def test_control_without_the_lock_it_is_made_by_each(acme, clients, monkeypatch):
    all_have_read = Barrier(SIZE)

    def find_then_make(actor, name):
        found = Company.objects.of(actor).filter(name_normalized=search_index.normal_name(name)).first()
        all_have_read.wait(60)
        return found or companies.create_company(actor, name=name)

    monkeypatch.setattr(companies, "company_named", find_then_make)

    post_at_once(clients, "customers", lambda number: {"name": f"C {number}", "company": "Globex Ltd."})

    assert len(rows(acme, Company)) == SIZE


def test_a_company_named_by_people_who_see_their_own_alone_is_made_once_for_each(acme, client_for):
    people = [acme.staff, acme.add("staff")]
    clients = [client_for(people[number % 2], "platform") for number in range(SIZE)]

    found = post_at_once(clients, "customers", lambda number: {"name": f"C {number}", "company": "Globex Ltd."})

    assert found == {201: SIZE}
    assert Counter(company.owner_id for company in rows(acme, Company)) == {user.pk: 1 for user in people}


FIELDS = ("phone", "job_title", "source", "notes", "last_name", "first_name")


def patch_at_once(acme, clients):
    """Each of several clients changes a field of its own; return the contact afterwards."""
    pk = clients[0].post("contacts", {"email": "ada@example.com"}).json()["id"]
    found = crowd(len(FIELDS), lambda number: clients[number].patch(f"contacts/{pk}", {FIELDS[number]: "changed"}))
    assert statuses(found) == {200: len(FIELDS)}
    (contact,) = rows(acme, Contact, pk=pk)
    return contact


def test_changes_of_different_fields_at_once_are_all_kept(acme, clients):
    contact = patch_at_once(acme, clients)

    assert {field: getattr(contact, field) for field in FIELDS} == dict.fromkeys(FIELDS, "changed")
    assert contact.full_name == "changed changed"


def test_control_without_the_lock_derived_columns_go_wrong(acme, clients, monkeypatch):
    all_have_read = Barrier(len(FIELDS))

    def read_only(rows, pk):
        row = rows.get(pk=pk)
        all_have_read.wait(60)
        return row

    monkeypatch.setattr(contacts, "lock_row", read_only)

    contact = patch_at_once(acme, clients)

    assert contact.full_name != "changed changed"


def test_a_company_renamed_while_its_contacts_change_is_found_by_its_new_name(acme, clients):
    account = clients[0].post("accounts", {"name": "Before"}).json()["id"]
    people = [
        clients[0].post("contacts", {"first_name": f"C{number}", "account_id": account}).json()["id"]
        for number in range(SIZE - 1)
    ]

    def work(number):
        if number == 0:
            return clients[0].patch(f"accounts/{account}", {"name": "After"})
        return clients[number].patch(f"contacts/{people[number - 1]}", {"phone": f"{number}"})

    assert statuses(crowd(SIZE, work)) == {200: SIZE}
    assert clients[0].get("contacts", q="after").json()["total"] == SIZE - 1
    assert clients[0].get("contacts", q="before").json()["total"] == 0


def test_a_contact_that_leaves_a_company_meanwhile_is_found_by_its_new_one(acme, clients, monkeypatch):
    old, new = (clients[0].post("accounts", {"name": name}).json()["id"] for name in ("Old", "New"))
    moved, stays = (
        clients[0].post("contacts", {"first_name": name, "account_id": old}).json()["id"] for name in ("A", "B")
    )
    lock = locks.lock_rows

    def move_then_lock(contacts, pks):
        (answer,) = crowd(1, lambda _: clients[1].patch(f"contacts/{moved}", {"account_id": new}))
        assert answer.status_code == 200
        return lock(contacts, pks)

    monkeypatch.setattr(locks, "lock_rows", move_then_lock)
    assert clients[0].patch(f"accounts/{old}", {"name": "Other"}).status_code == 200

    def found(word):
        return [row["id"] for row in clients[0].get("contacts", q=word).json()["items"]]

    assert (found("new"), found("other"), found("old")) == ([moved], [stays], [])


def test_of_two_who_delete_one_deletes(acme, clients):
    pk = clients[0].post("contacts", {"first_name": "Ada"}).json()["id"]

    found = statuses(crowd(SIZE, lambda number: clients[number].delete(f"contacts/{pk}")))

    assert found == {200: 1, 404: SIZE - 1}


def test_one_idempotency_key_makes_one_contact_and_equal_answers(acme, clients):
    def work(number):
        return clients[number].post("contacts", {"first_name": "Ada"}, headers={"Idempotency-Key": "once"})

    answers = crowd(SIZE, work)

    assert statuses(answers) == {201: SIZE}
    assert len({answer.content for answer in answers}) == 1
    assert len(rows(acme, Contact, first_name="Ada")) == 1
