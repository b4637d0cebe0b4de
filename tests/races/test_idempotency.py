"""Safe to repeat: one key, one effect, one answer; over HTTP, on every surface."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.http import HttpResponse

from accounts.models import Role
from contacts.models import Contact
from crm.core import clock, idempotency
from crm.core.models import IdempotencyKey
from tests.conftest import Tenant
from tests.races.concurrency import crowd
from tests.support.clients import ApiClient

ClientFor = Callable[..., ApiClient]
SURFACES = ("team", "platform", "storefront")
each_surface = pytest.mark.parametrize("surface", SURFACES)


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


def creation(surface: str) -> tuple[str, dict[str, str]]:
    """Return the path and body of a creation that every surface offers in its way."""
    name = f"Name {uuid4().hex[:12]}"
    if surface == "storefront":
        return "admin/roles", {"name": name, "description": "Made in a test"}
    return "contacts", {"firstName" if surface == "team" else "first_name": name}


def made(tenant: Tenant, body: dict[str, str]) -> int:
    """Return how many rows carry the body's name."""
    name = body.get("name") or body.get("firstName") or body.get("first_name")
    with tenant.inside():
        return Contact.objects.filter(first_name=name).count() + Role.objects.filter(name=name).count()


def kept(tenant: Tenant, headers: dict[str, str]) -> int:
    with tenant.inside():
        return IdempotencyKey.objects.filter(key=headers["Idempotency-Key"]).count()


def code(answer: HttpResponse) -> str:
    return str(answer.json()["error"]["code"]).upper()


@each_surface
def test_the_same_key_and_body_answer_the_same_bytes_and_do_nothing_twice(
    surface: str, acme: Tenant, client_for: ClientFor
) -> None:
    client, (path, body), headers = client_for(acme.owner, surface), creation(surface), key()

    first = client.post(path, body, headers=headers)
    second = client.post(path, body, headers=headers)

    assert first.status_code == 201
    assert (second.status_code, second.content) == (201, first.content)
    assert second["Content-Type"] == first["Content-Type"]
    assert made(acme, body) == 1
    assert "Idempotent-Replayed" not in first
    assert second["Idempotent-Replayed"] == "true"


@each_surface
def test_without_a_key_a_second_post_is_another_one(surface: str, acme: Tenant, client_for: ClientFor) -> None:
    client, (path, body) = client_for(acme.owner, surface), creation(surface)

    answers = [client.post(path, body).status_code for _ in range(2)]

    assert answers == ([201, 409] if surface == "storefront" else [201, 201])


@each_surface
def test_the_same_key_with_another_body_is_refused_and_does_nothing(
    surface: str, acme: Tenant, client_for: ClientFor
) -> None:
    client, (path, body), (_, other), headers = (
        client_for(acme.owner, surface),
        creation(surface),
        creation(surface),
        key(),
    )
    client.post(path, body, headers=headers)

    answer = client.post(path, other, headers=headers)

    assert (answer.status_code, code(answer)) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert made(acme, other) == 0
    assert client.post(path, body, headers=headers).status_code == 201


def test_keys_of_other_users_organizations_and_paths_are_others(
    acme: Tenant, other: Tenant, client_for: ClientFor
) -> None:
    headers, (path, body) = key(), creation("team")
    client_for(acme.owner, "team").post(path, body, headers=headers)

    answers = [
        client_for(acme.manager, "team").post(path, {"firstName": "By another user"}, headers=headers),
        client_for(other.owner, "team").post(path, {"firstName": "By another tenant"}, headers=headers),
        client_for(acme.owner, "platform").post("contacts", {"first_name": "By another path"}, headers=headers),
    ]

    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert not any("Idempotent-Replayed" in answer for answer in answers)


def test_a_key_does_not_let_anybody_in(acme: Tenant, client_for: ClientFor) -> None:
    client, (path, body), headers = client_for(acme.manager, "team"), creation("team"), key()
    client.post(path, body, headers=headers)
    anonymous = client_for(None, "team").post(path, body, headers=headers)
    viewer = client_for(acme.viewer, "team").post(path, body, headers=headers)

    assert (anonymous.status_code, viewer.status_code) == (401, 403)
    assert kept(acme, headers) == 1


