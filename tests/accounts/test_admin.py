"""The back office over HTTP, signed in as an operator."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Invitation, Organization, Role, Session, User
from accounts.permissions import built_in_id
from accounts.services import owners
from crm.core import clock, outbox, tenancy
from crm.core.admin_base import BoundedPaginator
from crm.core.models import Event, OutboxMessage
from tests.conftest import PASSWORD, password_hash

NEW_PASSWORD = "a-better-battery-10"


@pytest.fixture(scope="module")
def operator_email():
    email = f"operator.{uuid4().hex[:8]}@example.com"
    with tenancy.operator("command"):
        owners.add_operator(email=email, password=PASSWORD)
    return email


@pytest.fixture
def back_office(operator_email):
    """A browser that has signed in through the admin's own form."""
    browser = Client(raise_request_exception=True)
    response = browser.post("/admin/login/?next=/admin/", {"username": operator_email, "password": PASSWORD})
    assert (response.status_code, response.headers["Location"]) == (302, "/admin/")
    return browser


def text_of(response):
    return re.sub(r"\s+", " ", response.content.decode())


def within(tenant):
    return {"organization__id__exact": str(tenant.id)}


def saved(response):
    """Assert that a form was taken, telling its errors where it was not."""
    form = getattr(response, "context_data", None)
    assert response.status_code == 302, form and (form["adminform"].form.errors, text_of(response)[:500])


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
    with tenancy.operator("command"):
        made = owners.add_operator(email=email, password=PASSWORD)
    browser = Client()
    assert browser.post("/admin/login/", {"username": email, "password": "wrong"}).status_code == 200
    assert browser.post("/admin/login/", {"username": email.upper(), "password": PASSWORD}).status_code == 302
    assert browser.get("/admin/").status_code == 200

    with tenancy.operator("command"):
        User.objects.filter(pk=made.pk).update(is_active=False)

    assert browser.get("/admin/").status_code == 302


# --- Every page


def pages():
    return [f"{model._meta.app_label}/{model._meta.model_name}" for model in admin.site._registry]


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
        with tenancy.operator("command"):
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
            if field.remote_field and field.editable and not page.form.base_fields.keys().isdisjoint({field.name}):
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
    with tenancy.operator("command"), CaptureQueriesContext(connection) as queries:
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


# --- Changes go through the services


def test_an_operator_founds_an_organization_with_its_owner(back_office, client_for):
    email = f"{uuid4().hex[:9]}@example.com"
    name = f"Founded {uuid4().hex[:8]}"

    saved(
        back_office.post(
            "/admin/accounts/organization/add/",
            {"name": name, "slug": "", "owner_email": email, "owner_name": "Olga Owner", "owner_password": PASSWORD},
        )
    )

    signed_in = client_for(None, "platform").post("auth/login", {"email": email, "password": PASSWORD})
    assert signed_in.status_code == 200
    me = client_for(None, "platform")
    me.token = signed_in.json()["access_token"]
    assert (me.get("me").json()["role"], me.get("me").json()["organization"]["name"]) == ("tenant_admin", name)


def test_a_taken_slug_is_told_and_nothing_is_saved(acme, back_office):
    body = {"name": "Twice", "slug": acme.slug, "owner_email": "o@example.com", "owner_name": "", "owner_password": ""}

    response = back_office.post("/admin/accounts/organization/add/", body, follow=True)

    assert "Organization with this Slug already exists." in text_of(response)
    with tenancy.operator("command"):
        assert not Organization.objects.filter(name="Twice").exists()


def organization_form(tenant, **changed):
    organization = tenant.organization
    names = (
        "name",
        "industry",
        "company_size",
        "website",
        "contact_phone",
        "address",
        "logo",
        "timezone",
        "currency",
        "shop_name",
    )
    form = {name: getattr(organization, name) for name in names} | {
        "settings": "{}",
        "is_active": "on",
        "shop_enabled": "on",
    }
    return {name: value for name, value in (form | changed).items() if value is not None}


def test_switching_an_organization_off_ends_its_work_at_once(acme, back_office, client_for):
    owner, path = client_for(acme.owner), f"/admin/accounts/organization/{acme.id}/change/"
    assert owner.get("settings/profile").status_code == 200

    saved(back_office.post(path, organization_form(acme, is_active=None)))
    assert owner.get("settings/profile").status_code == 401
    saved(back_office.post(path, organization_form(acme)))
    assert owner.get("settings/profile").status_code == 200


