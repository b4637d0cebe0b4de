"""The admin's sign-in, many at once: limits hold before the hasher is reached, and a code opens one session."""

from collections import Counter

import pytest

from accounts.services import operator_totp
from tests.conftest import PASSWORD
from tests.races import hashers
from tests.races.concurrency import crowd
from tests.support.operators import Operator, new_address

pytestmark = pytest.mark.races


@pytest.fixture
def ada(limits):
    """An operator; the hasher counts."""
    limits.PASSWORD_HASHERS = ["tests.races.hashers.CountingHasher"]
    operator = Operator(PASSWORD)
    hashers.reached.clear()
    return operator


def guess_at_once(operator, addresses):
    browsers = [operator.another_browser(address) for address in addresses]
    answers = crowd(len(browsers), lambda number: operator.give_password(browsers[number], password="wrong"))
    return Counter(answer.status_code for answer in answers)


def test_of_forty_guesses_from_one_address_five_reach_the_hasher(ada):
    answers = guess_at_once(ada, [ada.address] * 40)

    assert answers == {200: 5, 429: 35}
    assert hashers.reached == ["verify"] * 5
    assert Counter(ada.events()) == {"sign_in_failed": 5, "sign_in_locked": 1}


def test_of_forty_guesses_from_forty_addresses_ten_reach_the_hasher(ada):
    answers = guess_at_once(ada, [new_address() for _ in range(40)])

    assert answers == {200: 10, 429: 30}
    assert hashers.reached == ["verify"] * 10


def test_control_without_limits_all_reach_the_hasher(ada, settings):
    settings.RATE_LIMITS = False

    answers = guess_at_once(ada, [ada.address] * 40)

    assert answers == {200: 40}
    assert hashers.reached == ["verify"] * 40


def test_an_unknown_account_costs_a_hash_too(ada):
    ada.email = f"nobody.{ada.email}"

    ada.give_password(password="wrong")

    assert hashers.reached == ["encode"]


# --- A code works once


@pytest.fixture
def grace(settings):
    """An operator with a second factor."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]
    operator = Operator(PASSWORD)
    operator.give_password()
    operator.set_up()
    return operator


def enter_at_once(operator, code, size=10):
    browsers = [operator.another_browser() for _ in range(size)]
    for browser in browsers:
        operator.give_password(browser)
    answers = crowd(size, lambda number: operator.give_code(code, browsers[number]))
    return Counter(answer.status_code for answer in answers)


@pytest.mark.parametrize("kind", ["totp", "recovery"])
def test_of_ten_uses_of_one_code_one_signs_in(grace, time_after, kind):
    with time_after(seconds=60):
        answers = enter_at_once(grace, grace.code() if kind == "totp" else grace.recovery_codes[0])

    assert answers == {302: 1, 200: 9}


def test_control_without_the_conditional_update_several_sign_in(grace, time_after, monkeypatch):
    monkeypatch.setattr(operator_totp, "_spend_step", lambda totp, step: step > totp.last_step)

    with time_after(seconds=60):
        answers = enter_at_once(grace, grace.code())

    assert answers[302] > 1
