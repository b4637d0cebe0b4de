"""Deactivation and passwords of users."""

import threading

import pytest

from accounts.models import Session, User, UserRole
from accounts.services import roles
from crm.core.models import Event
from tests.accounts.users import NEW_PASSWORD, new_user
from tests.conftest import PASSWORD
from tests.support.clients import codes, fields

# --- Deactivation


def test_a_deactivated_user_is_out_at_once_and_comes_back_with_their_role(acme, client_for):
    owner, staff = client_for(acme.owner, "platform"), client_for(acme.staff, "platform")

    response = owner.delete(f"users/{acme.staff.pk}")

    assert (response.status_code, response.json()) == (200, {"message": "User deleted successfully"})
    assert codes(staff.get("me")) == (401, "UNAUTHENTICATED")
    assert owner.get(f"users/{acme.staff.pk}").json()["is_active"] is False
    assert owner.delete(f"users/{acme.staff.pk}").status_code == 200
    restored = owner.post(f"users/{acme.staff.pk}/restore")
    assert (restored.status_code, restored.json()["is_active"], restored.json()["role"]) == (200, True, "sales")
    assert owner.post(f"users/{acme.staff.pk}/restore").status_code == 200
    assert codes(staff.get("me")) == (401, "UNAUTHENTICATED")
    with acme.inside():
        names = list(Event.objects.of(acme.id).filter(subject_id=acme.staff.pk).values_list("name", flat=True))
    assert (names.count("user.deactivated"), names.count("user.restored")) == (1, 1)


def test_deleting_an_invited_user_withdraws_the_invitation(acme, client_for):
    platform = client_for(acme.owner, "platform")
    body = new_user(password=None)
    made = platform.post("users", body).json()

    assert platform.delete(f"users/{made['id']}").status_code == 200

    found = platform.get(f"users/{made['id']}").json()
    assert (found["is_active"], found["is_invited"]) == (False, False)
    assert platform.post("users", body).status_code == 201


def test_an_invited_user_is_not_made_active_by_others(acme, client_for):
    platform = client_for(acme.owner, "platform")
    made = platform.post("users", new_user(password=None)).json()

    assert codes(platform.patch(f"users/{made['id']}", {"is_active": True})) == (409, "INVITATION_PENDING")
    assert platform.post(f"users/{made['id']}/restore").json()["is_active"] is False


def test_nobody_deactivates_themselves(acme, client_for):
    assert codes(client_for(acme.owner, "platform").delete(f"users/{acme.owner.pk}")) == (422, "CANNOT_MODIFY_SELF")
    team = client_for(acme.owner)
    assert codes(team.delete(f"settings/team/{acme.owner.pk}")) == (400, "CANNOT_MODIFY_SELF")
    assert codes(team.patch(f"settings/team/{acme.owner.pk}", {"role": "staff"})) == (400, "CANNOT_MODIFY_SELF")
    assert codes(team.patch(f"settings/team/{acme.owner.pk}", {"role": 7, "x": 1})) == (400, "CANNOT_MODIFY_SELF")


def test_the_last_owner_stays_one(acme, client_for):
    platform = client_for(acme.owner, "platform")

    assert codes(platform.patch(f"users/{acme.owner.pk}", {"role": "sales"})) == (409, "LAST_OWNER")
    acme.add("owner", is_active=False)
    assert codes(platform.patch(f"users/{acme.owner.pk}", {"role": "sales"})) == (409, "LAST_OWNER")
    acme.add("owner")
    assert (
        platform.patch(f"users/{acme.owner.pk}", {"role": "sales", "current_password": PASSWORD}).json()["role"]
        == "sales"
    )


def demote_each_other(tenant, client_for):
    """Two owners demote each other at once; return the statuses and how many owners are left."""
    second = tenant.add("owner")
    pairs = [(client_for(tenant.owner), second), (client_for(second), tenant.owner)]
    statuses = []

    def demote(client, victim):
        statuses.append(client.patch(f"settings/team/{victim.pk}", {"role": "staff"}).status_code)

    threads = [threading.Thread(target=demote, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with tenant.inside():
        return sorted(statuses), UserRole.objects.of(tenant.id).filter(role__name="owner").count()


@pytest.mark.races
def test_two_owners_who_demote_each_other_leave_one(organization, client_for, monkeypatch):
    """Both stand before the lock at the same time, so the second decides after the first has committed."""
    lock = roles.lock_owners
    for _ in range(5):
        meeting = threading.Barrier(2, timeout=10)

        def together(actor, meeting=meeting):
            meeting.wait()
            lock(actor)

        monkeypatch.setattr(roles, "lock_owners", together)
        assert demote_each_other(organization(roles=("owner",)), client_for) == ([200, 409], 1)


@pytest.mark.races
def test_without_the_lock_no_owner_would_be_left(organization, client_for, monkeypatch):
    """The control of the test above."""
    meeting = threading.Barrier(2, timeout=10)
    monkeypatch.setattr(roles, "lock_owners", lambda actor: meeting.wait())

    assert demote_each_other(organization(roles=("owner",)), client_for) == ([200, 200], 0)


# --- Passwords


def test_a_changed_password_ends_the_users_other_sessions(acme, client_for):
    here, there = client_for(acme.staff, "platform"), client_for(acme.staff, "team")
    path = f"users/{acme.staff.pk}/password"

    response = here.post(path, {"current_password": PASSWORD, "new_password": NEW_PASSWORD})

    assert response.status_code == 200
    assert here.get("me").status_code == 200
    assert there.get("settings/profile").status_code == 401
    login = client_for(None, "platform")
    assert login.post("auth/login", {"email": acme.staff.email, "password": PASSWORD}).status_code == 401
    assert login.post("auth/login", {"email": acme.staff.email, "password": NEW_PASSWORD}).status_code == 200


def test_an_owner_needs_their_own_present_password_too(acme, client_for):
    platform, path = client_for(acme.owner, "platform"), f"users/{acme.owner.pk}/password"

    for body in ({"new_password": NEW_PASSWORD}, {"new_password": NEW_PASSWORD, "current_password": "wrong"}):
        response = platform.post(path, body)
        assert codes(response) == (422, "VALIDATION_ERROR")
        assert fields(response) == {"current_password"}
    weak = platform.post(path, {"new_password": "password", "current_password": PASSWORD})
    assert (codes(weak), fields(weak)) == ((422, "VALIDATION_ERROR"), {"new_password"})
    assert platform.post(path, {"new_password": "securePassword123", "current_password": PASSWORD}).status_code == 200


def test_an_administrator_gives_another_a_new_password_and_ends_their_sessions(acme, client_for):
    staff = client_for(acme.staff, "platform")

    response = client_for(acme.owner, "platform").post(
        f"users/{acme.staff.pk}/password", {"new_password": NEW_PASSWORD}
    )

    assert response.status_code == 200
    assert staff.get("me").status_code == 401
    with acme.inside():
        assert not Session.objects.of(acme.id).filter(user=acme.staff, ended_at=None).exists()
        assert User.objects.get(pk=acme.staff.pk).check_password(NEW_PASSWORD)
