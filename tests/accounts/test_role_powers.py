"""What roles give: who hands them out, and what they mean on every surface."""

import threading

import pytest

from accounts.models import Role
from accounts.permissions import built_in_id
from crm.core.models import Event
from tests.accounts.roles import make_role, role_id
from tests.support.clients import codes

CONTACTS_MANAGE = str(built_in_id("contacts:manage"))


# --- Handing out


@pytest.mark.parametrize(
    ("who", "role", "status"),
    [
        ("owner", "admin", 200),
        ("owner", "customer_experience", 200),
        ("manager", "admin", 403),
        ("manager", "manager", 403),
        ("manager", "staff", 200),
        ("manager", "customer_experience", 200),
        ("manager", "viewer", 200),
        ("customer_experience", "admin", 403),
        ("customer_experience", "staff", 403),
        ("customer_experience", "customer_experience", 403),
        ("customer_experience", "viewer", 200),
    ],
)
def test_nobody_hands_out_a_role_that_they_do_not_outrank(acme, client_for, who, role, status):
    path = f"admin/users/{acme.customer.pk}/roles"
    client = client_for(acme.users[who], "storefront")

    assert client.post(path, {"role_name": role}).status_code == status

    assert client.get(path).json()["data"]["roles"] == ([role, "user"] if status == 200 else ["user"])


@pytest.mark.parametrize(
    ("who", "victim"), [("manager", "owner"), ("manager", "manager"), ("customer_experience", "staff")]
)
def test_nobody_takes_away_a_role_that_they_could_not_give(acme, client_for, who, victim):
    user = acme.add(victim)
    path = f"admin/users/{user.pk}/roles"
    client = client_for(acme.users[who], "storefront")

    assert codes(client.delete(f"{path}/{role_id(acme, victim)}")) == (403, "forbidden")
    assert len(client.get(path).json()["data"]["roles"]) == 1


def test_nobody_grants_what_they_do_not_hold(acme, shop, client_for):
    mine = make_role(shop)
    desk = client_for(acme.customer_experience, "storefront")
    path = f"admin/roles/{mine}/permissions"

    assert desk.post(path, {"permission_id": str(built_in_id("orders:update"))}).status_code == 200
    for code in ("contacts:manage", "orders:delete", "orders:override_price", "users:create"):
        assert codes(desk.post(path, {"permission_id": str(built_in_id(code))})) == (403, "forbidden")
    shop.post(path, {"permission_id": CONTACTS_MANAGE})
    assert codes(desk.delete(f"{path}/{CONTACTS_MANAGE}")) == (403, "forbidden")
    assert codes(desk.post(f"admin/users/{acme.customer.pk}/roles", {"role_id": mine})) == (403, "forbidden")
    assert [found["name"] for found in shop.get(path).json()["data"]["permissions"]] == [
        "manage_contacts",
        "update_orders",
    ]


def test_only_who_sees_everything_makes_a_role_that_does(acme, shop, client_for):
    clerk = acme.add("staff")
    shop.post(f"admin/users/{clerk.pk}/roles", {"role_id": make_role(shop, "roles:manage")})
    client = client_for(clerk, "storefront")

    assert codes(client.post("admin/roles", {"name": "all_seeing", "scope": "all"})) == (403, "forbidden")
    assert client.post("admin/roles", {"name": "near_sighted", "scope": "own"}).status_code == 201


def test_owners_hold_permissions_that_were_made_later(acme, shop, client_for):
    made = shop.post("admin/permissions", {"name": "tell_time", "resource": "clocks", "action": "tell"}).json()
    permission, path = made["data"]["permission"]["id"], f"admin/roles/{make_role(shop)}/permissions"

    manager = client_for(acme.manager, "storefront")
    assert codes(manager.post(path, {"permission_id": permission})) == (403, "forbidden")
    assert shop.post(path, {"permission_id": permission}).status_code == 200
    assert "clocks:tell" in client_for(acme.owner, "platform").get("me").json()["permissions"]
    owners = shop.get(f"admin/roles/{role_id(acme, 'owner')}/permissions").json()["data"]["permissions"]
    assert owners == shop.get("admin/permissions").json()["data"]["permissions"]


def test_a_renamed_or_deleted_permission_is_renamed_in_or_leaves_its_roles(acme, shop):
    body = {"name": "tell_time", "resource": "clocks", "action": "tell"}
    permission = shop.post("admin/permissions", body).json()["data"]["permission"]["id"]
    first, second = make_role(shop, "orders:view"), make_role(shop)
    for role in (first, second):
        shop.post(f"admin/roles/{role}/permissions", {"permission_id": permission})

    shop.put(f"admin/permissions/{permission}", {"action": "ring"})
    with acme.inside():
        assert Role.objects.get(pk=first).permissions == ["orders:view", "custom.clocks:ring"]
    shop.delete(f"admin/permissions/{permission}")
    with acme.inside():
        assert Role.objects.get(pk=first).permissions == ["orders:view"]
        assert Role.objects.get(pk=second).permissions == []


def test_the_last_owner_keeps_the_role(acme, shop):
    path = f"admin/users/{acme.owner.pk}/roles/{role_id(acme, 'owner')}"

    assert codes(shop.delete(path)) == (409, "last_owner")
    shop.post(f"admin/users/{acme.manager.pk}/roles", {"role_name": "admin"})
    assert shop.delete(path).status_code == 204
    assert codes(shop.get("admin/roles")) == (403, "forbidden")


