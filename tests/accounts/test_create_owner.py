"""Owners and operators by command."""

import io
import re
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Organization, User
from crm.core import db
from tests.conftest import PASSWORD


def run(command, **options):
    out = io.StringIO()
    call_command(command, stdout=out, **options)
    return out.getvalue()


def email():
    return f"{uuid4().hex[:12]}@example.com"


def sign_in(client_for, address, password):
    platform = client_for(None, "platform")
    response = platform.post("auth/login", {"email": address, "password": password})
    assert response.status_code == 200
    platform.token = response.json()["access_token"]
    return platform


def test_an_owner_is_made_with_a_password(client_for):
    name, address = f"Nord {uuid4().hex[:6]}", email()

    told = run("create_owner", organization=name, email=address, full_name="Olga Owner", password=PASSWORD)

    slug = name.lower().replace(" ", "-")
    assert told == f"Organization: {name} ({slug})\nOwner: {address}\n"
    me = sign_in(client_for, address, PASSWORD).get("me").json()
    assert (me["role"], me["full_name"], me["organization"]["slug"]) == ("tenant_admin", "Olga Owner", slug)


def test_the_password_may_come_on_standard_input(client_for, monkeypatch):
    address = email()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))

    run("create_owner", organization="Stdin", email=address, password_stdin=True)

    assert sign_in(client_for, address, PASSWORD).get("me").status_code == 200


def test_without_a_password_a_link_sets_one_once(client_for):
    address = email()
    told = run("create_owner", organization="Link", email=address)
    token = re.search(r"/reset-password\?token=(\S+)", told)[1]
    anybody = client_for(None, "platform")

    response = anybody.post("auth/reset-password", {"token": token, "password": PASSWORD})

    assert response.status_code == 200
    assert anybody.post("auth/reset-password", {"token": token, "password": PASSWORD}).status_code == 400
    assert sign_in(client_for, address, PASSWORD).get("me").json()["role"] == "tenant_admin"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"email": "nobody"}, "valid email"),
        ({"password": "short"}, "too short"),
        ({"slug": "No Slug"}, "small letters"),
        ({"organization": " "}, "blank"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_made(wrong, told):
    options = {"organization": "Refused", "email": email(), "slug": f"s{uuid4().hex[:8]}", "password": PASSWORD} | wrong

    with pytest.raises(CommandError, match=told):
        run("create_owner", **options)

    with db.operator("command"):
        assert not Organization.objects.filter(slug=options["slug"]).exists()


def test_a_taken_slug_is_said(acme):
    with pytest.raises(CommandError, match="slug is taken"):
        run("create_owner", organization="Twice", email=email(), slug=acme.slug, password=PASSWORD)


def test_an_operator_signs_in_to_the_back_office_and_nowhere_else(client_for):
    address = email()

    assert run("create_operator", email=address, password=PASSWORD).startswith(f"Operator: {address}\n")

    browser = Client()
    assert browser.post("/admin/login/?next=/admin/", {"username": address, "password": PASSWORD}).status_code == 302
    assert browser.get("/admin/").status_code == 200
    for surface in ("team", "platform"):
        response = client_for(None, surface).post("auth/login", {"email": address, "password": PASSWORD})
        assert response.status_code == 401
    with pytest.raises(CommandError, match="operator with this"):
        run("create_operator", email=address.upper(), password=PASSWORD)
    with db.operator("command"):
        assert User.objects.filter(email=address, organization=None).count() == 1