def test_a_bad_time_zone_is_told_by_the_service(acme, back_office):
    path = f"/admin/accounts/organization/{acme.id}/change/"

    response = back_office.post(path, organization_form(acme, timezone="Mars/Olympus"), follow=True)

    assert "Choose an IANA time zone" in text_of(response)
    with acme.inside():
        assert Organization.objects.get(pk=acme.id).timezone == "UTC"


def test_an_operator_adds_a_user_with_a_password_or_by_invitation(acme, back_office, client_for, waiting):
    body = {
        "tenant": str(acme.id),
        "first_name": "Ann",
        "last_name": "Lee",
        "phone": "",
        "timezone": "UTC",
        "language": "en",
    }
    first, second = (f"{uuid4().hex[:9]}@example.com" for _ in range(2))

    saved(back_office.post("/admin/accounts/user/add/", body | {"email": first, "role": "staff", "password": PASSWORD}))
    saved(back_office.post("/admin/accounts/user/add/", body | {"email": second, "role": "viewer", "password": ""}))

    assert client_for(None, "team").post("auth/login", {"email": first, "password": PASSWORD}).status_code == 200
    with acme.inside():
        invited = User.objects.of(acme.id).get(email=second)
        assert (invited.is_active, invited.is_invited) == (False, True)
        assert Event.objects.of(acme.id).filter(name="user.created").count() == 2
    assert [message.topic for message in waiting(acme)].count("mail.invitation") == 1
    taken = back_office.post(
        "/admin/accounts/user/add/", body | {"email": first, "role": "staff", "password": PASSWORD}, follow=True
    )
    assert "already in use" in text_of(taken)


def user_form(user, **changed):
    names = ("email", "first_name", "last_name", "phone", "timezone", "language")
    form = {name: getattr(user, name) for name in names} | {"is_active": "on", "role": "staff"}
    return {name: value for name, value in (form | changed).items() if value is not None}


def test_an_operator_changes_a_users_role_and_deactivates(acme, back_office, client_for):
    staff, path = client_for(acme.staff, "platform"), f"/admin/accounts/user/{acme.staff.pk}/change/"

    saved(back_office.post(path, user_form(acme.staff, role="manager", first_name="Renamed")))
    assert (staff.get("me").json()["role"], staff.get("me").json()["first_name"]) == ("manager", "Renamed")
    saved(back_office.post(path, user_form(acme.staff, role="manager", is_active=None)))
    assert staff.get("me").status_code == 401


def test_the_last_owner_is_kept_from_operators_too(acme, back_office):
    path = f"/admin/accounts/user/{acme.owner.pk}/change/"

    for change in ({"role": "staff"}, {"role": "owner", "is_active": None}):
        response = back_office.post(path, user_form(acme.owner, **change), follow=True)
        assert "needs an active owner" in text_of(response)
    with acme.inside():
        assert User.objects.get(pk=acme.owner.pk).is_active


def test_a_password_set_in_the_back_office_ends_the_users_sessions(acme, back_office, client_for):
    staff, path = client_for(acme.staff), f"/admin/accounts/user/{acme.staff.pk}/password/"
    assert back_office.get(path).status_code == 200
    weak = back_office.post(path, {"password1": "password", "password2": "password"})
    assert (weak.status_code, staff.get("settings/profile").status_code) == (200, 200)

    response = back_office.post(path, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})

    assert response.status_code == 302
    assert staff.get("settings/profile").status_code == 401
    login = client_for(None, "team").post("auth/login", {"email": acme.staff.email, "password": NEW_PASSWORD})
    assert login.status_code == 200


def test_an_operator_makes_a_role_and_what_it_permits(acme, back_office, client_for):
    saved(
        back_office.post(
            "/admin/accounts/role/add/",
            {"tenant": str(acme.id), "name": "stock_clerk", "description": "", "scope": "all"},
        )
    )
    with acme.inside():
        role = Role.objects.of(acme.id).get(name="stock_clerk")
    form = {"name": "stock_clerk", "description": "Counts", "scope": "all"}
    wanted = [str(built_in_id(code)) for code in ("products:view", "stock:manage")]

    saved(back_office.post(f"/admin/accounts/role/{role.pk}/change/", form | {"granted": wanted}))
    with acme.inside():
        role.refresh_from_db()
    assert (sorted(role.permissions), role.description) == (["products:view", "stock:manage"], "Counts")
    saved(back_office.post(f"/admin/accounts/role/{role.pk}/change/", form | {"granted": wanted[:1]}))
    with acme.inside():
        role.refresh_from_db()
    assert role.permissions == ["products:view"]


