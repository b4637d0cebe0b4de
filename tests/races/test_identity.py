"""What may happen once happens once, however many try at once; each with a control that fails unprotected."""

import time
from collections import Counter
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection

from accounts.models import Invitation, Purpose, RefreshToken, Session, User
from accounts.services import invitations, one_time_links, passwords, registration, sessions
from crm.core import clock, rate_limits
from crm.core.rate_limits import RateLimitStatus
from tests.conftest import PASSWORD
from tests.races import hashers
from tests.races.concurrency import crowd
from tests.support.clients import ApiClient

pytestmark = pytest.mark.races

MEETING_SECONDS = 60


def outcomes(responses):
    """Count answers by status and error code."""
    return Counter((answer.status_code, answer.json().get("error", {}).get("code", "")) for answer in responses)


@pytest.fixture
def quick_hashes(settings):
    """Passwords hashed at no cost, where something else is raced."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]


@pytest.fixture
def meeting(monkeypatch):
    """Let all racers meet at the door of a function, so that they really pass it at once, however slow the machine."""

    def at(module, name, size, unprotected=None):
        """Meet before the function; with `unprotected=(check, act)` meet again between the two, in its place."""
        door, gap = Barrier(size), Barrier(size)
        real = getattr(module, name)

        def protected(*subjects, **told):
            door.wait(MEETING_SECONDS)
            return real(*subjects, **told)

        def check_then_act(subject):
            check, act = unprotected
            is_open = check(subject)
            gap.wait(MEETING_SECONDS)
            return act(subject) if is_open else None

        monkeypatch.setattr(module, name, check_then_act if unprotected else protected)

    return at


def losers(answers, winner):
    """Take the winner out, and those who gave up waiting for the winner's lock, as a slow machine makes them."""
    return {kind for kind in answers if kind not in {winner, (409, "CONFLICT")}}


# --- Invitations


def accept_at_once(token, size=20):
    body = {"token": token, "name": "Grace Hopper", "password": "navy-Compiler-1"}
    return outcomes(crowd(size, lambda number: ApiClient("team").post("auth/accept-invitation", body)))


@pytest.fixture
def invited(acme, client_for, mailbox, deliver):
    """The token of an invitation of a fresh address."""
    email = f"{uuid4().hex}@example.org"
    client_for(acme.owner).post("auth/invite", {"email": email, "role": "staff"})
    deliver()
    return mailbox.token_for(email)


def test_of_twenty_who_accept_one_invitation_one_joins(acme, invited, meeting, quick_hashes):
    meeting(invitations, "_spend", 20)
    with acme.inside():
        before = User.objects.of(acme.id).count()

    answers = accept_at_once(invited)

    assert answers[201, ""] == 1
    assert losers(answers, (201, "")) == {(400, "INVITATION_USED")}
    with acme.inside():
        assert User.objects.of(acme.id).count() == before + 1


def test_control_without_the_conditional_update_several_join(acme, invited, meeting, quick_hashes, monkeypatch):
    def is_open(invitation):
        return Invitation.objects.get(pk=invitation.pk).accepted_at is None

    def accept(invitation):
        Invitation.objects.filter(pk=invitation.pk).update(accepted_at=clock.now())

    def join_under_any_address(user, role):
        user.email = f"{uuid4().hex}@example.org"  # takes the unique address, the second guard, out of the way
        return join(user, role)

    join = registration.join
    meeting(invitations, "_spend", 20, unprotected=(is_open, accept))
    monkeypatch.setattr(registration, "join", join_under_any_address)

    assert accept_at_once(invited)[201, ""] > 1


# --- Refresh tokens


def refresh_at_once(acme, size=20):
    """Use one refresh token many times at once; return it, the session, and the successors that were answered."""
    with acme.inside():
        old = sessions.open_session(acme.customer, sessions.ClientInfo("storefront")).refresh_token
        session = Session.objects.of(acme.id).filter(user=acme.customer).latest("created_at")
    client = ApiClient("storefront", shop=acme.slug)
    answers = crowd(size, lambda number: client.post("auth/refresh", {"refresh_token": old}))
    successors = [answer.json()["data"]["refresh_token"] for answer in answers if answer.status_code == 200]
    assert {answer.status_code for answer in answers} <= {200, 401, 409}
    return old, session, successors


def living(acme, session):
    with acme.inside():
        unused = RefreshToken.objects.of(acme.id).filter(session=session, used_at=None, session__ended_at=None)
        return unused.count()


