"""Changes in the back office go through the services."""

from datetime import timedelta
from uuid import uuid4

from accounts.models import Invitation, Organization, Role, Session, User
from accounts.permissions import built_in_id
from crm.core import clock, db, outbox
from crm.core.models import Event, OutboxMessage
from tests.conftest import PASSWORD, password_hash
from tests.support.back_office import saved, text_of, within

NEW_PASSWORD = "a-better-battery-10"


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
    with db.operator("command"):
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


def test_the_address_of_an_operator_stays(back_office, operator_email):
    with db.operator("command"):
        operator = User.objects.get(organization=None, email=operator_email)

    body = {"email": "intruder@example.com", "first_name": "Olga", "last_name": "", "timezone": "UTC", "language": "en"}
    back_office.post(f"/admin/accounts/user/{operator.pk}/change/", body)

    with db.operator("command"):
        operator.refresh_from_db()
    assert (operator.email, operator.first_name) == (operator_email, "Olga")


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
        dead = outbox.enqueue(acme.id, "nothing.listens", {}, delay=timedelta(days=300))
        OutboxMessage.objects.filter(pk=dead.pk).update(dead_at=clock.now(), attempts=9, last_error="Boom")
        waits = outbox.enqueue(acme.id, "nothing.listens", {}, delay=timedelta(days=300))
    shown = back_office.get("/admin/core/outboxmessage/", {"state": "dead", **within(acme)}).context["cl"].result_list
    assert [message.pk for message in shown] == [dead.pk]

    back_office.post(
        "/admin/core/outboxmessage/", {"action": "retry", "_selected_action": [str(dead.pk), str(waits.pk)]}
    )

    with acme.inside():
        dead.refresh_from_db()
        waits.refresh_from_db()
        assert (dead.dead_at, dead.attempts) == (None, 0)
        assert dead.due_at <= clock.now()
        assert waits.due_at > clock.now()
        OutboxMessage.objects.filter(pk__in=[dead.pk, waits.pk]).delete()


def test_the_rows_of_other_tables_stay_inside_their_organization(acme, other, back_office):
    """An operator sees all organizations; a link from one shows its own rows alone."""
    page = back_office.get(f"/admin/accounts/organization/{acme.id}/change/")
    address = f"/admin/accounts/user/?organization__id__exact={acme.id}"
    assert address in text_of(page)

    shown = {user.organization_id for user in back_office.get(address).context["cl"].result_list}

    assert shown == {acme.id}
    assert password_hash() not in text_of(back_office.get(f"/admin/accounts/user/{acme.owner.pk}/change/"))
