"""What limits tries at passwords, what lifts a lockout, and what a failed sign-in leaves behind."""

import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher

from accounts.models import User
from crm.core.logs import JsonFormatter
from crm.core.models import Event
from tests.accounts.users import NEW_PASSWORD
from tests.conftest import PASSWORD
from tests.support.clients import ApiClient, codes, fields
from tests.support.mail_server import text_of


def log_in(email, password, address, **more):
    return ApiClient("platform", address=address).post("auth/login", {"email": email, "password": password, **more})


def lock(user):
    """Fail until strangers may not try any more, from addresses that no other test uses."""
    answers = [log_in(user.email, "wrong", f"2001:db8:{uuid4().hex[:4]}:{number}::1") for number in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]


# --- By client address


def test_a_team_behind_one_address_gets_in_in_the_morning(acme, limits):
    answers = [log_in(acme.users[role].email, PASSWORD, "203.0.113.200") for role in ("owner", "manager", "staff")] * 3

    assert {answer.status_code for answer in answers} == {200}
    assert {answer["X-RateLimit-Remaining"] for answer in answers} == {"5"}


def test_failures_between_successes_count(acme, limits):
    for _ in range(5):
        assert log_in(acme.owner.email, PASSWORD, "203.0.113.201").status_code == 200
        assert log_in(acme.staff.email, "wrong", "203.0.113.201").status_code == 401

    assert log_in(acme.owner.email, PASSWORD, "203.0.113.201").status_code == 429


@pytest.mark.parametrize(
    ("addresses", "statuses"),
    [
        ([f"2001:db8:1:1::{number:x}" for number in range(1, 7)], [401] * 5 + [429]),
        ([f"2001:db8:2:{number:x}::1" for number in range(1, 7)], [401] * 6),
    ],
    ids=["of one network", "of six networks"],
)
def test_ipv6_addresses_count_by_network(limits, addresses, statuses):
    answers = [log_in(f"{uuid4().hex}@example.com", "wrong", address).status_code for address in addresses]

    assert answers == statuses


def test_registrations_count_each(limits):
    client = ApiClient("platform", address="203.0.113.202")
    body = {"password": PASSWORD, "full_name": "A B", "company_name": "C"}

    answers = [client.post("auth/register", body | {"email": f"n{number}@example.com"}) for number in range(6)]

    assert [answer.status_code for answer in answers] == [201] * 5 + [429]


# --- By account


def test_a_used_reset_link_lifts_a_lockout(acme, limits, mailbox, deliver):
    lock(acme.staff)
    assert log_in(acme.staff.email, PASSWORD, "198.51.100.1").status_code == 429
    ApiClient("team", address="198.51.100.1").post("auth/forgot-password", {"email": acme.staff.email})
    deliver()

    body = {"token": mailbox.token_for(acme.staff.email), "password": NEW_PASSWORD}
    assert ApiClient("team", address="198.51.100.1").post("auth/reset-password", body).status_code == 200

    assert log_in(acme.staff.email, NEW_PASSWORD, "198.51.100.1").status_code == 200


def test_where_a_user_has_signed_in_from_is_a_network(acme, limits):
    assert log_in(acme.staff.email, PASSWORD, "2001:db8:9:9::1").status_code == 200
    lock(acme.staff)

    assert log_in(acme.staff.email, PASSWORD, "2001:db8:9:9:abcd::2").status_code == 200
    assert log_in(acme.staff.email, PASSWORD, "2001:db8:9:8::1").status_code == 429


# --- The present password


OWN_PASSWORD = {
    "team": ("patch", "settings/password", ("currentPassword", "newPassword", "confirmPassword")),
    "platform": ("post", "users/{pk}/password", ("current_password", "new_password")),
    "storefront": ("post", "auth/password", ("current_password", "new_password")),
}


@pytest.mark.parametrize("surface", OWN_PASSWORD)
def test_the_present_password_is_guessed_ten_times_at_most(acme, client_for, limits, surface):
    method, path, (present, *new) = OWN_PASSWORD[surface]
    client = client_for(acme.owner, surface)

    def change(password):
        body = {present: password, **dict.fromkeys(new, NEW_PASSWORD)}
        return getattr(client, method)(path.format(pk=acme.owner.pk), body)

    refused = [change(f"wrong-{number}") for number in range(11)]

    assert [answer.status_code in {400, 422} for answer in refused] == [True] * 10 + [False]
    assert refused[-1].status_code == change(PASSWORD).status_code == 429


def test_guesses_on_all_surfaces_and_by_every_change_count_together(acme, client_for, limits):
    platform, team = client_for(acme.owner, "platform"), client_for(acme.owner, "team")
    new = {"newPassword": NEW_PASSWORD, "confirmPassword": NEW_PASSWORD}
    for number in range(5):
        team.patch("settings/password", {"currentPassword": f"wrong-{number}", **new})
        platform.patch(f"users/{acme.owner.pk}", {"email": "a@example.org", "current_password": f"wrong-{number}"})

    answer = platform.patch(f"users/{acme.owner.pk}", {"email": "a@example.org", "current_password": PASSWORD})

    assert codes(answer) == (429, "RATE_LIMITED")
    with acme.inside():
        assert User.objects.of(acme.id).get(pk=acme.owner.pk).email == acme.owner.email


def test_ones_own_address_and_role_take_the_present_password(acme, client_for):
    acme.add("owner")
    client = client_for(acme.owner, "platform")
    path = f"users/{acme.owner.pk}"

    for change in ({"email": "new@example.org"}, {"role": "manager"}):
        for given in ({}, {"current_password": "wrong"}, {"current_password": None}):
            answer = client.patch(path, change | given)
            assert (answer.status_code, fields(answer)) == (422, {"current_password"})
    assert client.get(path).json()["email"] == acme.owner.email

    assert client.patch(path, {"phone": "1", "email": acme.owner.email}).status_code == 200
    changed = client.patch(path, {"email": "new@example.org", "role": "manager", "current_password": PASSWORD})
    assert (changed.status_code, changed.json()["email"], changed.json()["role"]) == (200, "new@example.org", "manager")


