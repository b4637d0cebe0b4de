"""Users on the Platform and the Team surface: who is listed, who may change whom, and what takes effect when."""

from uuid import uuid4

import pytest

from accounts.models import User
from accounts.services import roles
from crm.core.models import Event
from tests.accounts.users import NEW_PASSWORD, new_user
from tests.conftest import PASSWORD
from tests.support.clients import codes, fields

# --- Oneself


def test_me_tells_who_one_is_and_what_one_may_do(acme, client_for):
    found = client_for(acme.staff, "platform").get("me").json()

    assert found["id"] == str(acme.staff.pk)
    assert (found["email"], found["full_name"]) == (acme.staff.email, acme.staff.full_name)
    assert (found["role"], found["roles"]) == ("sales", ["sales"])
    assert found["company_id"] == found["organization"]["id"] == str(acme.id)
    assert set(found["organization"]) == {"id", "name", "slug", "timezone", "currency"}
    assert {"contacts:view", "contacts:create"} <= set(found["permissions"])
    assert "contacts:delete" not in found["permissions"]
    assert {"first_name", "last_name", "phone", "avatar", "timezone", "language"} <= set(found)


@pytest.mark.parametrize(
    ("role", "shown"),
    [
        ("owner", "tenant_admin"),
        ("manager", "manager"),
        ("staff", "sales"),
        ("customer_experience", "customer_experience"),
        ("viewer", "viewer"),
    ],
)
def test_me_names_the_role_in_the_platforms_way(acme, client_for, role, shown):
    assert client_for(acme.users[role], "platform").get("me").json()["role"] == shown


def test_a_shopper_has_no_access_to_members(acme, client_for):
    for surface, path in (("platform", "me"), ("platform", "users"), ("team", "settings/profile")):
        assert codes(client_for(acme.customer, surface).get(path)) == (403, "FORBIDDEN")


def test_nobody_reads_members_without_signing_in(client_for):
    for surface, path in (("platform", "me"), ("platform", "users"), ("team", "settings/team")):
        assert codes(client_for(None, surface).get(path)) == (401, "UNAUTHENTICATED")


# --- Listing users


def test_any_member_lists_the_active_members_newest_first(acme, client_for):
    gone = acme.add("staff", is_active=False)

    for role in ("owner", "manager", "staff", "customer_experience", "viewer"):
        found = client_for(acme.users[role], "platform").get("users").json()
        assert [item["role"] for item in found["items"]] == [
            "viewer",
            "customer_experience",
            "sales",
            "manager",
            "tenant_admin",
        ]
        assert (found["total"], found["page"], found["pages"], found["has_next"]) == (5, 1, 1, False)
        assert str(gone.pk) not in {item["id"] for item in found["items"]}
    assert "permissions" not in found["items"][0]
    assert found["items"][0]["is_active"] is True


def test_users_are_found_by_the_beginnings_of_words_in_name_and_address(acme, client_for):
    zoe = acme.add("staff", first_name="Zoë", last_name="Łukasiewicz", email=f"z.l.{uuid4().hex[:6]}@northwind.example")
    platform = client_for(acme.viewer, "platform")

    for asked in ("zoe", "lukas", "Zoë Łuk", "northw", zoe.email, "LUKASIEWICZ z"):
        assert [item["id"] for item in platform.get("users", q=asked).json()["items"]] == [str(zoe.pk)], asked
    assert platform.get("users", q="kasie").json()["total"] == 0
    assert platform.get("users", q="zoe unknown").json()["total"] == 0


def test_users_are_filtered_by_role_and_standing_and_sorted(acme, client_for):
    gone = acme.add("staff", first_name="Aaron", last_name="Zed", is_active=False)
    platform = client_for(acme.owner, "platform")

    assert [item["role"] for item in platform.get("users", role="sales").json()["items"]] == ["sales"]
    assert [item["role"] for item in platform.get("users", role="staff").json()["items"]] == ["sales"]
    assert [item["role"] for item in platform.get("users", role="tenant_admin").json()["items"]] == ["tenant_admin"]
    assert [item["id"] for item in platform.get("users", is_active="false").json()["items"]] == [str(gone.pk)]
    assert platform.get("users", role="customer").json()["total"] == 1
    by_name = [item["full_name"] for item in platform.get("users", sort="full_name", order="asc").json()["items"]]
    assert by_name == sorted(by_name)
    page = platform.get("users", per_page="2", page="3").json()
    assert (len(page["items"]), page["pages"], page["has_next"], page["has_prev"]) == (1, 3, False, True)


