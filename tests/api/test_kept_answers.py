"""Answers kept under an Idempotency-Key: what is kept of the request, and to whom the answer is repeated."""

import hashlib
import json
from uuid import uuid4

import pytest

from contacts.models import Contact
from crm.core import idempotency
from crm.core.models import IdempotencyKey
from tests.support.clients import codes

SECRET = "Only for the owner of this row"


def key():
    return {"Idempotency-Key": str(uuid4())}


# --- The hash of the body


def test_the_body_s_hash_takes_the_secret_key_to_try_out(acme, client_for, settings):
    """A body may hold a password: a plain hash of it could be guessed at speed by who has a copy of the database."""
    body = {"email": f"{uuid4().hex}@example.com", "full_name": "Ann Lee", "role": "sales", "password": "a-good-one-10"}
    headers = key()

    assert client_for(acme.owner, "platform").post("users", body, headers=headers).status_code == 201

    with acme.inside():
        kept = IdempotencyKey.objects.of(acme.id).get(key=headers["Idempotency-Key"]).body_hash
    raw = json.dumps(body).encode()
    assert kept != hashlib.sha256(raw).hexdigest()
    actor = acme.actor("owner")
    assert (
        kept == idempotency.IdempotentRequest.of(actor, "POST /api/v1/users", headers["Idempotency-Key"], raw).body_hash
    )
    settings.SECRET_KEY = "another-secret-key-of-this-length"
    assert (
        kept != idempotency.IdempotentRequest.of(actor, "POST /api/v1/users", headers["Idempotency-Key"], raw).body_hash
    )


# --- The sight of what an answer is about


def _contact(acme, client):
    """Return path and body of a POST by the staff member, and where its row is handed away."""
    return "contacts", {"first_name": SECRET}, "contacts/{id}"


def _customer(acme, client):
    return "customers", {"name": SECRET}, "contacts/{id}"


def _company(acme, client):
    return "accounts", {"name": SECRET}, "accounts/{id}"


def _deal(acme, client):
    return "opportunities", {"name": SECRET}, "opportunities/{id}"


def _entry(acme, client):
    pk = client.post("contacts", {"first_name": "Ann"}).json()["id"]
    return f"contacts/{pk}/timeline", {"type": "note", "content": SECRET}, f"contacts/{pk}"


def _move(acme, client):
    deal = client.post("opportunities", {"name": SECRET}).json()
    stages = client.get(f"pipelines/{deal['pipeline_id']}").json()["stages"]
    return f"opportunities/{deal['id']}/move", {"stage_id": stages[1]["id"]}, f"opportunities/{deal['id']}"


KINDS = [_contact, _customer, _company, _deal, _entry, _move]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__.strip("_"))


@pytest.fixture
def posted(acme, client_for):
    """Return what sends a kind's POST as the staff member: how to repeat it, its answer, and where its row is."""

    def send(kind):
        client = client_for(acme.staff, "platform")
        path, body, where = kind(acme, client)
        headers = key()

        def repeat():
            return client.post(path, body, headers=headers)

        first = repeat()
        assert first.status_code in {200, 201}, first.content
        return repeat, first, where.replace("{id}", first.json()["id"])

    return send


@each_kind
def test_what_was_handed_to_a_colleague_is_not_shown_again(acme, client_for, posted, kind):
    repeat, first, where = posted(kind)
    assert repeat().content == first.content
    colleague = {"owner_id": str(acme.add("staff").pk)}
    assert client_for(acme.manager, "platform").patch(where, colleague).status_code == 200
    assert client_for(acme.staff, "platform").get(where).status_code == 404

    again = repeat()

    assert codes(again) == (404, "NOT_FOUND")
    assert SECRET not in again.content.decode()


@each_kind
def test_it_is_shown_again_once_it_is_one_s_own_again(acme, client_for, posted, kind):
    repeat, first, where = posted(kind)
    manager = client_for(acme.manager, "platform")
    for owner in (acme.manager, acme.staff):
        assert manager.patch(where, {"owner_id": str(owner.pk)}).status_code == 200

    again = repeat()

    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again["Idempotent-Replayed"] == "true"


def test_nothing_is_done_again_for_who_no_longer_sees_it(acme, client_for, posted):
    repeat, _, where = posted(_contact)
    client_for(acme.manager, "platform").patch(where, {"owner_id": str(acme.manager.pk)})

    repeat()

    with acme.inside():
        assert Contact.objects.of(acme.id).filter(first_name=SECRET).count() == 1


def test_a_deleted_row_s_answer_is_repeated_to_its_owner(acme, client_for, posted):
    """The first answer stays the answer; sight is what counts, and that is as it was."""
    repeat, first, where = posted(_contact)
    assert client_for(acme.manager, "platform").delete(where).status_code == 200

    assert repeat().content == first.content


def test_who_sees_all_gets_the_first_answer_whoever_owns_it(acme, client_for):
    manager, headers = client_for(acme.manager, "platform"), key()
    first = manager.post("contacts", {"first_name": SECRET}, headers=headers)
    manager.patch(f"contacts/{first.json()['id']}", {"owner_id": str(acme.staff.pk)})

    assert manager.post("contacts", {"first_name": SECRET}, headers=headers).content == first.content


def test_a_demoted_manager_gets_no_answer_about_others_rows(acme, client_for):
    manager, headers = acme.add("manager"), key()
    client = client_for(manager, "platform")
    body = {"first_name": SECRET, "owner_id": str(acme.staff.pk)}
    assert client.post("contacts", body, headers=headers).status_code == 201
    demoted = client_for(acme.owner, "platform").patch(f"users/{manager.pk}", {"role": "sales"})
    assert demoted.status_code == 200

    assert codes(client_for(manager, "platform").post("contacts", body, headers=headers)) == (404, "NOT_FOUND")


def test_a_step_on_what_was_given_to_another_is_not_shown_again(acme, client_for):
    manager, staff = client_for(acme.manager, "platform"), client_for(acme.staff, "platform")
    task = manager.post(
        "activities",
        {
            "type": "task",
            "subject": SECRET,
            "owner_id": str(acme.staff.pk),
            "contact_id": staff.post("contacts", {"first_name": "Ann"}).json()["id"],
        },
    ).json()["id"]
    headers = key()
    first = staff.post(f"activities/{task}/complete", {}, headers=headers)
    assert first.status_code == 200
    manager.patch(f"activities/{task}", {"owner_id": str(acme.manager.pk)})

    assert codes(staff.post(f"activities/{task}/complete", {}, headers=headers)) == (404, "NOT_FOUND")