# --- What a person is told


def subjects(mailbox, address):
    return [str(mail["Subject"]) for mail in mailbox.to(address)]


@pytest.mark.parametrize("who", ["oneself", "an owner"])
def test_a_changed_address_is_told_to_both(acme, client_for, mailbox, deliver, who):
    former = acme.owner.email if who == "oneself" else acme.staff.email
    target = acme.owner if who == "oneself" else acme.staff
    email = f"new.{acme.slug}@example.org"

    body = {"email": email, "current_password": PASSWORD} if who == "oneself" else {"email": email}
    assert client_for(acme.owner, "platform").patch(f"users/{target.pk}", body).status_code == 200
    deliver()

    assert subjects(mailbox, former) == ["An e-mail address was changed"]
    assert set(subjects(mailbox, email)) == {"An e-mail address was changed", mailbox.to(email)[-1]["Subject"]}
    assert mailbox.token_for(email)  # by which the new address is proven


def test_a_changed_password_is_told(acme, client_for, mailbox, deliver):
    client_for(acme.owner, "platform").post(f"users/{acme.staff.pk}/password", {"new_password": NEW_PASSWORD})
    own = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    client_for(acme.customer, "storefront").post("auth/password", own)
    deliver()

    for user in (acme.staff, acme.customer):
        (mail,) = mailbox.to(user.email)
        assert mail["Subject"] == "Your password was changed"
        assert acme.organization.name in text_of(mail)


def test_changed_roles_are_told_once(acme, client_for, mailbox, deliver):
    client_for(acme.owner).patch(f"settings/team/{acme.staff.pk}", {"role": "manager"})
    deliver()

    assert subjects(mailbox, acme.staff.email) == ["Your access was changed"]


# --- What operators can see


class Lines(logging.Handler):
    """Keeps the lines of the logger `security`, as they are written."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(json.loads(JsonFormatter().format(record)))


@pytest.fixture
def security():
    handler = Lines()
    logging.getLogger("security").addHandler(handler)
    yield handler.lines
    logging.getLogger("security").removeHandler(handler)


def test_failed_and_locked_sign_ins_leave_a_line_and_an_event(acme, limits, security):
    limits.RATE_LIMIT_ACCOUNT = (2, 900)

    for number in range(4):
        log_in(acme.staff.email, "secret-guess", f"203.0.115.{number}")
    log_in(f"{uuid4().hex}@example.com", "secret-guess", "203.0.115.9")

    assert [line["message"] for line in security] == [
        *["Sign-in failed"] * 2,
        *["Sign-in locked"] * 2,
        "Sign-in failed",
    ]
    told = {name: security[0][name] for name in ("event", "users", "address", "surface")}
    assert told == {
        "event": "sign_in_failed",
        "users": [str(acme.staff.pk)],
        "address": "203.0.115.0",
        "surface": "platform",
    }
    assert security[-1]["users"] == []
    assert "secret-guess" not in json.dumps(security)
    with acme.inside():
        recorded = list(
            Event.objects.of(acme.id)
            .filter(subject_id=acme.staff.pk, name__startswith="user.sign_in")
            .order_by("id")
            .values_list("name", "actor_id", "metadata__address")
        )
    assert recorded == [
        ("user.sign_in_failed", None, "203.0.115.0"),
        ("user.sign_in_failed", None, "203.0.115.1"),
        ("user.sign_in_locked", None, "203.0.115.2"),  # and no more while it is locked
    ]


# --- Hashes


class HeldHasher(Argon2PasswordHasher):
    """Argon2 that waits to be let go, and says who waits."""

    held = threading.Event()
    reached = threading.Semaphore(0)

    def verify(self, password, encoded):
        """Say that a comparison has begun, and wait."""
        self.reached.release()
        self.held.wait(30)
        return super().verify(password, encoded)


def crowd_while_held(acme, settings, queue):
    """Let six sign in while hashing stands still; return how many were refused at once, and all statuses."""
    settings.PASSWORD_HASHERS = ["tests.accounts.test_sign_in_limits.HeldHasher"]
    settings.PASSWORD_HASHING_QUEUE = queue
    HeldHasher.held.clear()
    with ThreadPoolExecutor(6) as pool:
        try:
            signing_in = [pool.submit(log_in, acme.owner.email, PASSWORD, "203.0.116.1") for _ in range(6)]
            HeldHasher.reached.acquire(timeout=30)
            done = [future for future in signing_in if _done(future)]
            listed = ApiClient("platform").get("ping")
        finally:
            HeldHasher.held.set()
        refused = [future.result() for future in done]
        return refused, listed.status_code, sorted(future.result().status_code for future in signing_in)


def _done(future):
    try:
        future.result(timeout=0.5)
    except TimeoutError:
        return False
    return True


@pytest.mark.races
def test_passwords_beyond_the_queue_are_refused_at_once(acme, settings):
    refused, ping, statuses = crowd_while_held(acme, settings, 2)

    assert [codes(answer) for answer in refused] == [(503, "TOO_BUSY")] * 3
    assert {answer["Retry-After"] for answer in refused} == {"2"}
    assert ping == 200
    assert statuses == [200] * 3 + [503] * 3


@pytest.mark.races
def test_control_without_an_end_of_the_queue_everybody_waits(acme, settings):
    refused, _, statuses = crowd_while_held(acme, settings, 1000)

    assert refused == []
    assert statuses == [200] * 6
