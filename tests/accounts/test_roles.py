"""Roles and permissions: the Storefront's endpoints by its document, and what roles mean on every surface."""

import threading
from uuid import uuid4

import pytest

from accounts.models import Role
from accounts.permissions import BUILT_IN_ROLES, RESOURCES, built_in_id
from crm.core.models import Event

CONTACTS_MANAGE = str(built_in_id("contacts:manage"))


def codes(response):
    return response.status_code, response.json()["error"]["code"]


def fields(response):
    return {detail["field"] for detail in response.json()["error"]["details"]}


def role_id(tenant, name):
    with tenant.inside():
        return Role.objects.of(tenant.id).get(name=name).pk


def make_role(client, *permissions, **fields):
    """Make a role with built-in permissions through the Storefront and return its id."""
    body = {"name": f"role_{uuid4().hex[:8]}", "description": "Made for a test"} | fields
    made = client.post("admin/roles", body).json()["data"]["role"]["id"]
    for code in permissions:
        granted = client.post(f"admin/roles/{made}/permissions", {"permission_id": str(built_in_id(code))})
        assert granted.status_code == 200
    return made


@pytest.fixture
def shop(acme, client_for):
    """The owner's client on the Storefront."""
    return client_for(acme.owner, "storefront")


# --- The document's own examples


