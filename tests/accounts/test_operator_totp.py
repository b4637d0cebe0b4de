"""Operators' second factor: set-up, codes, recovery codes, and a deployment that demands it."""

import io
import re

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.services import operator_totp
from crm.core import clock, db, sealing
from tests.conftest import PASSWORD
from tests.support.operators import (
    CODE,
    LOGIN,
    SET_UP,
    TWO_FACTOR,
    Operator,
    code_of,
    is_inside,
    key_in,
    new_address,
    switch_off,
)

pytestmark = pytest.mark.usefixtures("quick_hashes")


# --- The codes


@pytest.mark.parametrize(
    ("at", "code"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]
)
def test_codes_are_those_of_rfc_6238(at, code, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: clock.datetime.fromtimestamp(at, clock.UTC))

    assert operator_totp._step_of(b"12345678901234567890", code) == at // 30


def test_codes_of_one_step_before_and_after_are_taken(grace, time_after):
    with time_after(minutes=5):
        for steps, status in ((-2, 200), (2, 200), (-1, 302), (0, 302), (1, 302)):
            browser = grace.another_browser()
            grace.give_password(browser)
            assert grace.give_code(grace.code(steps=steps), browser).status_code == status, steps


def test_codes_may_be_typed_in_groups(grace, time_after):
    with time_after(minutes=5):
        browser = grace.another_browser()
        grace.give_password(browser)
        code = grace.code()

        assert grace.give_code(f" {code[:3]} {code[3:]} ", browser).status_code == 302


@pytest.mark.parametrize("code", ["", "12345", "1234567", "١٢٣٤٥٦", "abcdef", "\x00" * 6, "é" * 40, "9" * 41])
def test_what_is_no_code_is_refused(grace, code):
    browser = grace.another_browser()
    grace.give_password(browser)

    assert grace.give_code(code, browser).status_code == 200
    assert not is_inside(browser)


# --- Switching it on


def test_an_operator_switches_it_on(ada):
    assert f'href="{TWO_FACTOR}"' in ada.browser.get("/admin/").content.decode()
    page = ada.browser.get(SET_UP)
    text = page.content.decode()

    response = ada.set_up()

    assert "<svg" in text
    assert "no-store" in page["Cache-Control"]
    assert "no-store" in response["Cache-Control"]
    assert (response.status_code, len(set(ada.recovery_codes))) == (200, 10)
    assert is_inside(ada.browser)
    assert "Unused recovery codes: 10" in ada.browser.get(TWO_FACTOR).content.decode()
    assert ada.events()[-1] == "second_factor_on"


def test_the_qr_code_carries_the_key_that_is_shown(ada):
    setup = operator_totp.Setup.begin(ada.user)

    key = setup.text.replace(" ", "")
    assert len(key) == 32
    assert setup.uri.startswith(f"otpauth://totp/localhost:{ada.email.replace('@', '%40')}?")
    assert f"secret={key}" in setup.uri


@pytest.mark.parametrize(
    "wrong", [{"password": "not the password"}, {"new_code": "000000"}, {"password": ""}, {"sealed": "forged"}]
)
def test_it_stays_off_without_the_password_the_code_and_the_key_of_the_page(ada, wrong):
    assert ada.set_up(**wrong).status_code == 200

    assert not hasattr(ada.user, "totp")
    assert is_inside(ada.browser)


def test_a_key_of_another_operator_or_of_yesterday_is_not_taken(ada, time_after):
    other = Operator(PASSWORD)
    theirs = operator_totp.Setup.begin(other.user)
    mine = operator_totp.Setup.begin(ada.user)
    for setup, sealed, minutes in ((theirs, theirs.sealed, 0), (mine, mine.sealed, 16)):
        with time_after(minutes=minutes):
            body = {"sealed": sealed, "new_code": code_of(setup.text), "password": PASSWORD}
            assert ada.browser.post(SET_UP, body).status_code == 200

    assert not hasattr(ada.user, "totp")


def test_a_wrong_code_keeps_the_key_on_the_page(ada):
    page = ada.browser.get(SET_UP).content.decode()
    sealed = re.search(r'name="sealed" value="([^"]+)"', page)[1]

    again = ada.browser.post(SET_UP, {"sealed": sealed, "new_code": "000000", "password": PASSWORD})

    assert key_in(again.content.decode()) == key_in(page)


def test_switching_it_on_ends_the_other_sessions(ada):
    elsewhere = ada.another_browser()
    ada.give_password(elsewhere)

    ada.set_up()

    assert is_inside(ada.browser)
    assert not is_inside(elsewhere)


