"""A deployment that demands a second factor of its operators, and what the pages bring along."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from accounts.services import operator_totp
from tests.conftest import PASSWORD
from tests.support.operators import (
    CODE,
    LOGIN,
    SET_UP,
    SET_UP_AT_SIGN_IN,
    TWO_FACTOR,
    Operator,
    code_of,
    is_inside,
    switch_off,
)

pytestmark = pytest.mark.usefixtures("quick_hashes")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def required(settings):
    """A deployment that demands the second factor."""
    settings.ADMIN_TOTP = "required"


# --- A deployment that demands it


def test_without_one_the_password_leads_to_the_set_up_and_nowhere_else(required):
    ada = Operator(PASSWORD)

    answer = ada.give_password(wanted="/admin/accounts/user/")

    assert answer.headers["Location"] == f"{SET_UP_AT_SIGN_IN}?next=/admin/accounts/user/"
    assert "sessionid" not in ada.browser.cookies
    for page in ("/admin/", "/admin/accounts/user/", TWO_FACTOR, SET_UP, "/admin/password_change/", "/admin/jsi18n/"):
        assert ada.browser.get(page).headers["Location"].startswith(LOGIN), page
    assert ada.browser.get(CODE).headers["Location"] == SET_UP_AT_SIGN_IN


def test_the_set_up_at_the_sign_in_ends_inside(required, time_after):
    ada = Operator(PASSWORD)
    ada.give_password()
    assert ada.set_up(SET_UP_AT_SIGN_IN, new_code="000000").status_code == 200
    assert not is_inside(ada.browser)

    shown = ada.set_up(SET_UP_AT_SIGN_IN)

    assert (shown.status_code, len(ada.recovery_codes)) == (200, 10)
    assert "no-store" in shown["Cache-Control"]
    assert is_inside(ada.browser)
    with time_after(seconds=60):
        browser = ada.another_browser()
        assert ada.give_password(browser).headers["Location"] == CODE
        assert ada.give_code(ada.code(), browser).status_code == 302
        assert is_inside(browser)


def test_the_set_up_at_the_sign_in_replaces_no_second_factor(grace, required):
    before = grace.user.totp.pk
    browser = grace.another_browser()
    grace.give_password(browser)

    assert browser.get(SET_UP_AT_SIGN_IN).headers["Location"] == CODE
    setup = operator_totp.Setup.begin(grace.user)
    body = {"sealed": setup.sealed, "new_code": code_of(setup.text)}
    assert browser.post(SET_UP_AT_SIGN_IN, body).headers["Location"] == CODE
    assert not is_inside(browser)
    assert grace.user.totp.pk == before


def test_sessions_from_before_the_demand_see_nothing(ada, settings):
    assert is_inside(ada.browser)

    settings.ADMIN_TOTP = "required"

    assert not is_inside(ada.browser)
    assert ada.give_password().headers["Location"] == SET_UP_AT_SIGN_IN


def test_it_is_not_switched_off_where_it_is_demanded(grace, required, time_after):
    with time_after(seconds=60):
        assert "cannot be switched off" in grace.browser.get(TWO_FACTOR).content.decode()
        switch_off(grace)

    assert hasattr(grace.user, "totp")


def test_any_other_demand_stops_the_start():
    ran = subprocess.run(
        [sys.executable, "-c", "import django; django.setup()"],
        cwd=ROOT,
        env=os.environ | {"ADMIN_TOTP": "sometimes", "DJANGO_SETTINGS_MODULE": "crm.settings"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "ADMIN_TOTP must be one of optional, required, not 'sometimes'." in ran.stderr


# --- The pages


@pytest.mark.parametrize("page", [LOGIN, CODE, SET_UP_AT_SIGN_IN, TWO_FACTOR, SET_UP])
def test_our_pages_add_no_script_and_no_style_of_their_own(page, settings):
    """What Unfold's own pages bring is allowed by name in the site's policy; ours need nothing more."""
    ada = Operator(PASSWORD)
    if page in {TWO_FACTOR, SET_UP, CODE}:
        ada.give_password()
        ada.set_up()
    browser = ada.browser
    if page in {CODE, SET_UP_AT_SIGN_IN}:
        settings.ADMIN_TOTP = "required"
        browser = ada.another_browser()
        ada.give_password(browser)

    text = browser.get(page).content.decode()

    body = text[text.rindex("<h1") if page in {LOGIN, CODE, SET_UP_AT_SIGN_IN} else text.index('id="content-main"') :]
    form = body[: body.rindex("</form>")]
    assert "<form" in form
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:|https?://", form)