def test_of_twenty_uses_of_a_refresh_token_at_most_one_successor_lives(acme, meeting, monkeypatch):
    meeting(sessions, "_spend", 20)
    old, session, successors = refresh_at_once(acme)

    monkeypatch.undo()

    assert len(successors) == 1
    assert living(acme, session) <= 1
    client = ApiClient("storefront", shop=acme.slug)
    assert client.post("auth/refresh", {"refresh_token": old}).status_code == 401
    assert living(acme, session) == 0
    assert client.post("auth/refresh", {"refresh_token": successors[0]}).status_code == 401
    with acme.inside():
        assert Session.objects.of(acme.id).get(pk=session.pk).end_reason == "refresh_replayed"


def test_control_without_the_conditional_update_several_successors_live(acme, meeting, monkeypatch):
    def is_unused(token):
        return RefreshToken.objects.get(pk=token.pk).used_at is None

    def use(token):
        return bool(RefreshToken.objects.filter(pk=token.pk).update(used_at=clock.now()))

    meeting(sessions, "_spend", 20, unprotected=(is_unused, use))
    monkeypatch.setattr(sessions, "_end_replayed", lambda session: None)

    _, session, successors = refresh_at_once(acme)

    assert len(successors) > 1
    assert living(acme, session) > 1


# --- Reset links


def reset_at_once(acme, size=10):
    with acme.inside():
        link = one_time_links.make(acme.viewer, Purpose.RESET_PASSWORD)
    token = one_time_links.token_for(link.purpose, link.pk)

    def reset(number):
        return ApiClient("team").post("auth/reset-password", {"token": token, "password": f"another-Horse-{number}"})

    return outcomes(crowd(size, reset))


def test_of_ten_uses_of_a_reset_link_one_sets_the_password(acme, meeting, quick_hashes):
    meeting(passwords, "set_new", 10)

    answers = reset_at_once(acme)

    assert answers[200, ""] == 1
    assert losers(answers, (200, "")) == {(400, "TOKEN_USED")}


def test_control_without_the_conditional_update_several_set_the_password(acme, meeting, quick_hashes, monkeypatch):
    meeting(passwords, "set_new", 10)
    monkeypatch.setattr(one_time_links, "spend", lambda link, user: None)

    assert reset_at_once(acme)[200, ""] > 1


# --- Limits


@pytest.fixture
def counted(limits):
    """Limits on, only the door's in the way, and the hasher counting."""
    limits.RATE_LIMIT_AUTH, limits.RATE_LIMIT_ACCOUNT = (5, 300), (1000, 900)
    limits.PASSWORD_HASHERS = ["tests.races.hashers.CountingHasher"]
    hashers.reached.clear()
    return hashers.reached


def log_in_at_once(acme, address, size=40):
    body = {"email": acme.owner.email, "password": f"not {PASSWORD}"}
    clients = [ApiClient("platform", address=address) for _ in range(size)]
    for client in clients[1::2]:
        client.http.defaults["HTTP_X_FORWARDED_FOR"] = f"198.51.100.{clients.index(client)}"
    answers = crowd(size, lambda number: clients[number].post("auth/login", body))
    return outcomes(answers)


def test_of_forty_logins_at_once_five_reach_the_hasher(acme, counted):
    answers = log_in_at_once(acme, "203.0.113.101")

    assert answers == {(401, "UNAUTHENTICATED"): 5, (429, "RATE_LIMITED"): 35}
    assert counted == ["verify"] * 5


def test_control_counting_by_reading_and_writing_lets_more_through(acme, counted, monkeypatch):
    all_have_read = Barrier(40)

    def read_then_write(key, limit, seconds):
        with connection.cursor() as cursor:
            cursor.execute("SELECT hits FROM core_ratecounter WHERE key = %s", [key])
            found = cursor.fetchone()
            hits = (found[0] if found else 0) + 1
            all_have_read.wait(60)
            cursor.execute(
                "INSERT INTO core_ratecounter (key, window_ends_at, hits) VALUES (%s, now() + interval '5 min', %s) "
                "ON CONFLICT (key) DO UPDATE SET hits = EXCLUDED.hits",
                [key, hits],
            )
        return RateLimitStatus(limit, hits, int(time.time()) + seconds)

    monkeypatch.setattr(rate_limits, "hit_durable", read_then_write)

    log_in_at_once(acme, "203.0.113.102")

    assert len(counted) > 5
