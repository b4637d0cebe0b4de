"""Production serves nothing over a role that row-level security does not hold."""

import os
import re
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from crm.core import database_role
from tests.core.production import KEY
from tests.support.servers import ADMIN_URL, ROLE_PASSWORD

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
# Attributes, and memberships with the inheritance of PostgreSQL 16 and later.
UNSAFE = {
    "superuser": ("SUPERUSER", ()),
    "bypasses policies": ("BYPASSRLS", ()),
    "member of the owner": ("INHERIT", ("GRANT crm_owner TO {}",)),
    "the operator's rights without asking": ("INHERIT", ("GRANT crm_operator TO {}",)),
    "member of a member of the owner": ("INHERIT", ("GRANT {0}_group TO {0}", "GRANT crm_owner TO {0}_group")),
}
WORDS = {
    "superuser": "is a superuser",
    "bypasses policies": "has BYPASSRLS",
    "member of the owner": "owns the tables",
    "the operator's rights without asking": "has the rights of crm_operator",
    "member of a member of the owner": "owns the tables",
}


def url_of(role: str) -> str:
    parts = urllib.parse.urlsplit(os.environ["DATABASE_URL"])
    return parts._replace(netloc=f"{role}:{ROLE_PASSWORD}@{parts.netloc.rpartition('@')[2]}").geturl()


@pytest.fixture(params=UNSAFE)
def unsafe(request) -> Iterator[tuple[str, str]]:
    """A role of each unsafe kind: its name, and the words for it."""
    attributes, grants = UNSAFE[request.param]
    role = f"test_{uuid4().hex[:12]}"
    with psycopg.connect(os.environ[ADMIN_URL], autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {role}_group")
        admin.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{ROLE_PASSWORD}' {attributes}")
        admin.execute(f"GRANT crm_app TO {role}")
        for grant in grants:
            admin.execute(grant.format(role))
        yield role, WORDS[request.param]
        admin.execute(f"DROP ROLE {role}, {role}_group")


@pytest.fixture
def production(settings, monkeypatch):
    """A process in production that has asked nothing yet."""
    settings.IS_PRODUCTION = True
    monkeypatch.delitem(database_role._state, "checked", raising=False)
    connections["default"].close()
    return settings


def test_every_unsafe_role_is_named_with_the_reason_and_the_remedy(unsafe):
    role, words = unsafe
    with psycopg.connect(url_of(role)) as connection:
        text = database_role.weakness(connection)

    assert text.startswith(f"DATABASE_URL: the role {role} {words}")
    assert "Connect as crm_app" in text
    assert "\n" not in text


def test_the_owner_is_refused_and_the_application_is_not():
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as connection:
        assert "owns the tables" in database_role.weakness(connection)
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        assert database_role.weakness(connection) == ""


def test_a_superuser_that_plays_another_role_is_one_still():
    with psycopg.connect(os.environ[ADMIN_URL], options="-c role=crm_app") as connection:
        assert "is a superuser" in database_role.weakness(connection)


def test_no_connection_comes_about(production, unsafe, monkeypatch):
    role, words = unsafe
    monkeypatch.setitem(connections["default"].settings_dict, "USER", role)

    for _ in range(2):
        with pytest.raises(ImproperlyConfigured, match=words):
            connections["default"].ensure_connection()
        assert connections["default"].connection is None


def test_the_role_is_asked_once_in_the_life_of_a_process(production, monkeypatch):
    asked = []
    monkeypatch.setattr(database_role, "weakness", lambda connection: asked.append(connection) or "")

    for _ in range(3):
        connections["default"].close()
        connections["default"].ensure_connection()

    assert len(asked) == 1


def test_control_without_the_check_the_owner_connects(production, monkeypatch):
    monkeypatch.setitem(connections["default"].settings_dict, "USER", "crm_owner")
    monkeypatch.setattr(database_role, "weakness", lambda connection: "")

    connections["default"].ensure_connection()

    connections["default"].close()


@pytest.mark.parametrize(("is_production", "level"), [(True, checks.ERROR), (False, checks.WARNING)])
def test_the_system_check_reports_it(production, unsafe, monkeypatch, is_production, level):
    role, words = unsafe
    production.IS_PRODUCTION = is_production
    assert database_role.check_role(databases=["default"]) == []
    connections["default"].close()
    monkeypatch.delitem(database_role._state, "checked", raising=False)
    monkeypatch.setitem(connections["default"].settings_dict, "USER", role)

    (message,) = database_role.check_role(databases=["default"])

    assert (message.id, message.level) == ("crm.E001", level)
    assert words in message.msg
    assert database_role.check_role(databases=["owner"]) == []
    connections["default"].close()


PROGRAMS = {
    "web": ("-m", "crm.server", "--port", "1"),
    "wsgi": ("-c", "import crm.wsgi; print('started')"),
    "worker": ("-m", "celery", "-A", "crm", "worker", "--concurrency", "1"),
    "beat": ("-m", "celery", "-A", "crm", "beat", "--schedule", "{tmp}/beat", "--pidfile="),
    "check": ("manage.py", "check", "--database", "default"),
    "command": ("manage.py", "create_operator", "--email", "x@example.com", "--password", "correct-horse-9"),
}


def run(program: str, database: str, tmp: Path) -> subprocess.CompletedProcess[str]:
    """Run a program of the product in production, with the example's settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "REDIS_URL", "CELERY_BROKER_URL")}
    return subprocess.run(
        [sys.executable, *(part.replace("{tmp}", str(tmp)) for part in PROGRAMS[program])],
        env=kept | EXAMPLE | {"SECRET_KEY": KEY, "DATABASE_URL": database},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_program_starts_as_the_owner_of_the_tables(program, tmp_path):
    ended = run(program, os.environ["DATABASE_OWNER_URL"], tmp_path)

    assert ended.returncode == 1
    assert "started" not in ended.stdout
    told = [line for line in ended.stderr.splitlines() if "the role crm_owner owns the tables" in line]
    assert len(told) == 1, ended.stderr
    assert ROLE_PASSWORD not in ended.stderr
    if program != "command":
        assert "Traceback" not in ended.stderr


def test_the_web_server_starts_as_the_application_and_while_the_database_is_away(tmp_path):
    for database in (os.environ["DATABASE_URL"], "postgresql://crm_app@127.0.0.1:1/crm"):
        ended = run("wsgi", database, tmp_path)
        assert (ended.returncode, ended.stdout) == (0, "started\n"), ended.stderr


def test_the_web_server_tells_unsafe_settings_in_a_line_each(monkeypatch, tmp_path):
    monkeypatch.setitem(EXAMPLE, "RATE_LIMITS", "off")
    monkeypatch.setitem(EXAMPLE, "ALLOWED_HOSTS", "*")

    ended = run("web", os.environ["DATABASE_URL"], tmp_path)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "Traceback" not in ended.stderr
    first, second = ended.stderr.strip().splitlines()
    assert first.startswith("CRM does not start. ALLOWED_HOSTS")
    assert second.startswith("RATE_LIMITS")