def test_built_in_roles_are_shown_but_not_changed(acme, back_office):
    with acme.inside():
        role = Role.objects.of(acme.id).get(name="viewer")
    path = f"/admin/accounts/role/{role.pk}/change/"

    assert back_office.get(path).status_code == 200
    assert back_office.post(path, {"name": "spy", "description": "", "scope": "all"}).status_code == 403


def test_an_operator_ends_a_session(acme, back_office, client_for):
    staff, manager = client_for(acme.staff), client_for(acme.manager)
    with acme.inside():
        session = Session.objects.of(acme.id).get(user=acme.staff)

    back_office.post("/admin/accounts/session/", {"action": "end", "_selected_action": [str(session.pk)]})

    assert staff.get("settings/profile").status_code == 401
    assert manager.get("settings/profile").status_code == 200
    with acme.inside():
        session.refresh_from_db()
    assert session.end_reason == "ended_by_operator"


def test_an_operator_withdraws_and_repeats_invitations(acme, back_office, client_for, waiting):
    platform = client_for(acme.owner, "platform")
    for role in ("viewer", "sales"):
        platform.post("users", {"email": f"{uuid4().hex[:9]}@example.com", "full_name": "New One", "role": role})
    with acme.inside():
        kept, withdrawn = Invitation.objects.of(acme.id).order_by("id")
        Invitation.objects.of(acme.id).update(expires_at=clock.now() - timedelta(days=1))

    back_office.post("/admin/accounts/invitation/", {"action": "resend", "_selected_action": [str(kept.pk)]})
    back_office.post("/admin/accounts/invitation/", {"action": "revoke", "_selected_action": [str(withdrawn.pk)]})
    refused = back_office.post(
        "/admin/accounts/invitation/", {"action": "resend", "_selected_action": [str(withdrawn.pk)]}, follow=True
    )

    with acme.inside():
        kept.refresh_from_db()
        withdrawn.refresh_from_db()
    assert kept.expires_at > clock.now()
    assert withdrawn.revoked_at is not None
    assert "This invitation was withdrawn." in text_of(refused)
    assert [message.topic for message in waiting(acme)].count("mail.invitation") == 3


def test_events_and_messages_cannot_be_changed(acme, back_office):
    with acme.inside():
        event = Event.objects.of(acme.id).first()

    response = back_office.post(f"/admin/core/event/{event.pk}/change/", {"title": "Never happened"})

    assert response.status_code == 403
    assert back_office.post(f"/admin/core/event/{event.pk}/delete/", {"post": "yes"}).status_code == 403
    with acme.inside():
        assert Event.objects.get(pk=event.pk).title == event.title


def test_a_parked_message_is_tried_again(acme, back_office):
    with acme.inside():
        parked = outbox.put(acme.id, "nothing.listens", {}, delay=timedelta(days=300))
        OutboxMessage.objects.filter(pk=parked.pk).update(parked_at=clock.now(), attempts=9, last_error="Boom")
        waits = outbox.put(acme.id, "nothing.listens", {}, delay=timedelta(days=300))
    shown = back_office.get("/admin/core/outboxmessage/", {"state": "parked", **within(acme)}).context["cl"].result_list
    assert [message.pk for message in shown] == [parked.pk]

    back_office.post(
        "/admin/core/outboxmessage/", {"action": "retry", "_selected_action": [str(parked.pk), str(waits.pk)]}
    )

    with acme.inside():
        parked.refresh_from_db()
        waits.refresh_from_db()
        assert (parked.parked_at, parked.attempts) == (None, 0)
        assert parked.due_at <= clock.now()
        assert waits.due_at > clock.now()
        OutboxMessage.objects.filter(pk__in=[parked.pk, waits.pk]).delete()


def test_the_rows_of_other_tables_stay_inside_their_organization(acme, other, back_office):
    """An operator sees all organizations; a link from one shows its own rows alone."""
    page = back_office.get(f"/admin/accounts/organization/{acme.id}/change/")
    address = f"/admin/accounts/user/?organization__id__exact={acme.id}"
    assert address in text_of(page)

    shown = {user.organization_id for user in back_office.get(address).context["cl"].result_list}

    assert shown == {acme.id}
    assert password_hash() not in text_of(back_office.get(f"/admin/accounts/user/{acme.owner.pk}/change/"))