@pytest.mark.parametrize(
    "query", [{"role": "admin of all"}, {"is_active": "maybe"}, {"sort": "password"}, {"order": "up"}, {"page": "0"}]
)
def test_a_bad_query_of_users_is_refused_by_name(acme, client_for, query):
    response = client_for(acme.owner, "platform").get("users", **query)

    assert codes(response) == (422, "VALIDATION_ERROR")
    assert fields(response) == set(query)


def test_a_user_with_several_roles_shows_the_highest_and_all(acme, client_for):
    user = acme.add("viewer")
    with acme.inside():
        roles.assign_role(acme.actor("owner"), user, roles.role_named(acme.actor("owner"), "staff"))

    found = client_for(acme.owner, "platform").get(f"users/{user.pk}").json()

    assert (found["role"], found["roles"]) == ("sales", ["sales", "viewer"])


def test_a_list_of_users_costs_the_same_however_many_there_are(acme, client_for, django_assert_max_num_queries):
    platform = client_for(acme.owner, "platform")
    platform.get("users")
    for _ in range(5):
        acme.add("staff")

    with django_assert_max_num_queries(4):
        assert platform.get("users").json()["total"] == 10


# --- Making users


def test_an_administrator_makes_a_user_who_can_sign_in_at_once(acme, client_for):
    body = new_user()

    response = client_for(acme.owner, "platform").post("users", body)

    assert response.status_code == 201
    made = response.json()
    assert (made["email"], made["first_name"], made["last_name"]) == (body["email"], "Ann", "de Lee")
    assert (made["role"], made["is_active"]) == ("sales", True)
    assert "permissions" not in made
    assert "password" not in made
    signed_in = client_for(None, "platform").post("auth/login", {"email": body["email"], "password": PASSWORD})
    assert signed_in.status_code == 200


def test_a_user_made_without_a_password_is_invited_by_mail(acme, client_for, waiting):
    made = client_for(acme.owner, "platform").post("users", new_user(password=None)).json()

    assert (made["is_active"], made["is_invited"]) == (False, True)
    assert [message.topic for message in waiting(acme)].count("mail.invitation") == 1


@pytest.mark.parametrize(
    ("role", "status"),
    [("manager", 403), ("staff", 403), ("customer_experience", 403), ("viewer", 403), ("owner", 201)],
)
def test_only_owners_make_users(acme, client_for, role, status):
    body = new_user()

    assert client_for(acme.users[role], "platform").post("users", body).status_code == status

    with acme.inside():
        assert User.objects.of(acme.id).filter(email=body["email"]).exists() == (status == 201)


def test_a_taken_address_is_a_conflict_whatever_its_case(acme, client_for):
    response = client_for(acme.owner, "platform").post("users", new_user(email=acme.staff.email.upper()))

    assert codes(response) == (409, "EMAIL_TAKEN")


def test_the_address_of_an_inactive_user_is_free_and_restoring_meets_the_conflict(acme, client_for):
    platform = client_for(acme.owner, "platform")
    platform.delete(f"users/{acme.staff.pk}")

    assert platform.post("users", new_user(email=acme.staff.email)).status_code == 201
    assert codes(platform.post(f"users/{acme.staff.pk}/restore")) == (409, "EMAIL_TAKEN")
    assert codes(client_for(acme.owner).patch(f"settings/team/{acme.staff.pk}", {"status": "active"})) == (
        409,
        "EMAIL_TAKEN",
    )


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"email": None}, "email"),
        ({"full_name": None}, "full_name"),
        ({"full_name": ""}, "full_name"),
        ({"role": None}, "role"),
        ({"role": "emperor"}, "role"),
        ({"password": "short"}, "password"),
        ({"password": "12345678"}, "password"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"language": "xx"}, "language"),
        ({"phone": "1" * 21}, "phone"),
        ({"is_superuser": True}, "is_superuser"),
        ({"organization_id": str(uuid4())}, "organization_id"),
    ],
)
def test_bad_input_makes_no_user(acme, client_for, changed, field):
    platform = client_for(acme.owner, "platform")
    with acme.inside():
        before = User.objects.of(acme.id).count(), Event.objects.of(acme.id).count()

    response = platform.post("users", new_user(**changed))

    assert codes(response) == (422, "VALIDATION_ERROR")
    assert fields(response) == {field}
    with acme.inside():
        assert (User.objects.of(acme.id).count(), Event.objects.of(acme.id).count()) == before


# --- Changing users


def test_users_change_their_own_profile(acme, client_for):
    changes = {
        "first_name": "Eva",
        "last_name": "Lund",
        "phone": "+45 1",
        "avatar": "https://example.com/a.png",
        "timezone": "Europe/Copenhagen",
        "language": "de",
        "preferences": {"theme_name": "dark", "Sub Keys": {"a-b": 1}},
    }

    response = client_for(acme.viewer, "platform").patch(f"users/{acme.viewer.pk}", changes)

    assert response.status_code == 200
    assert {name: response.json()[name] for name in changes} == changes
    assert response.json()["full_name"] == "Eva Lund"