@pytest.mark.races
@each_surface
def test_twenty_at_once_make_one_and_get_twenty_equal_answers(
    surface: str, acme: Tenant, client_for: ClientFor
) -> None:
    (path, body), headers = creation(surface), key()
    clients = [client_for(acme.owner, surface) for _ in range(20)]

    answers = crowd(20, lambda number: clients[number].post(path, body, headers=headers))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer for answer in answers) == 1
    assert made(acme, body) == 1


@pytest.mark.races
def test_twenty_at_once_without_the_claim_make_more_than_one(
    acme: Tenant, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: look whether the key is there, and go on where it is not."""

    def claim(request: idempotency.IdempotentRequest) -> bool:
        return not idempotency._rows(request).exists()

    monkeypatch.setattr(idempotency, "_claim", claim)
    (path, body), headers = creation("team"), key()
    clients = [client_for(acme.owner, "team") for _ in range(20)]

    crowd(20, lambda number: clients[number].post(path, body, headers=headers))

    assert made(acme, body) > 1


@pytest.mark.races
def test_many_keys_at_once_have_one_effect_each(acme: Tenant, client_for: ClientFor) -> None:
    works = [(creation("team"), key()) for _ in range(20)]
    client = client_for(acme.owner, "team")
    clients = [ApiClient("team", token=client.token) for _ in range(8)]

    def send(number: int) -> list[bytes]:
        mine = works[number:] + works[:number]
        return [clients[number].post(path, body, headers=headers).content for (path, body), headers in mine]

    crowd(8, send)

    assert [made(acme, body) for (_, body), _ in works] == [1] * 20


def refusal(client: ApiClient, headers: dict[str, str], email: str) -> HttpResponse:
    return client.post("contacts?onDuplicate=reject", {"firstName": "Ann", "email": email}, headers=headers)


def test_a_final_refusal_is_kept_and_repeated(acme: Tenant, client_for: ClientFor) -> None:
    client, headers, email = client_for(acme.owner, "team"), key(), f"{uuid4().hex}@example.com"
    taken = client.post("contacts", {"email": email}).json()["data"]["id"]
    first = refusal(client, headers, email)
    client.delete(f"contacts/{taken}")

    second = refusal(client, headers, email)

    assert (first.status_code, second.status_code, second.content) == (409, 409, first.content)
    assert second["Idempotent-Replayed"] == "true"
    assert refusal(client, key(), email).status_code == 201


@each_surface
@pytest.mark.parametrize("bad", [{}, {"nonsense": 1}, b"{", b"[]"])
def test_a_validation_error_is_not_kept(surface: str, bad: Any, acme: Tenant, client_for: ClientFor) -> None:
    client, (path, body), headers = client_for(acme.owner, surface), creation(surface), key()

    refused = client.post(path, bad, headers=headers)

    assert refused.status_code in {400, 422}
    assert kept(acme, headers) == 0
    assert client.post(path, body, headers=headers).status_code == 201


def test_a_missing_permission_is_not_kept(acme: Tenant, client_for: ClientFor) -> None:
    headers = key()

    answer = client_for(acme.viewer, "team").post("contacts", {"firstName": "Ann"}, headers=headers)

    assert (answer.status_code, kept(acme, headers)) == (403, 0)


def test_an_error_of_ours_is_not_kept(acme: Tenant, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch) -> None:
    client, (path, body), headers = client_for(acme.owner, "team"), creation("team"), key()
    with monkeypatch.context() as patched:
        patched.setattr(Contact, "full_name", property(lambda self: 1 / 0), raising=False)
        broken = client.post(path, body, headers=headers)

    assert (broken.status_code, kept(acme, headers), made(acme, body)) == (500, 0, 0)
    assert client.post(path, body, headers=headers).status_code == 201


@contextmanager
def running(tenant: Tenant, path: str, headers: dict[str, str], body: bytes) -> Iterator[threading.Event]:
    """Hold a first request's claim open until the event is set; it is then rolled back."""
    claimed, finish = threading.Event(), threading.Event()
    request = idempotency.IdempotentRequest.of(tenant.actor("owner"), f"POST {path}", headers["Idempotency-Key"], body)

    def hold() -> None:
        try:
            with tenant.inside():
                idempotency._claim(request)
                claimed.set()
                finish.wait(20)
                raise KeyError
        except KeyError:
            pass
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert claimed.wait(5)
    try:
        yield finish
    finally:
        finish.set()
        thread.join()


def test_a_first_one_that_runs_on_and_on_is_told_of_after_five_seconds(acme: Tenant, client_for: ClientFor) -> None:
    client, headers = client_for(acme.owner, "team"), key()
    body = b'{"firstName": "Ann"}'

    with running(acme, "/api/contacts", headers, body):
        began = time.monotonic()
        answer = client.post("contacts", body, headers=headers)
        waited = time.monotonic() - began

    assert (answer.status_code, code(answer)) == (409, "IDEMPOTENCY_IN_PROGRESS")
    assert 4.5 < waited < 7
    assert kept(acme, headers) == 0
    assert client.post("contacts", body, headers=headers).status_code == 201


def test_where_the_first_one_fails_the_one_that_waits_does_the_work(acme: Tenant, client_for: ClientFor) -> None:
    client, headers = client_for(acme.owner, "team"), key()
    body = b'{"firstName": "Ann"}'

    with running(acme, "/api/contacts", headers, body) as finish:
        threading.Timer(0.5, finish.set).start()
        answer = client.post("contacts", body, headers=headers)

    assert (answer.status_code, "Idempotent-Replayed" in answer) == (201, False)


@each_surface
@pytest.mark.parametrize(
    ("bad", "status"),
    [("k" * 255, 201), ("k" * 256, 400), ("", 400), ("a\tb", 400), ("a\x7fb", 400), ("a\x01b", 400), ("a b~!", 201)],
)
def test_a_key_has_1_to_255_printable_characters(
    bad: str, status: int, surface: str, acme: Tenant, client_for: ClientFor
) -> None:
    client, (path, body) = client_for(acme.owner, surface), creation(surface)

    answer = client.post(path, body, headers={"Idempotency-Key": bad})

    assert answer.status_code == status
    assert made(acme, body) == (status == 201)


def age(tenant: Tenant, headers: dict[str, str], hours: float) -> None:
    with tenant.inside():
        IdempotencyKey.objects.filter(key=headers["Idempotency-Key"]).update(
            created_at=clock.now() - timedelta(hours=hours)
        )


@pytest.mark.parametrize(("hours", "count"), [(23.9, 1), (24.1, 2)])
def test_after_a_day_a_key_is_new(hours: float, count: int, acme: Tenant, client_for: ClientFor) -> None:
    client, (path, body), headers = client_for(acme.owner, "team"), creation("team"), key()
    first = client.post(path, body, headers=headers)
    age(acme, headers, hours)

    second = client.post(path, body, headers=headers)

    assert (first.status_code, second.status_code) == (201, 201)
    assert (second.content == first.content) is (count == 1)
    assert made(acme, body) == count
    assert kept(acme, headers) == 1


def test_keys_older_than_a_day_are_swept(acme: Tenant, client_for: ClientFor) -> None:
    client, old, young = client_for(acme.owner, "team"), key(), key()
    for headers in (old, young):
        client.post("contacts", {"firstName": "Ann"}, headers=headers)
    age(acme, old, 25)

    idempotency.forget_expired()

    assert (kept(acme, old), kept(acme, young)) == (0, 1)


def test_other_methods_ignore_the_key(acme: Tenant, client_for: ClientFor) -> None:
    client, headers = client_for(acme.owner, "team"), key()
    made_id = UUID(client.post("contacts", {"firstName": "Ann"}).json()["data"]["id"])

    names = [
        client.patch(f"contacts/{made_id}", {"firstName": name}, headers=headers).json()["data"]["firstName"]
        for name in ("Bea", "Cem")
    ]

    assert names == ["Bea", "Cem"]
    assert kept(acme, headers) == 0
