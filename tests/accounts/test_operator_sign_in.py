"""The admin's sign-in by address and password: limits, what is kept of it, and how long a session lasts."""

import io
import json
import logging
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from django.conf import settings as project
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from accounts.models import OperatorEvent
from accounts.services import cleanup, operator_events
from crm.core import clock, db
from crm.core.logs import JsonFormatter
from tests.conftest import PASSWORD
from tests.support.operators import LOGIN, Operator, is_inside, new_address

pytestmark = pytest.mark.usefixtures("quick_hashes")
ROOT = Path(__file__).resolve().parents[2]
WRONG = "not the password"


@pytest.fixture
def ada():
    """An operator."""
    return Operator(PASSWORD)


@pytest.fixture
def log_lines():
    """What the site logs under `security`, as it writes it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("security")
    logger.addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.removeHandler(handler)


def last_event(email):
    with db.operator("command"):
        return OperatorEvent.objects.filter(email=email).latest("id")


# --- Limits


def test_after_five_failures_the_right_password_waits_too(ada, limits):
    for _ in range(5):
        assert ada.give_password(password=WRONG).status_code == 200

    refused = ada.give_password()

    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 301
    assert "Too many failed attempts. Try again in" in refused.content.decode()
    assert not is_inside(ada.browser)


def test_the_wait_has_an_end(ada, limits, time_after):
    for _ in range(6):
        ada.give_password(password=WRONG)

    with time_after(seconds=limits.RATE_LIMIT_AUTH[1] + 2):
        assert ada.give_password().status_code == 302


def test_successes_do_not_count(limits):
    team = [Operator(PASSWORD, address=new_address())]
    team += [Operator(PASSWORD, address=team[0].address) for _ in range(7)]

    assert [operator.give_password().status_code for operator in team] == [302] * 8


def test_an_account_is_guarded_against_many_addresses(ada, limits):
    limits.RATE_LIMIT_ACCOUNT = (4, 900)
    for _ in range(4):
        assert ada.give_password(ada.another_browser(new_address()), password=WRONG).status_code == 200

    assert ada.give_password(ada.another_browser(new_address())).status_code == 429


def test_strangers_do_not_lock_an_operator_out_of_where_they_work(ada, limits):
    limits.RATE_LIMIT_ACCOUNT = (4, 900)
    ada.give_password()
    for _ in range(6):
        ada.give_password(ada.another_browser(new_address()), password=WRONG)

    assert ada.give_password(ada.another_browser()).status_code == 302
    assert ada.give_password(ada.another_browser(new_address())).status_code == 429


def test_where_an_operator_works_has_a_limit_of_its_own(ada, limits):
    limits.RATE_LIMIT_AUTH, limits.RATE_LIMIT_ACCOUNT = (100, 300), (4, 900)
    ada.give_password()
    for _ in range(4):
        ada.give_password(ada.another_browser(), password=WRONG)

    assert ada.give_password(ada.another_browser()).status_code == 429


def test_all_addresses_of_an_ipv6_network_count_together(ada, limits):
    number = new_address().rpartition(".")[2]
    for last in range(5):
        ada.give_password(ada.another_browser(f"2001:db8:0:{number}::{last + 1}"), password=WRONG)

    assert ada.give_password(ada.another_browser(f"2001:db8:0:{number}:ffff::9")).status_code == 429
    assert ada.give_password(ada.another_browser(f"2001:db8:1:{number}::1")).status_code == 302


def test_an_unknown_account_is_answered_as_a_known_one(ada, limits):
    limits.RATE_LIMIT_AUTH, limits.RATE_LIMIT_ACCOUNT = (100, 300), (3, 900)

    def answers(email):
        browser = Client(REMOTE_ADDR=new_address())
        return [browser.post(LOGIN, {"username": email, "password": WRONG}) for _ in range(5)]

    known, unknown = answers(ada.email), answers(f"nobody.{ada.email}")

    assert [response.status_code for response in known] == [200, 200, 200, 429, 429]
    assert [response.status_code for response in unknown] == [200, 200, 200, 429, 429]
    texts = [
        re.sub(r'csrfmiddlewaretoken" value="\w+|value="[^"]*@[^"]*|\d+ seconds', "", page.content.decode())
        for page in (known[0], unknown[0], known[3], unknown[3])
    ]
    assert texts[0] == texts[1]
    assert texts[2] == texts[3]


def test_the_present_password_is_guarded_where_it_is_changed(ada, limits):
    ada.give_password()
    body = {"old_password": WRONG, "new_password1": "another-Horse-7", "new_password2": "another-Horse-7"}
    answers = [ada.browser.post("/admin/password_change/", body).status_code for _ in range(5)]

    refused = ada.browser.post("/admin/password_change/", body | {"old_password": PASSWORD})

    assert answers == [200] * 5
    assert (refused.status_code, "Retry-After" in refused.headers) == (429, True)
    assert ada.user.check_password(PASSWORD)


class WatchingHasher(MD5PasswordHasher):
    """Tells whether a transaction was open each time that it was reached."""

    waited_for: ClassVar[list[bool]] = []

    def verify(self, password, encoded):
        self.waited_for.append(connection.in_atomic_block)
        return super().verify(password, encoded)


def test_no_transaction_waits_for_a_hash_and_a_failure_on_the_way_is_counted(ada, limits, monkeypatch):
    def broken(*_, **__):
        raise OSError

    limits.PASSWORD_HASHERS = [f"{__name__}.WatchingHasher"]
    WatchingHasher.waited_for.clear()
    ada.browser.raise_request_exception = False
    monkeypatch.setattr(operator_events, "note", broken)

    answers = [ada.give_password(password=WRONG).status_code for _ in range(5)]

    assert answers == [500] * 5
    assert WatchingHasher.waited_for == [False] * 5
    monkeypatch.undo()
    assert ada.give_password().status_code == 429


def test_a_password_hashed_by_former_parameters_is_hashed_anew(ada, settings):
    settings.PASSWORD_HASHERS = settings.PASSWORD_HASHERS[::-1]
    assert ada.user.password.startswith("md5")

    ada.give_password()

    assert ada.user.password.startswith("argon2")
    assert is_inside(ada.browser)


# --- What is kept


def test_sign_ins_leave_an_event_each(ada, limits):
    limits.RATE_LIMIT_AUTH = (2, 300)
    ada.give_password(password=WRONG)
    ada.give_password()
    browser = ada.another_browser()
    for _ in range(4):
        ada.give_password(browser, password=WRONG)

    assert ada.events() == [
        *("sign_in_failed", "sign_in_succeeded", "sign_in_failed"),
        "sign_in_locked",  # once, however many attempts are refused
    ]
    kept = last_event(ada.email)
    assert (kept.operator_id, kept.address, kept.reason) == (ada.user.pk, ada.address, "client address")


def test_sign_ins_leave_log_lines_without_the_password(ada, limits, log_lines):
    limits.RATE_LIMIT_AUTH = (1, 300)
    ada.give_password()
    ada.give_password(password=WRONG)
    ada.give_password()
    ada.give_password()

    lines = log_lines()

    told = [(line["level"], line["event"], line["account"], line["address"], line["reason"]) for line in lines]
    assert told == [
        ("info", "sign_in_succeeded", ada.email, ada.address, ""),
        ("warning", "sign_in_failed", ada.email, ada.address, "wrong password"),
        *[("warning", "sign_in_locked", ada.email, ada.address, "client address")] * 2,
    ]
    assert {line["logger"] for line in lines} == {"security"}
    assert not any(secret in json.dumps(lines) for secret in (PASSWORD, WRONG))


def test_a_password_typed_as_the_address_is_not_kept(log_lines):
    Client(REMOTE_ADDR=new_address()).post(LOGIN, {"username": "My-Secret-42", "password": WRONG})

    assert log_lines()[-1]["reason"] == "unknown account"
    assert "my-secret-42" not in json.dumps(log_lines()).lower()
    assert last_event("").operator_id is None


def test_events_are_shown_in_the_admin_and_changed_by_nobody(ada, back_office):
    ada.give_password(password=WRONG)
    row = last_event(ada.email)

    page = back_office.get("/admin/accounts/operatorevent/", {"q": ada.email})
    change = back_office.post(f"/admin/accounts/operatorevent/{row.pk}/change/", {"reason": "forged"})

    assert [found.pk for found in page.context["cl"].result_list] == [row.pk]
    assert change.status_code == 403
    assert back_office.post(f"/admin/accounts/operatorevent/{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_sweep_forgets_events_after_a_year_and_sessions_that_are_over(ada):
    ada.give_password()
    with db.operator("command"):
        old = OperatorEvent(name=OperatorEvent.Name.FAILED, occurred_at=clock.now() - timedelta(days=366))
        old.save(force_insert=True)
    key = ada.browser.session.session_key
    Session.objects.filter(pk=key).update(expire_date=clock.now() - timedelta(minutes=1))

    cleanup.sweep()

    with db.operator("command"):
        assert not OperatorEvent.objects.filter(pk=old.pk).exists()
    assert ada.events() == ["sign_in_succeeded"]
    assert not Session.objects.filter(pk=key).exists()


# --- The session


def test_a_session_ends_after_twelve_hours_however_busy(ada, time_after):
    ada.give_password()
    for hour in range(1, 12):
        with time_after(hours=hour):
            assert is_inside(ada.browser), hour

    with time_after(hours=12, seconds=1):
        assert not is_inside(ada.browser)


def test_a_session_ends_after_two_hours_without_use(ada, time_after):
    ada.give_password()
    with time_after(minutes=119):
        assert is_inside(ada.browser)
    with time_after(minutes=237):
        assert is_inside(ada.browser)

    with time_after(minutes=237 + 121):
        assert not is_inside(ada.browser)


def test_a_session_is_written_once_a_minute_at_most(ada, time_after):
    ada.give_password()
    before = ada.browser.session["seen_at"]
    for _ in range(3):
        ada.browser.get("/admin/")
    assert ada.browser.session["seen_at"] == before

    with time_after(seconds=61):
        ada.browser.get("/admin/")

    assert ada.browser.session["seen_at"] > before


def test_a_session_without_a_beginning_is_none(ada):
    ada.give_password()
    session = ada.browser.session
    del session["started_at"]
    session.save()

    assert not is_inside(ada.browser)


def test_signing_in_gives_the_session_a_new_key(ada):
    ada.give_password()
    first = ada.browser.session.session_key

    ada.give_password()

    assert ada.browser.session.session_key != first
    assert not Session.objects.filter(pk=first).exists()


def test_another_password_ends_the_other_sessions(ada):
    elsewhere = ada.another_browser()
    ada.give_password(elsewhere)
    ada.give_password()

    changed = ada.browser.post(
        "/admin/password_change/",
        {"old_password": PASSWORD, "new_password1": "another-Horse-7", "new_password2": "another-Horse-7"},
    )

    assert (changed.status_code, changed.headers["Location"]) == (302, "/admin/password_change/done/")
    assert is_inside(ada.browser)
    assert not is_inside(elsewhere)
    assert ada.user.check_password("another-Horse-7")
    assert ada.events()[-1] == "password_changed"


def test_the_own_password_is_not_set_without_the_present_one(ada):
    ada.give_password()
    page = f"/admin/accounts/user/{ada.user.pk}/password/"

    answer = ada.browser.post(page, {"password1": "another-Horse-7", "password2": "another-Horse-7"})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/password_change/")
    assert ada.user.check_password(PASSWORD)


def test_the_page_asked_for_is_shown_and_no_other_site(ada):
    assert ada.give_password(wanted="/admin/accounts/user/").headers["Location"] == "/admin/accounts/user/"
    assert ada.give_password(wanted="https://evil.example/").headers["Location"] == "/admin/"


# --- Commands


def test_an_operator_is_told_of_the_second_factor(settings):
    def told(email):
        out = io.StringIO()
        call_command("create_operator", email=email, password=PASSWORD, stdout=out)
        return out.getvalue()

    assert f"{project.PUBLIC_URL}/admin/two-factor/" in told(f"one.{new_address()}@example.com")
    settings.ADMIN_TOTP = "required"
    assert "leads to the set-up of two-factor" in told(f"two.{new_address()}@example.com")


def test_without_a_terminal_the_command_says_so_in_one_line():
    ran = subprocess.run(
        [sys.executable, "manage.py", "create_operator", "--email", "no@example.com"],
        cwd=ROOT,
        env=os.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,  # without a terminal to open
        timeout=60,
        check=False,
    )

    assert ran.returncode == 1
    assert ran.stderr == "CommandError: There is no terminal to ask for the password: give it by --password-stdin.\n"


def test_resetting_nobodys_second_factor_is_refused():
    with pytest.raises(CommandError, match="no operator with this"):
        call_command("reset_operator_totp", email="nobody@example.com")
