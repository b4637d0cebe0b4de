"""Names and other texts of one line hold one line, whichever way they come."""

import io
import os
import re
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.core.management import call_command
from django.db import connections, models
from rest_framework import serializers

from accounts.models import Organization, User
from crm.api import fields
from crm.core import db
from crm.core.characters import as_line, no_controls, one_line
from crm.core.fields import LineField
from tests.badinput.declared import declared, pages
from tests.badinput.operations import Attacker, Operation, operations
from tests.conftest import PASSWORD
from tests.isolation.tenants import Tenant
from tests.support.servers import ADMIN_URL

# What people write paragraphs in.
PARAGRAPHS = {"address", "content", "description", "lost_reason", "note", "notes", "reason", "street"}
NO_LINES = {"token", "refresh_token", "due_date", "dueDate", "due_at"}
NAMES = {"name", "first_name", "last_name", "full_name", "company", "company_name", "shop_name", "title", "subject"}
BROKEN = "Ann\r\nBcc: all\u2028B\x85C\tD"
MENDED = "Ann Bcc: all B C D"
CONTROLS = ("Ann\x1b[31m", "Ann\x07", "Ann\x7f", "Ann\x9f", "Ann \u202eeeL", "Ann \u2066x\u2069")
KEPT = ("Ann  Lee", "علی\u200cرضا", "👩‍👩‍👧", "שרה\u200f", "山田\u3000太郎", "O\u2019Brien")
PLACES = [
    (operation, place)
    for operation in operations()
    for place, schema in operation.fields()
    if re.sub(r"([A-Z])", r"_\1", place[-1]).lower() in NAMES and schema.get("type") == "string"
]


@pytest.mark.parametrize("text", KEPT)
def test_what_a_name_is_made_of_is_kept(text: str):
    no_controls(text)
    assert one_line(text) == as_line(text) == text


def test_a_line_break_becomes_a_blank():
    assert one_line(BROKEN) == as_line(BROKEN) == MENDED
    assert as_line(f"\n{CONTROLS[4]}\x00") == "Ann eeL"


def test_every_text_is_of_one_line_or_of_many():
    others = set()
    for found in declared():
        if found.field.read_only or not isinstance(found.field, serializers.CharField):
            continue
        name = str(found.field.source or found.key)
        is_long, is_secret = isinstance(found.field, fields.OptionalTextField), not found.field.trim_whitespace
        is_shown_only = type(found.field) is serializers.CharField and not found.field.max_length
        is_plain = isinstance(found.field, fields.LineField | serializers.EmailField) or is_secret or is_shown_only
        if is_long != (name in PARAGRAPHS) or not (is_long or is_plain or name in NO_LINES):
            others.add(str(found))

    assert not others, f"Declare these as Line, Text or LongText: {others}"


def test_every_name_is_a_column_of_one_line():
    others = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.fields
        if field.name in NAMES and isinstance(field, models.CharField) and not isinstance(field, LineField)
        if not field.choices  # ours, not a person's
        if model._meta.app_label in {"accounts", "contacts", "commerce", "sales"}
    }

    assert not others, f"Declare these as LineField: {others}"


@pytest.mark.parametrize(("operation", "place"), PLACES, ids=[f"{op} {'.'.join(place)}" for op, place in PLACES])
def test_no_name_is_stored_in_several_lines(operation: Operation, place: tuple[str, ...], tenant: Tenant):
    attacker = Attacker(operation, tenant)
    invalid = 422 if operation.surface == "platform" else 400

    for text in CONTROLS:
        response = attacker.send(attacker.body_with(place, text))
        assert response.status_code == invalid, f"{text!r}: {response.content!r}"
        assert "Control characters are not allowed here." in response.content.decode()
    attacker.send(attacker.body_with(place, BROKEN))

    assert broken() == []


def broken() -> list[str]:
    """The columns of one line in which a row holds something else, past all policies."""
    found = []
    with psycopg.connect(os.environ[ADMIN_URL], dbname=connections["default"].settings_dict["NAME"]) as connection:
        for model in apps.get_models():
            for field in model._meta.fields:
                if isinstance(field, LineField):
                    statement = f"SELECT count(*) FROM {model._meta.db_table} WHERE {field.column} ~ %s"  # noqa: S608 - our own names
                    pattern = "[\x01-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
                    (count,) = connection.execute(statement, (pattern,)).fetchone() or (0,)
                    found += [f"{model._meta.label}.{field.name}"] * bool(count)
    return found


def test_the_back_office_takes_one_line(tenant: Tenant, operator_email: str):
    walked = set()
    for page in pages(tenant, operator_email):
        lines = {field.name for field in page.form._meta.model._meta.fields if isinstance(field, LineField)}
        for name in (lines | {"owner_name"}) & page.form.base_fields.keys():
            walked.add(name)
            form = page.form({name: BROKEN[:30]}, instance=page.row)
            assert form.errors.get(name, []) == []
            assert form.cleaned_data[name] == MENDED[:29]
            for text in CONTROLS:
                assert page.refusals(name, text), f"{page.name} {name}: {text!r}"

    assert walked >= {"name", "first_name", "last_name", "owner_name", "shop_name", "phone", "subject", "title"}


def test_a_command_stores_one_line():
    email = f"{uuid4().hex}@example.com"
    options: dict[str, Any] = {"email": email, "password": PASSWORD, "stdout": io.StringIO()}

    call_command("create_owner", organization=f"Bank\n\n{CONTROLS[4]}", full_name=f"Ann\x1b\n\n{BROKEN}", **options)

    with db.operator("command"):
        owner = User.objects.get(email=email)
        assert Organization.objects.get(pk=owner.organization_id).name == "Bank Ann eeL"
    assert owner.full_name == f"Ann {MENDED}"
    assert broken() == []


def test_a_list_of_texts_holds_lines():
    assert ArrayField(LineField(max_length=9)).get_db_prep_value(["a\nb"], connections["default"]) == ["a b"]