def test_every_change_of_a_role_is_recorded(acme, shop):
    role = make_role(shop, "contacts:view", name="recorded")
    shop.post(f"admin/users/{acme.viewer.pk}/roles", {"role_id": role})
    shop.delete(f"admin/users/{acme.viewer.pk}/roles/{role}")
    shop.delete(f"admin/roles/{role}")

    with acme.inside():
        told = list(Event.objects.of(acme.id).order_by("id").values_list("name", "actor_id", "metadata__role"))
    assert [entry for entry in told if entry[0].startswith(("role.", "user.role"))] == [
        ("role.created", acme.owner.pk, None),
        ("role.permission_granted", acme.owner.pk, None),
        ("user.role_assigned", acme.owner.pk, "recorded"),
        ("user.role_revoked", acme.owner.pk, "recorded"),
        ("role.deleted", acme.owner.pk, None),
    ]


@pytest.mark.races
def test_permissions_granted_at_once_are_all_there(acme, shop, client_for):
    role = make_role(shop)
    granted = ["contacts:view", "contacts:create", "orders:view", "products:view", "deals:view", "invoices:view"]
    clients = [client_for(acme.owner, "storefront") for _ in granted]

    def grant(client, code):
        client.post(f"admin/roles/{role}/permissions", {"permission_id": str(built_in_id(code))})

    threads = [threading.Thread(target=grant, args=pair) for pair in zip(clients, granted, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with acme.inside():
        assert sorted(Role.objects.get(pk=role).permissions) == sorted(granted)


# --- What roles mean on the other surfaces


def test_a_custom_role_works_on_every_surface_on_the_very_next_request(acme, shop, client_for):
    person = acme.add("customer")
    team, platform = client_for(person, "team"), client_for(person, "platform")
    for client in (team, platform):
        assert codes(client.get("contacts")) == (403, "FORBIDDEN")
        assert codes(client.post("contacts", {"email": "a@example.com"})) == (403, "FORBIDDEN")
    role = make_role(shop, "contacts:manage", scope="all")

    shop.post(f"admin/users/{person.pk}/roles", {"role_id": role})

    made = team.post("contacts", {"firstName": "Ann", "lastName": "Lee"})
    assert made.status_code == 201
    pk = made.json()["data"]["id"]
    assert platform.get(f"contacts/{pk}").json()["full_name"] == "Ann Lee"
    assert platform.patch(f"contacts/{pk}", {"first_name": "Anna"}).status_code == 200
    assert platform.delete(f"contacts/{pk}").status_code == 200
    assert platform.post(f"contacts/{pk}/restore").status_code == 200
    assert platform.get("contacts").json()["total"] >= 1
    assert codes(platform.get("users")) == (403, "FORBIDDEN")

    shop.delete(f"admin/roles/{role}/permissions/{CONTACTS_MANAGE}")
    assert codes(team.get("contacts")) == (403, "FORBIDDEN")
    assert codes(platform.get(f"contacts/{pk}")) == (403, "FORBIDDEN")


def test_a_role_with_one_permission_allows_that_alone(acme, shop, client_for):
    person = acme.add("customer")
    shop.post(f"admin/users/{person.pk}/roles", {"role_id": make_role(shop, "contacts:view")})
    platform = client_for(person, "platform")

    assert platform.get("contacts").status_code == 200
    assert codes(platform.post("contacts", {"email": "a@example.com"})) == (403, "FORBIDDEN")


def test_permissions_of_several_roles_add_up_and_the_widest_sight_wins(acme, shop, client_for):
    pk = client_for(acme.owner, "platform").post("contacts", {"email": "far@example.com"}).json()["id"]
    staff = client_for(acme.staff, "platform")
    assert codes(staff.get(f"contacts/{pk}")) == (404, "NOT_FOUND")
    assert codes(staff.delete(f"contacts/{pk}")) in {(403, "FORBIDDEN"), (404, "NOT_FOUND")}

    role = make_role(shop, "contacts:delete", scope="all")
    shop.post(f"admin/users/{acme.staff.pk}/roles", {"role_id": role})

    assert staff.get(f"contacts/{pk}").status_code == 200
    assert staff.get("me").json()["role"] == "sales"
    assert staff.delete(f"contacts/{pk}").status_code == 200
    shop.put(f"admin/roles/{role}", {"scope": "own"})
    assert codes(staff.get(f"contacts/{pk}")) == (404, "NOT_FOUND")


def test_a_custom_role_with_users_update_cannot_take_over_a_higher_account(acme, shop, client_for):
    clerk = acme.add("viewer")
    shop.post(f"admin/users/{clerk.pk}/roles", {"role_id": make_role(shop, "users:manage", scope="all")})
    platform = client_for(clerk, "platform")

    assert codes(platform.post(f"users/{acme.owner.pk}/password", {"new_password": "a-better-battery-10"})) == (
        403,
        "FORBIDDEN",
    )
    assert codes(platform.patch(f"users/{acme.owner.pk}", {"email": "mine@example.com"})) == (403, "FORBIDDEN")
    assert codes(platform.patch(f"users/{acme.staff.pk}", {"is_active": False})) == (403, "FORBIDDEN")
    assert codes(platform.delete(f"users/{acme.manager.pk}")) == (403, "FORBIDDEN")
    assert codes(platform.patch(f"users/{clerk.pk}", {"role": "tenant_admin"})) == (403, "FORBIDDEN")
    assert codes(platform.patch(f"users/{acme.customer.pk}", {"role": "manager"})) == (403, "FORBIDDEN")
    assert platform.patch(f"users/{acme.staff.pk}", {"phone": "1"}).status_code == 200
    assert platform.delete(f"users/{acme.customer.pk}").status_code == 200