def test_the_secret_is_encrypted_and_the_recovery_codes_are_hashed(grace):
    with db.operator("command"), connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM accounts_operatortotp t WHERE user_id = %s", [grace.user.pk])
        (row,) = cursor.fetchone()

    bare = [code.replace("-", "") for code in grace.recovery_codes]
    assert not any(secret in row for secret in (grace.key, grace.key.replace(" ", ""), *grace.recovery_codes, *bare))
    with pytest.raises(sealing.Unreadable):
        sealing.unseal(grace.user.totp.sealed_secret, f"operator-totp:{Operator(PASSWORD).user.pk}")


def test_nothing_of_a_secret_is_logged(ada, caplog):
    ada.set_up()
    browser = ada.another_browser()
    ada.give_password(browser)
    ada.give_code(ada.recovery_codes[0], browser)
    ada.give_code("123456", browser)

    clocks = {"created", "msecs", "relativeCreated", "thread", "process"}  # numbers of any digits
    logged = "\n".join(
        str({name: value for name, value in vars(record).items() if name not in clocks}) for record in caplog.records
    )
    assert logged
    assert not any(secret in logged for secret in (PASSWORD, ada.key.replace(" ", ""), *ada.recovery_codes, "123456"))


# --- Signing in with it


def test_the_code_is_asked_after_the_password_and_no_session_begins_before_it(grace, time_after):
    browser = grace.another_browser()

    answer = grace.give_password(browser, wanted="/admin/accounts/user/")

    assert (answer.status_code, answer.headers["Location"]) == (302, f"{CODE}?next=/admin/accounts/user/")
    assert "sessionid" not in browser.cookies
    assert not is_inside(browser)
    cookie = browser.cookies["admin_sign_in"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["max-age"]) == (True, "Strict", LOGIN, 300)
    with time_after(seconds=60):
        entered = grace.give_code(grace.code(), browser, wanted="/admin/accounts/user/")
        assert (entered.status_code, entered.headers["Location"]) == (302, "/admin/accounts/user/")
        assert browser.cookies["admin_sign_in"].value == ""
        assert is_inside(browser)
    assert grace.events()[-2:] == ["password_accepted", "sign_in_succeeded"]


def test_a_wrong_password_does_not_tell_of_the_second_factor(grace):
    answer = grace.give_password(grace.another_browser(), password="wrong")

    assert answer.status_code == 200
    assert "admin_sign_in" not in answer.cookies


def test_the_right_code_opens_nothing_without_the_password(grace):
    browser = grace.another_browser()

    answer = grace.give_code(grace.code(), browser)

    assert answer.headers["Location"] == LOGIN
    assert not is_inside(browser)


@pytest.mark.parametrize("kind", ["forged", "late", "password changed"])
def test_the_step_between_is_bound_to_time_and_password(grace, kind, time_after):
    browser = grace.another_browser()
    grace.give_password(browser)
    if kind == "forged":
        browser.cookies["admin_sign_in"] = browser.cookies["admin_sign_in"].value[:-2] + "xx"
    if kind == "password changed":
        user = grace.user
        user.set_password("another-Horse-7")
        with db.operator("command"):
            user.save()

    with time_after(seconds=301 if kind == "late" else 60):
        assert grace.give_code(grace.code(), browser).headers["Location"] == LOGIN
        assert not is_inside(browser)


def test_a_code_works_once(grace, time_after):
    with time_after(seconds=60):
        code = grace.code()
        first, second = grace.another_browser(), grace.another_browser()
        for browser in (first, second):
            grace.give_password(browser)

        assert grace.give_code(code, first).status_code == 302
        assert grace.give_code(code, second).status_code == 200

    assert not is_inside(second)
    assert grace.events()[-1] == "second_factor_failed"


def test_the_code_of_the_set_up_does_not_sign_in(grace):
    browser = grace.another_browser()
    grace.give_password(browser)

    assert grace.give_code(grace.code(), browser).status_code == 200


def test_an_older_code_is_refused_after_a_newer_one(grace, time_after):
    with time_after(seconds=90):
        newer, older = grace.code(), grace.code(steps=-1)
        for code, status in ((newer, 302), (older, 200)):
            browser = grace.another_browser()
            grace.give_password(browser)
            assert grace.give_code(code, browser).status_code == status


def test_a_recovery_code_signs_in_once(grace):
    code = grace.recovery_codes[3]
    for status in (302, 200):
        browser = grace.another_browser()
        grace.give_password(browser)
        assert grace.give_code(code.upper(), browser).status_code == status

    assert len(grace.user.totp.recovery_hashes) == 9
    assert "recovery_code_used" in grace.events()