def test_preferences_are_shown_to_their_user_alone(acme, client_for):
    wanted = {"theme": "dark"}
    viewer, owner = client_for(acme.viewer, "platform"), client_for(acme.owner, "platform")
    path = f"users/{acme.viewer.pk}"

    assert viewer.patch(path, {"preferences": wanted}).json()["preferences"] == wanted

    assert viewer.get("me").json()["preferences"] == viewer.get(path).json()["preferences"] == wanted
    assert client_for(acme.viewer).get("settings/profile").json()["data"]["preferences"] == wanted
    assert viewer.get(f"users/{acme.owner.pk}").json().keys() == viewer.get(path).json().keys() - {"preferences"}
    for told in (owner.get(path), owner.patch(path, {"phone": "1"}), owner.get("users"), viewer.get("users")):
        assert told.status_code == 200
        assert b"preferences" not in told.content


@pytest.mark.parametrize("changes", [{"role": "tenant_admin"}, {"is_active": False}, {"email": "x@example.com"}])
def test_a_user_who_changes_more_of_themselves_is_told_what_is_not_allowed(acme, client_for, changes):
    response = client_for(acme.manager, "platform").patch(f"users/{acme.manager.pk}", {"first_name": "X", **changes})

    assert codes(response) == (403, "FORBIDDEN")
    assert fields(response) == set(changes)
    assert client_for(acme.manager, "platform").get("me").json()["first_name"] == "Manager"


def test_nobody_but_an_administrator_changes_another(acme, client_for):
    for role in ("manager", "staff", "customer_experience", "viewer"):
        client = client_for(acme.users[role], "platform")
        target = acme.owner if role == "viewer" else acme.viewer
        for body in ({"first_name": "X"}, {"unknown": 1}):
            assert codes(client.patch(f"users/{target.pk}", body)) == (403, "FORBIDDEN")
        assert codes(client.post(f"users/{target.pk}/password", {"new_password": NEW_PASSWORD})) == (403, "FORBIDDEN")
        assert codes(client.delete(f"users/{target.pk}")) == (403, "FORBIDDEN")
        assert codes(client.post(f"users/{target.pk}/restore")) == (403, "FORBIDDEN")


def test_an_administrator_changes_everything_and_it_is_recorded(acme, client_for):
    address = f"{uuid4().hex[:12]}@example.com"
    body = {"email": address, "full_name": "Max Muster", "role": "viewer", "is_active": True}

    found = client_for(acme.owner, "platform").patch(f"users/{acme.staff.pk}", body).json()

    assert (found["email"], found["full_name"], found["role"], found["roles"]) == (
        address,
        "Max Muster",
        "viewer",
        ["viewer"],
    )
    with acme.inside():
        event = Event.objects.of(acme.id).get(name="user.updated", subject_id=acme.staff.pk)
    assert event.actor_id == acme.owner.pk
    assert event.changes["email"] == {"from": acme.staff.email, "to": address}


def test_a_changed_role_takes_effect_on_the_very_next_request(acme, client_for):
    staff = client_for(acme.staff, "platform")
    assert staff.post("users", new_user()).status_code == 403

    client_for(acme.owner, "platform").patch(f"users/{acme.staff.pk}", {"role": "tenant_admin"})

    assert staff.post("users", new_user()).status_code == 201
    client_for(acme.owner, "platform").patch(f"users/{acme.staff.pk}", {"role": "sales"})
    assert staff.post("users", new_user()).status_code == 403


def test_ids_of_others_and_unknown_ids_are_not_there(acme, other, client_for):
    owner, team = client_for(acme.owner, "platform"), client_for(acme.owner)

    for pk in (other.staff.pk, uuid4()):
        assert codes(owner.get(f"users/{pk}")) == (404, "NOT_FOUND")
        assert codes(owner.patch(f"users/{pk}", {"first_name": "X"})) == (404, "NOT_FOUND")
        assert codes(owner.delete(f"users/{pk}")) == (404, "NOT_FOUND")
        assert codes(owner.post(f"users/{pk}/restore")) == (404, "NOT_FOUND")
        assert codes(owner.post(f"users/{pk}/password", {"new_password": NEW_PASSWORD})) == (404, "NOT_FOUND")
        assert codes(team.patch(f"settings/team/{pk}", {"role": "staff"})) == (404, "NOT_FOUND")
        assert codes(team.delete(f"settings/team/{pk}")) == (404, "NOT_FOUND")
    assert codes(owner.get("users/no-uuid")) == (404, "NOT_FOUND")