def test_roles_as_the_document_shows_them(shop):
    listed = shop.get("admin/roles")
    assert listed.status_code == 200
    assert [role["name"] for role in listed.json()["data"]["roles"]] == [
        "admin",
        "manager",
        "staff",
        "customer_experience",
        "viewer",
        "user",
    ]
    assert listed.json()["data"]["roles"][0]["description"] == "Full system access"

    made = shop.post("admin/roles", {"name": "inventory_manager", "description": "Manages inventory levels"})
    assert made.status_code == 201
    role = made.json()["data"]["role"]
    assert (role["name"], role["description"]) == ("inventory_manager", "Manages inventory levels")
    assert (role["scope"], role["is_built_in"]) == ("own", False)

    path = f"admin/roles/{role['id']}"
    assert shop.get(path).json() == made.json()
    changed = shop.put(path, {"name": "inventory_admin", "description": "Full inventory access"})
    assert changed.status_code == 200
    assert changed.json()["data"]["role"] == role | {"name": "inventory_admin", "description": "Full inventory access"}
    assert changed.json()["data"]["role"] in shop.get("admin/roles").json()["data"]["roles"]

    gone = shop.delete(path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert codes(shop.get(path)) == (404, "not_found")


def test_permissions_as_the_document_shows_them(shop):
    listed = {found["name"]: found for found in shop.get("admin/permissions").json()["data"]["permissions"]}
    assert listed["manage_products"] == {
        "id": str(built_in_id("products:manage")),
        "name": "manage_products",
        "resource": "products",
        "action": "manage",
        "description": "Full access to products, categories, brands and variants",
    }
    assert {
        f"{verb}_{resource}" for resource in RESOURCES for verb in ("view", "create", "update", "delete", "manage")
    } <= set(listed)
    assert {"override_price_orders", "send_campaigns", "export_reports"} <= set(listed)

    body = {
        "name": "manage_inventory",
        "resource": "inventory",
        "action": "manage",
        "description": "Full access to inventory management",
    }
    made = shop.post("admin/permissions", body)
    assert made.status_code == 201
    permission = made.json()["data"]["permission"]
    assert permission == {"id": permission["id"], **body}
    path = f"admin/permissions/{permission['id']}"
    assert shop.get(path).json() == made.json()
    changed = shop.put(path, body | {"description": "Updated description"})
    assert (changed.status_code, changed.json()["data"]["permission"]["description"]) == (200, "Updated description")
    assert shop.get("admin/permissions").json()["data"]["permissions"][-1] == changed.json()["data"]["permission"]
    gone = shop.delete(path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert codes(shop.get(path)) == (404, "not_found")


def test_granting_and_revoking_as_the_document_shows_them(shop):
    path = f"admin/roles/{make_role(shop)}/permissions"
    assert shop.get(path).json() == {"data": {"permissions": []}}

    granted = shop.post(path, {"permission_id": CONTACTS_MANAGE})

    assert (granted.status_code, granted.json()) == (200, {"data": {"message": "Permission granted successfully"}})
    assert shop.post(path, {"permission_id": CONTACTS_MANAGE}).status_code == 200
    assert [found["name"] for found in shop.get(path).json()["data"]["permissions"]] == ["manage_contacts"]
    revoked = shop.delete(f"{path}/{CONTACTS_MANAGE}")
    assert (revoked.status_code, revoked.content) == (204, b"")
    assert shop.get(path).json() == {"data": {"permissions": []}}


def test_assigning_and_removing_as_the_document_shows_them(acme, shop):
    path = f"admin/users/{acme.customer.pk}/roles"
    assert shop.get(path).json() == {"data": {"roles": ["user"]}}

    assigned = shop.post(path, {"role_name": "admin"})

    assert (assigned.status_code, assigned.json()) == (200, {"data": {"message": "Role assigned successfully"}})
    assert shop.get(path).json() == {"data": {"roles": ["admin", "user"]}}
    assert shop.post(path, {"role_id": str(role_id(acme, "manager"))}).status_code == 200
    assert shop.get(path).json() == {"data": {"roles": ["admin", "manager", "user"]}}
    removed = shop.delete(f"{path}/{role_id(acme, 'manager')}")
    assert (removed.status_code, removed.content) == (204, b"")
    assert codes(shop.delete(f"{path}/{role_id(acme, 'manager')}")) == (404, "not_found")
    assert shop.get(path).json() == {"data": {"roles": ["admin", "user"]}}


# --- Refusals


ROUTES = [
    ("GET", "admin/roles", None, 200),
    ("POST", "admin/roles", {"name": "a_role"}, 201),
    ("GET", "admin/roles/{role}", None, 200),
    ("PUT", "admin/roles/{role}", {"description": "x"}, 200),
    ("GET", "admin/roles/{role}/permissions", None, 200),
    ("POST", "admin/roles/{role}/permissions", {"permission_id": str(built_in_id("orders:view"))}, 200),
    ("DELETE", f"admin/roles/{{role}}/permissions/{built_in_id('orders:view')}", None, 204),
    ("DELETE", "admin/roles/{role}", None, 204),
    ("GET", "admin/permissions", None, 200),
    ("POST", "admin/permissions", {"name": "x_ray", "resource": "rays", "action": "x"}, 201),
    ("GET", f"admin/permissions/{CONTACTS_MANAGE}", None, 200),
    ("PUT", "admin/permissions/{permission}", {"description": "x"}, 200),
    ("DELETE", "admin/permissions/{permission}", None, 204),
    ("GET", "admin/users/{user}/roles", None, 200),
    ("POST", "admin/users/{user}/roles", {"role_name": "user"}, 200),
    ("DELETE", "admin/users/{user}/roles/{customer}", None, 204),
]


@pytest.mark.parametrize("who", ["owner", "manager", "customer_experience", "staff", "viewer", "customer", None])
def test_who_may_use_the_roles_endpoints(acme, shop, client_for, who):
    client = client_for(acme.users[who] if who else None, "storefront", shop=acme.slug)
    permission = {"name": "tell_time", "resource": "clocks", "action": "tell"}
    named = {
        "role": make_role(shop),
        "permission": shop.post("admin/permissions", permission).json()["data"]["permission"]["id"],
        "user": acme.add("customer").pk,
        "customer": role_id(acme, "customer"),
    }

    for method, path, body, success in ROUTES:
        expected = success if who in {"owner", "manager", "customer_experience"} else 403 if who else 401
        assert client.request(method, path.format(**named), body).status_code == expected, (method, path)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"name": ["x"]}, "name"),
        ({"name": None}, "name"),
        ({"name": "ok", "description": "x" * 301}, "description"),
        ({"name": "ok", "scope": "some"}, "scope"),
        ({"name": "ok", "rank": 60}, "rank"),
        ({"name": "ok", "permissions": ["contacts:manage"]}, "permissions"),
    ],
)
def test_a_bad_role_is_refused(acme, shop, body, field):
    assert (codes(response := shop.post("admin/roles", body)), fields(response)) == ((400, "validation_error"), {field})

    with acme.inside():
        assert Role.objects.of(acme.id).count() == len(BUILT_IN_ROLES)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"resource": "In Ventory"}, "resource"),
        ({"resource": "a:b"}, "resource"),
        ({"action": "x" * 40}, "action"),
        ({"action": None}, "action"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_a_bad_permission_is_refused(shop, changed, field):
    body = {"name": "manage_inventory", "resource": "inventory", "action": "manage"} | changed

    assert (codes(response := shop.post("admin/permissions", body)), fields(response)) == (
        (400, "validation_error"),
        {field},
    )


@pytest.mark.parametrize("name", ["admin", "owner", "user", "tenant_admin", "sales", "Manager", "taken", "TAKEN"])
def test_a_taken_role_name_is_a_conflict(shop, name):
    make_role(shop, name="taken")
    free = make_role(shop)

    assert codes(shop.post("admin/roles", {"name": name})) == (409, "role_exists")
    assert codes(shop.put(f"admin/roles/{free}", {"name": name})) == (409, "role_exists")


def test_a_taken_permission_is_a_conflict(shop):
    taken = {"name": "tell_time", "resource": "clocks", "action": "tell"}
    shop.post("admin/permissions", taken)

    for body in (
        taken | {"name": "another"},
        taken | {"action": "ring"},
        {"name": "mine", "resource": "products", "action": "manage"},
        {"name": "manage_products", "resource": "my_products", "action": "manage"},
    ):
        assert codes(shop.post("admin/permissions", body)) == (409, "permission_exists")


def test_built_in_roles_and_permissions_are_fixed(acme, shop):
    for name in BUILT_IN_ROLES:
        path = f"admin/roles/{role_id(acme, name)}"
        assert codes(shop.put(path, {"description": "x"})) == (409, "role_protected")
        assert codes(shop.delete(path)) == (409, "role_protected")
        assert codes(shop.post(f"{path}/permissions", {"permission_id": CONTACTS_MANAGE})) == (409, "role_protected")
        assert codes(shop.delete(f"{path}/permissions/{CONTACTS_MANAGE}")) == (409, "role_protected")
    path = f"admin/permissions/{CONTACTS_MANAGE}"
    assert codes(shop.put(path, {"description": "x"})) == (409, "permission_protected")
    assert codes(shop.delete(path)) == (409, "permission_protected")


def test_a_role_that_is_held_or_invited_to_is_not_deleted(acme, shop, client_for):
    held, invited = make_role(shop, name="held"), make_role(shop, name="invited")
    shop.post(f"admin/users/{acme.viewer.pk}/roles", {"role_id": held})
    platform = client_for(acme.owner, "platform")
    new = platform.post(
        "users", {"email": f"{uuid4().hex[:9]}@example.com", "full_name": "New One", "role": "invited"}
    ).json()

    assert codes(shop.delete(f"admin/roles/{held}")) == (409, "role_in_use")
    assert codes(shop.delete(f"admin/roles/{invited}")) == (409, "role_in_use")

    shop.delete(f"admin/users/{acme.viewer.pk}/roles/{held}")
    assert shop.delete(f"admin/roles/{held}").status_code == 204
    platform.patch(f"users/{new['id']}", {"role": "viewer"})
    platform.delete(f"users/{new['id']}")
    assert shop.delete(f"admin/roles/{invited}").status_code == 204


def test_what_is_not_there_is_404_in_the_path_and_400_in_the_body(acme, other, shop):
    mine, user = make_role(shop), acme.viewer.pk
    for pk in (uuid4(), role_id(other, "staff")):
        for method, path, body in (
            ("GET", f"admin/roles/{pk}", None),
            ("PUT", f"admin/roles/{pk}", {"name": "x"}),
            ("DELETE", f"admin/roles/{pk}", None),
            ("GET", f"admin/roles/{pk}/permissions", None),
            ("POST", f"admin/roles/{pk}/permissions", {"permission_id": CONTACTS_MANAGE}),
            ("DELETE", f"admin/roles/{pk}/permissions/{CONTACTS_MANAGE}", None),
            ("DELETE", f"admin/roles/{mine}/permissions/{pk}", None),
            ("POST", f"admin/users/{user}/roles", {"role_id": str(pk)}),
            ("DELETE", f"admin/users/{user}/roles/{pk}", None),
        ):
            assert codes(shop.request(method, path, body)) == (404, "not_found"), (method, path)
    for pk in (uuid4(), other.staff.pk):
        assert codes(shop.get(f"admin/users/{pk}/roles")) == (404, "not_found")
        assert codes(shop.post(f"admin/users/{pk}/roles", {"role_name": "viewer"})) == (404, "not_found")
    assert codes(shop.post(f"admin/users/{user}/roles", {"role_name": "emperor"})) == (404, "not_found")
    for body in ({}, {"role_id": "x"}, {"role_name": ""}, {"role_id": mine, "role_name": "viewer"}, {"role": mine}):
        assert codes(shop.post(f"admin/users/{user}/roles", body)) == (400, "validation_error"), body
    for body in ({}, {"permission_id": str(uuid4())}, {"permission_id": 7}):
        response = shop.post(f"admin/roles/{mine}/permissions", body)
        assert (codes(response), fields(response)) == ((400, "validation_error"), {"permission_id"})
    assert codes(shop.put(f"admin/roles/{mine}", {})) == (400, "validation_error")


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
        assert Role.objects.get(pk=first).permissions == ["orders:view", "clocks:ring"]
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
