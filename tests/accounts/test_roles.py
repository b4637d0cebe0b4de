"""Roles and permissions: the Storefront's endpoints by its document, and what roles mean on every surface."""

from uuid import uuid4

import pytest

from accounts.models import Role
from accounts.permissions import BUILT_IN_ROLES, RESOURCES, built_in_id
from tests.accounts.roles import make_role, role_id
from tests.support.clients import codes, fields

CONTACTS_MANAGE = str(built_in_id("contacts:manage"))


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
