"""The back office over HTTP, signed in as an operator."""

import re
from uuid import uuid4

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.services import registration
from crm.admin.base import BoundedPaginator
from crm.core import db
from tests.conftest import PASSWORD
from tests.support.back_office import within

# --- Who gets in


@pytest.mark.parametrize("role", ["owner", "manager", "staff", "customer"])
def test_members_do_not_get_in(acme, role):
    browser = Client()

    response = browser.post("/admin/login/", {"username": acme.users[role].email, "password": PASSWORD})

    assert response.status_code == 200
    assert browser.get("/admin/").status_code == 302
    assert browser.get("/admin/accounts/user/").status_code == 302


def test_an_access_token_opens_nothing_in_the_back_office(acme, client_for):
    token = client_for(acme.owner).token

    assert Client(headers={"Authorization": f"Bearer {token}"}).get("/admin/accounts/user/").status_code == 302


def test_a_wrong_password_and_a_deactivated_operator_do_not_get_in():
    email = f"operator.{uuid4().hex[:8]}@example.com"
    with db.operator("command"):
        made = registration.add_operator(email=email, password=PASSWORD)
    browser = Client()
    assert browser.post("/admin/login/", {"username": email, "password": "wrong"}).status_code == 200
    assert browser.post("/admin/login/", {"username": email.upper(), "password": PASSWORD}).status_code == 302
    assert browser.get("/admin/").status_code == 200

    with db.operator("command"):
        User.objects.filter(pk=made.pk).update(is_active=False)

    assert browser.get("/admin/").status_code == 302


# --- Every page


def pages():
    return [f"{model._meta.app_label}/{model._meta.model_name}" for model in admin.site._registry]


def test_the_back_office_has_an_icon():
    page = Client().get("/admin/login/").content.decode()

    (address,) = re.findall(r'<link rel="icon" href="([^"]+)"', page)
    icon = Client().get(address)
    assert (icon.status_code, icon["Content-Type"]) == (200, "image/svg+xml")


def test_every_page_of_the_back_office_opens(acme, back_office, client_for):
    client_for(acme.owner, "platform").post(
        "users", {"email": f"{uuid4().hex}@example.com", "full_name": "New One", "role": "viewer"}
    )
    client_for(acme.owner, "platform").post("contacts", {"email": "c@example.com"})
    assert back_office.get("/admin/").status_code == 200
    for model, page in admin.site._registry.items():
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}"
        assert back_office.get(f"{base}/").status_code == 200, base
        assert back_office.get(f"{base}/", {"q": "acme"}).status_code == 200, base
        assert (
            back_office.get(
                f"{base}/", {"q": str(uuid4()), **(within(acme) if hasattr(model, "organization") else {})}
            ).status_code
            == 200
        )
        may_add = page.has_add_permission(
            type("Request", (), {"user": type("U", (), {"has_perm": lambda *_: True})()})()
        )
        assert back_office.get(f"{base}/add/").status_code == (200 if may_add else 403), base
        with db.operator("command"):
            row = model.objects.order_by("-pk").first()
        if row is not None:
            response = back_office.get(f"{base}/{row.pk}/change/")
            assert response.status_code == 200, base
            assert back_office.get(f"{base}/{row.pk}/history/").status_code == 200, base
        assert back_office.get(f"{base}/{uuid4()}/change/").status_code == 302, base


def test_no_page_counts_sorts_or_loads_a_whole_table():
    for model, page in admin.site._registry.items():
        name = model._meta.label
        assert page.show_full_result_count is False, name
        assert issubclass(page.paginator, BoundedPaginator), name
        assert page.date_hierarchy is None, name
        assert page.sortable_by == (), name
        assert page.ordering == ("-id",), name
        assert page.list_max_show_all <= 100, name
        assert page.search_fields, name
        for field in model._meta.fields:
            offered = page.form.base_fields.get(field.name) if field.remote_field and field.editable else None
            # A choice of nothing yet gets the rows of one organization when its page opens.
            if offered is not None and offered.queryset is not None:
                assert field.name in {*page.raw_id_fields, *page.autocomplete_fields}, f"{name}.{field.name}"


@pytest.mark.parametrize(
    "page",
    [
        "accounts/user",
        "accounts/organization",
        "accounts/role",
        "accounts/session",
        "accounts/invitation",
        "core/event",
        "core/outboxmessage",
    ],
)
def test_a_list_costs_the_same_however_many_rows_it_shows(organization, back_office, client_for, page):
    def cost():
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert back_office.get(f"/admin/{page}/").status_code == 200
        return len(queries)

    def fill():
        tenant = organization(roles=("owner", "viewer"))
        client_for(tenant.owner, "platform").post(
            "users", {"email": f"{uuid4().hex[:9]}@example.com", "full_name": "New One", "role": "sales"}
        )

    fill()
    few = cost()
    for _ in range(3):
        fill()
    assert cost() == few <= 10


def test_the_count_of_a_list_stops_at_its_bound(monkeypatch, acme):
    with db.operator("command"), CaptureQueriesContext(connection) as queries:
        assert BoundedPaginator(User.objects.all(), 50).count <= 1000
    assert "LIMIT 1000" in queries[-1]["sql"]


# --- Search


def test_users_are_found_by_address_id_and_inside_an_organization_by_name(acme, other, back_office):
    zoe = acme.add("staff", first_name="Zoë", last_name="Quarles", email=f"zq.{uuid4().hex[:6]}@example.com")

    def found(**query):
        return [user.pk for user in back_office.get("/admin/accounts/user/", query).context["cl"].result_list]

    assert found(q=zoe.email[:9].upper()) == [zoe.pk]
    assert found(q=str(zoe.pk)) == [zoe.pk]
    assert found(q="quarles zoe", **within(acme)) == [zoe.pk]
    assert found(q="quarles", **within(other)) == []
    assert set(found(**within(acme))) == {user.pk for user in acme.users.values()} | {zoe.pk}


def test_organizations_are_found_by_the_beginning_of_slug_or_name(acme, back_office):
    for asked in (acme.slug[:10], acme.organization.name, str(acme.id)):
        found = back_office.get("/admin/accounts/organization/", {"q": asked}).context["cl"].result_list
        assert acme.id in [organization.pk for organization in found]


def test_the_organization_field_finds_organizations_by_typing(acme, back_office):
    response = back_office.get(
        "/admin/autocomplete/",
        {"app_label": "accounts", "model_name": "user", "field_name": "organization", "term": acme.slug[:12]},
    )

    assert response.status_code == 200
    assert str(acme.id) in {found["id"] for found in response.json()["results"]}