def test_codes_are_limited_by_account_as_passwords_are(grace, limits, time_after):
    limits.RATE_LIMIT_ACCOUNT = (4, 900)
    with time_after(seconds=60):
        for _ in range(4):
            browser = grace.another_browser(new_address())
            grace.give_password(browser)
            assert grace.give_code("000000", browser).status_code == 200
        browser = grace.another_browser(new_address())
        grace.give_password(browser)

        refused = grace.give_code(grace.code(), browser)

    assert (refused.status_code, "Retry-After" in refused.headers) == (429, True)
    assert not is_inside(browser)


def test_a_day_of_patient_guessing_ends_at_thirty(grace, limits, time_after):
    limits.RATE_LIMIT_AUTH, limits.RATE_LIMIT_ACCOUNT = (10000, 300), (4, 900)
    statuses = []
    for quarter in range(9):
        with time_after(minutes=16 * quarter):
            browser = grace.another_browser("198.51.100.77")
            grace.give_password(browser)
            statuses += [grace.give_code("000000", browser).status_code for _ in range(4)]

    assert statuses == [200] * 30 + [429] * 6


def test_wrong_codes_count_by_client_address(grace, limits):
    browser = grace.another_browser(new_address())
    grace.give_password(browser)
    statuses = [grace.give_code("000000", browser).status_code for _ in range(6)]

    assert statuses == [200] * 5 + [429]


# --- Switching it off


def test_it_is_switched_off_by_password_and_code(grace, time_after):
    elsewhere = grace.another_browser()
    with time_after(seconds=60):
        grace.give_password(elsewhere)
        grace.give_code(grace.code(), elsewhere)
    with time_after(seconds=120):
        assert switch_off(grace, password="wrong").status_code == 200
        assert switch_off(grace, code="000000").status_code == 200
        assert hasattr(grace.user, "totp")

        assert switch_off(grace).status_code == 302

        assert not hasattr(grace.user, "totp")
        assert is_inside(grace.browser)
        assert not is_inside(elsewhere)
        browser = grace.another_browser()
        assert grace.give_password(browser).headers["Location"] == "/admin/"
    assert grace.events()[-2:] == ["second_factor_off", "sign_in_succeeded"]


def test_a_wrong_password_costs_no_recovery_code(grace):
    switch_off(grace, password="wrong", code=grace.recovery_codes[0])

    assert len(grace.user.totp.recovery_hashes) == 10


def test_guesses_at_the_password_are_limited_there_too(grace, limits):
    answers = [switch_off(grace, password="wrong").status_code for _ in range(5)]

    assert answers == [200] * 5
    assert switch_off(grace, code=grace.recovery_codes[0]).status_code == 429
    assert hasattr(grace.user, "totp")


def test_another_device_takes_a_present_code_and_makes_new_recovery_codes(grace, time_after):
    first_key, first_codes = grace.key, grace.recovery_codes
    assert "new_code" in grace.browser.get(SET_UP).content.decode()
    assert grace.set_up().status_code == 200
    assert grace.key == first_key  # no present code was given

    grace.set_up(code=first_codes[0])

    assert grace.key != first_key
    assert not set(first_codes) & set(grace.recovery_codes)
    assert grace.events()[-1] == "second_factor_replaced"
    with time_after(seconds=60):
        browser = grace.another_browser()
        grace.give_password(browser)
        assert grace.give_code(code_of(first_key), browser).status_code == 200
        assert grace.give_code(first_codes[1], browser).status_code == 200
        assert grace.give_code(grace.code(), browser).status_code == 302


def test_a_lost_device_is_reset_by_command(grace):
    out = io.StringIO()

    call_command("reset_operator_totp", email=grace.email.upper(), stdout=out)
    call_command("reset_operator_totp", email=grace.email, stdout=out)

    assert out.getvalue() == "Two-factor authentication is off.\nIt was off already.\n"
    assert not is_inside(grace.browser)
    assert grace.give_password(grace.another_browser()).headers["Location"] == "/admin/"
    assert grace.events()[-2:] == ["second_factor_reset", "sign_in_succeeded"]


def test_after_a_change_of_the_secret_key_recovery_codes_still_work(grace, settings, time_after):
    settings.SECRET_KEY = "another-key-of-at-least-thirty-two-characters"
    with time_after(seconds=60):
        browser = grace.another_browser()
        grace.give_password(browser)

        assert grace.give_code(grace.code(), browser).status_code == 200
        assert grace.give_code(grace.recovery_codes[0], browser).status_code == 302
        grace.browser = browser
        assert grace.set_up(code=grace.recovery_codes[1]).status_code == 200

    with time_after(seconds=120):
        browser = grace.another_browser()
        grace.give_password(browser)
        assert grace.give_code(grace.code(), browser).status_code == 302
