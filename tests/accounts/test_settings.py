"""Settings on the Team surface, as its document tells them."""

import pytest

from accounts.models import Organization
from crm.core.models import Event
from tests.conftest import PASSWORD
from tests.support.clients import codes, fields

NEW_PASSWORD = "a-better-battery-10"


# --- Organization


def test_any_member_sees_the_organization(acme, client_for):
    for role in ("owner", "manager", "staff", "customer_experience", "viewer"):
        body = client_for(acme.users[role]).get("settings/organization").json()
        assert body["success"] is True
        assert (body["data"]["id"], body["data"]["slug"]) == (str(acme.id), acme.slug)
        assert body["data"]["industry"] is None


def test_an_owner_or_manager_changes_the_organization(acme, client_for):
    changes = {
        "name": "Acme Nord",
        "industry": "Software",
        "employeeCount": "51-200",
        "website": "https://acme.example",
        "contactPhone": "+1 555 0100",
        "address": "1 Main Street",
        "timezone": "America/New_York",
        "currency": "EUR",
        "logo": "https://acme.example/logo.png",
        "settings": {"invoice_prefix": "ACM", "Any Key": {"nested_key": [1, "x"]}},
    }

    response = client_for(acme.manager).patch("settings/organization", changes)

    assert response.status_code == 200
    assert {name: response.json()["data"][name] for name in changes} == changes
    assert client_for(acme.staff).get("settings/organization").json() == response.json()
    with acme.inside():
        event = Event.objects.of(acme.id).get(name="organization.updated")
    assert event.changes["currency"] == {"from": "USD", "to": "EUR"}
    assert client_for(acme.owner, "platform").get("me").json()["organization"]["timezone"] == "America/New_York"


@pytest.mark.parametrize("role", ["staff", "customer_experience", "viewer", "customer"])
def test_nobody_else_changes_the_organization(acme, client_for, role):
    assert codes(client_for(acme.users[role]).patch("settings/organization", {"name": "Mine"})) == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    "changes",
    [
        {"timezone": "Mars/Olympus"},
        {"timezone": ""},
        {"currency": "XXX"},
        {"currency": "euro"},
        {"employeeCount": "12"},
        {"name": ""},
        {"name": "x" * 201},
        {"industry": "x" * 101},
        {"contactPhone": "1" * 21},
        {"address": "x" * 501},
        {"website": "javascript:alert(1)"},
        {"logo": "data:text/html,x"},
        {"settings": []},
        {"settings": None},
        {"employee_count": "1-10"},
        {"isActive": False},
    ],
)
def test_bad_settings_are_refused_and_change_nothing(acme, client_for, changes):
    owner = client_for(acme.owner)
    before = owner.get("settings/organization").json()

    response = owner.patch("settings/organization", {"industry": "Changed"} | changes)

    assert codes(response) == (400, "VALIDATION_ERROR")
    assert fields(response) == set(changes)
    assert owner.get("settings/organization").json() == before


def test_every_documented_currency_and_employee_range_is_taken(acme, client_for):
    owner = client_for(acme.owner)

    for currency in ("USD", "EUR", "GBP", "CAD", "AUD", "JPY", "CHF"):
        assert owner.patch("settings/organization", {"currency": currency}).json()["data"]["currency"] == currency
    for count in ("1-10", "11-50", "51-200", "201-500", "500+"):
        assert owner.patch("settings/organization", {"employeeCount": count}).json()["data"]["employeeCount"] == count
    assert owner.patch("settings/organization", {"employeeCount": None}).json()["data"]["employeeCount"] is None


# --- Profile


def test_users_change_their_own_profile(acme, client_for):
    changes = {
        "firstName": "Eva",
        "lastName": "Lund",
        "phone": "+45 1",
        "avatar": "https://example.com/eva.png",
        "timezone": "Europe/Copenhagen",
        "language": "pt",
        "preferences": {"snake_case": 1, "camelCase": {"Sub Key": None}},
    }

    response = client_for(acme.staff).patch("settings/profile", changes)

    assert response.status_code == 200
    data = response.json()["data"]
    assert {name: data[name] for name in changes} == changes
    assert (data["fullName"], data["role"], data["email"]) == ("Eva Lund", "staff", acme.staff.email)
    assert client_for(acme.staff).get("settings/profile").json() == response.json()


@pytest.mark.parametrize(
    "changes",
    [
        {"language": "xx"},
        {"timezone": "Nowhere"},
        {"firstName": "x" * 101},
        {"phone": "1" * 21},
        {"avatar": "javascript:x"},
        {"preferences": "dark"},
        {"password": NEW_PASSWORD},
    ],
)
def test_a_bad_profile_is_refused(acme, client_for, changes):
    response = client_for(acme.staff).patch("settings/profile", {"lastName": "Changed"} | changes)

    assert codes(response) == (400, "VALIDATION_ERROR")
    assert fields(response) == set(changes)
    assert client_for(acme.staff).get("settings/profile").json()["data"]["lastName"] == acme.staff.last_name


def test_a_profile_does_not_change_role_or_address(acme, client_for):
    response = client_for(acme.staff).patch("settings/profile", {"role": "owner", "email": "x@example.com", "id": "1"})

    assert response.status_code == 200
    assert (response.json()["data"]["role"], response.json()["data"]["email"]) == ("staff", acme.staff.email)


