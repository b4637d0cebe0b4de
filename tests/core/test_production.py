"""Production refuses to start with unsafe settings, and says why: a walk over every variable of `.env.example`."""

import re
import runpy
from pathlib import Path
from typing import Any
from unittest.mock import patch

import environ
import pytest
from django.core.exceptions import ImproperlyConfigured

from crm.production import refuse_unsafe
from tests.core.production import GOOGLE, KEY, RULES

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = (ROOT / ".env.example").read_text()
# The example as it is shipped, with its one placeholder filled in.
FILLED = dict(re.findall(r"^([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE)) | {"SECRET_KEY": KEY}
REFUSED = [(name, value) for name, rule in RULES.items() for value in rule.refused]
TAKEN = [(name, value) for name, rule in RULES.items() for value in rule.taken]


class Recorder(dict[str, str]):
    """An environment that notes what is asked of it."""

    def __init__(self, variables: dict[str, str]) -> None:
        super().__init__(variables)
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return super().__getitem__(name)


def settings_of(variables: dict[str, str]) -> tuple[dict[str, Any], set[str]]:
    """What `crm/settings.py` makes of an environment, and the variables that it asked for; Sentry is not begun."""
    recorder = Recorder(variables)
    with patch.object(environ.Env, "ENVIRON", recorder), patch("sentry_sdk.init"):
        return runpy.run_path(str(ROOT / "crm/settings.py")), recorder.asked


def changed(name: str, value: str | None) -> dict[str, str]:
    variables = FILLED | RULES[name].beside
    variables.pop(name, None)
    return variables if value is None else variables | {name: value}


def refusal_of(name: str, value: str | None) -> str:
    with pytest.raises(ImproperlyConfigured) as refusal:
        settings_of(changed(name, value))
    return str(refusal.value)


def test_every_variable_of_the_example_has_a_rule_and_every_rule_a_variable():
    listed = set(re.findall(r"^#?([A-Z_]+)=", EXAMPLE, re.MULTILINE))

    assert listed == set(RULES), "Add the variable to RULES in tests/core/production.py, or to .env.example."
    assert [name for name, rule in RULES.items() if not rule.refused and not rule.reason and not rule.taken] == []


def test_every_variable_that_the_settings_read_is_in_the_example():
    _, asked = settings_of(FILLED | GOOGLE)

    assert asked - set(RULES) == set()
    assert {name for name, rule in RULES.items() if not rule.reason.startswith("read by")} - asked == set()


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_an_unsafe_value_is_refused_in_words(name, value):
    text = refusal_of(name, value)

    (line,) = text.splitlines()
    assert name in line
    assert RULES[name].refused[value] in line
    assert "x@" not in line, "a password is repeated"


@pytest.mark.parametrize(("name", "value"), TAKEN)
def test_a_safe_value_starts(name, value):
    assert settings_of(changed(name, value))[0]["IS_PRODUCTION"]


def test_the_example_starts_with_its_placeholder_filled_in_and_not_without():
    found, _ = settings_of(FILLED)

    assert found["SECURE_SSL_REDIRECT"] is True
    assert found["SECURE_HSTS_SECONDS"] == 31536000
    assert found["SESSION_COOKIE_SECURE"] is found["CSRF_COOKIE_SECURE"] is True
    assert found["CSRF_TRUSTED_ORIGINS"] == ["https://crm.example.com"]
    assert found["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")
    assert found["CORS_ALLOWED_ORIGINS"] == ["https://app.example.com"]
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY"):
        settings_of(FILLED | {"SECRET_KEY": "change-me"})


def test_all_that_is_unsafe_is_told_at_once():
    with pytest.raises(ImproperlyConfigured) as refusal:
        settings_of({})

    told = [line.split()[0] for line in str(refusal.value).splitlines()]
    assert told == ["SECRET_KEY", "ALLOWED_HOSTS", "PUBLIC_URL", "FRONTEND_URL", "EMAIL_URL", "DEFAULT_FROM_EMAIL"]


@pytest.mark.parametrize(
    "unencrypted",
    [
        {"PUBLIC_URL": "http://crm.internal"},
        {"FRONTEND_URL": "http://app.internal"},
        {"CORS_ALLOWED_ORIGINS": "http://app.internal"},
        {"EMAIL_URL": "smtp://user:x@mail.internal"},
        {"SENTRY_DSN": "http://key@sentry.internal/1"},
    ],
)
def test_a_private_network_may_do_without_tls_where_that_is_allowed(unencrypted):
    with pytest.raises(ImproperlyConfigured, match="unencrypted"):
        settings_of(FILLED | unencrypted)

    found, _ = settings_of(FILLED | unencrypted | {"ALLOW_UNENCRYPTED": "on"})

    assert ("SECURE_SSL_REDIRECT" in found) == ("PUBLIC_URL" not in unencrypted)


@pytest.mark.parametrize(
    ("proxy", "is_trusted"),
    [
        ({"TRUSTED_PROXIES": "0"}, False),
        ({"TRUSTED_PROXIES": "2"}, True),
        ({"TRUSTED_PROXIES": "0", "CLIENT_ADDRESS_HEADER": "X-Real-IP"}, True),
    ],
)
def test_the_scheme_is_taken_from_a_declared_proxy_alone(proxy, is_trusted):
    found, _ = settings_of(FILLED | proxy)

    assert ("SECURE_PROXY_SSL_HEADER" in found) is ("SECURE_SSL_REDIRECT" in found) is is_trusted
    assert found["SESSION_COOKIE_SECURE"]


@pytest.mark.parametrize("kind", ["demo", "development", "test"])
def test_elsewhere_nothing_has_to_be_set(kind):
    found, _ = settings_of({"CRM_ENV": kind})

    assert found["REGISTRATION"]
    assert not found["IS_PRODUCTION"]


def test_registration_is_off_in_production_unless_it_is_switched_on():
    without = {name: value for name, value in FILLED.items() if name != "REGISTRATION"}

    assert settings_of(without)[0]["REGISTRATION"] is False
    assert settings_of(FILLED | {"REGISTRATION": "on"})[0]["REGISTRATION"] is True


def test_control_without_the_check_unsafe_values_start(monkeypatch):
    monkeypatch.setattr("crm.production.RULES", ())

    assert settings_of({})[0]["IS_PRODUCTION"]
    refuse_unsafe({})


def test_the_security_page_names_every_variable_that_is_refused():
    page = (ROOT / "docs/security.md").read_text()

    assert [name for name, rule in RULES.items() if rule.refused and f"`{name}`" not in page] == []