# --- Password


def test_a_changed_password_ends_the_other_sessions_but_not_this_one(acme, client_for):
    here, there = client_for(acme.viewer), client_for(acme.viewer, "platform")
    body = {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD, "confirmPassword": NEW_PASSWORD}

    response = here.patch("settings/password", body)

    assert response.status_code == 200
    assert here.get("settings/profile").status_code == 200
    assert there.get("me").status_code == 401


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"currentPassword": "wrong"}, "currentPassword"),
        ({"confirmPassword": "another-battery-11"}, "confirmPassword"),
        ({"newPassword": "short", "confirmPassword": "short"}, "newPassword"),
        ({"newPassword": "password", "confirmPassword": "password"}, "newPassword"),
    ],
)
def test_a_bad_password_change_names_the_field(acme, client_for, changed, field):
    body = {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD, "confirmPassword": NEW_PASSWORD} | changed
    there = client_for(acme.viewer, "platform")

    response = client_for(acme.viewer).patch("settings/password", body)

    assert (codes(response), fields(response)) == ((400, "VALIDATION_ERROR"), {field})
    assert there.get("me").status_code == 200


def test_each_part_of_a_password_change_is_needed(acme, client_for):
    response = client_for(acme.viewer).patch("settings/password", {})

    assert fields(response) == {"currentPassword", "newPassword", "confirmPassword"}


# --- Team


def test_an_owner_lists_all_members_in_pages(acme, client_for):
    acme.add("staff", is_active=False)

    data = client_for(acme.owner).get("settings/team", pageSize="4").json()["data"]

    assert data["meta"]["pagination"] == {"page": 1, "pageSize": 4, "total": 6, "totalPages": 2}
    assert [(member["role"], member["status"]) for member in data["members"]] == [
        ("staff", "inactive"),
        ("viewer", "active"),
        ("customer_experience", "active"),
        ("staff", "active"),
    ]
    assert (
        client_for(acme.owner).get("settings/team", status="inactive").json()["data"]["meta"]["pagination"]["total"]
        == 1
    )


@pytest.mark.parametrize("role", ["manager", "staff", "customer_experience", "viewer", "customer"])
def test_the_team_and_the_system_are_the_owners(acme, client_for, role):
    client = client_for(acme.users[role])

    assert codes(client.get("settings/team")) == (403, "FORBIDDEN")
    assert codes(client.patch(f"settings/team/{acme.owner.pk}", {"role": "staff"})) == (403, "FORBIDDEN")
    assert codes(client.delete(f"settings/team/{acme.owner.pk}")) == (403, "FORBIDDEN")
    assert codes(client.get("settings/system")) == (403, "FORBIDDEN")


def test_an_owner_changes_role_and_status_of_a_member(acme, client_for):
    owner, staff = client_for(acme.owner), client_for(acme.staff)

    data = owner.patch(f"settings/team/{acme.staff.pk}", {"role": "manager"}).json()["data"]
    assert (data["id"], data["role"], data["status"]) == (str(acme.staff.pk), "manager", "active")
    data = owner.patch(f"settings/team/{acme.staff.pk}", {"status": "inactive"}).json()["data"]
    assert (data["role"], data["status"], data["isActive"]) == ("manager", "inactive", False)
    assert staff.get("settings/profile").status_code == 401
    assert owner.patch(f"settings/team/{acme.staff.pk}", {"status": "active"}).json()["data"]["status"] == "active"


def test_an_owner_removes_a_member(acme, client_for):
    owner = client_for(acme.owner)

    response = owner.delete(f"settings/team/{acme.staff.pk}")

    assert (response.status_code, response.json()) == (200, {"success": True, "data": {"id": str(acme.staff.pk)}})
    found = owner.get("settings/team", status="inactive").json()["data"]["members"]
    assert [member["id"] for member in found] == [str(acme.staff.pk)]


@pytest.mark.parametrize(
    "changes", [{"role": "emperor"}, {"role": ""}, {"status": "gone"}, {"firstName": "X"}, {"role": None}]
)
def test_a_bad_change_of_a_member_is_refused(acme, client_for, changes):
    response = client_for(acme.owner).patch(f"settings/team/{acme.staff.pk}", changes)

    assert (codes(response), fields(response)) == ((400, "VALIDATION_ERROR"), set(changes))


def test_a_shopper_is_no_member_of_the_team(acme, client_for):
    owner = client_for(acme.owner)

    assert codes(owner.patch(f"settings/team/{acme.customer.pk}", {"role": "owner"})) == (404, "NOT_FOUND")


# --- System


def test_the_owner_sees_version_uptime_counts_and_features(acme, other, client_for, settings):
    data = client_for(acme.owner).get("settings/system").json()["data"]

    assert data["version"] == settings.VERSION
    assert isinstance(data["uptime"], int)
    assert (data["counts"]["users"], data["counts"]["activeUsers"]) == (5, 5)
    assert not any(" " in name for name in data["counts"])
    assert data["features"]["registration"] is True
    assert data["organization"]["slug"] == acme.slug
    assert Organization.objects.count() == 0  # outside a transaction of an organization there is nothing to see
