"""A shopper is a user and a contact: who may not see the contact does not see the user either, anywhere."""

import pytest

from accounts.models import Role, UserRole
from contacts.models import Contact
from tests.accounts.roles import role_id
from tests.isolation.routes import of_surface
from tests.support.clients import codes

NAME = "Quillermina"
ALL_CONTACTS = ("owner", "manager", "customer_experience", "viewer")
# Custom roles by name: scope and permissions; the last alone sees everybody's contacts.
CUSTOM = {
    "near": ("own", ["users:view", "users:update", "contacts:view", "roles:view", "roles:create", "roles:manage"]),
    "no contacts": ("all", ["users:view", "users:update", "roles:view", "roles:manage"]),
    "far": ("all", ["users:view", "users:update", "contacts:view", "roles:view", "roles:manage"]),
}
RESTRICTED = ("staff", "near", "no contacts")
EVERYBODY = (*ALL_CONTACTS, "far", *RESTRICTED)


@pytest.fixture
def shopper(acme):
    return acme.add("customer", first_name=NAME)


@pytest.fixture
def user_of(acme):
    """Return what gives the user of a built-in role, or one of a custom role."""

    def find(name):
        if name not in CUSTOM:
            return acme.users[name]
        scope, permissions = CUSTOM[name]
        user = acme.add("viewer")
        with acme.inside():
            role = Role.objects.create(
                organization_id=acme.id, name=name, scope=scope, rank=15, permissions=permissions
            )
            UserRole.objects.of(acme.id).filter(user=user).update(role=role)
        return user

    return find


@pytest.mark.parametrize("name", EVERYBODY)
def test_shoppers_are_users_for_who_sees_their_contacts_alone(acme, client_for, shopper, user_of, name):
    sees = name in ALL_CONTACTS or name == "far"
    platform = client_for(user_of(name), "platform")

    listed = platform.get("users", role="customer")
    found = platform.get("users", role="customer", q=NAME)
    one = platform.get(f"users/{shopper.pk}")
    contacts = platform.get("contacts", q=NAME)

    assert (listed.status_code, found.status_code) == (200, 200)
    assert {row["role"] for row in listed.json()["items"]} == ({"customer"} if sees else set())
    assert (listed.json()["total"] > 0, found.json()["total"]) == (sees, int(sees))
    assert one.status_code == (200 if sees else 404)
    if contacts.status_code == 200:
        assert contacts.json()["total"] == int(sees)


@pytest.mark.parametrize("name", EVERYBODY)
def test_everybody_sees_all_members(acme, client_for, user_of, name):
    platform = client_for(user_of(name), "platform")

    listed = {row["id"] for row in platform.get("users").json()["items"]}

    members = {str(user.pk) for role, user in acme.users.items() if role != "customer"}
    assert members <= listed
    assert {platform.get(f"users/{pk}").status_code for pk in members} == {200}


@pytest.mark.parametrize("name", ["near", "no contacts"])
def test_the_roles_of_a_hidden_shopper_are_not_there(acme, client_for, shopper, user_of, name):
    shop = client_for(user_of(name), "storefront")
    path = f"admin/users/{shopper.pk}/roles"

    assert codes(shop.get(path)) == (404, "not_found")
    assert codes(shop.post(path, {"role_name": "user"})) == (404, "not_found")
    assert codes(shop.delete(f"{path}/{role_id(acme, 'customer')}")) == (404, "not_found")
    assert shop.get(f"admin/users/{acme.viewer.pk}/roles").status_code == 200
    assert client_for(acme.customer_experience, "storefront").get(path).json()["data"]["roles"] == ["user"]


def test_a_hidden_shopper_is_changed_by_nobody(acme, client_for, shopper, user_of):
    near = client_for(user_of("near"), "platform")

    assert codes(near.patch(f"users/{shopper.pk}", {"first_name": "Mine"})) == (404, "NOT_FOUND")
    assert codes(near.post(f"users/{shopper.pk}/password", {"new_password": "another-battery-10"})) == (
        404,
        "NOT_FOUND",
    )


def test_who_owns_the_contact_sees_the_contact_and_not_the_account(acme, client_for, shopper):
    with acme.inside():
        Contact.objects.of(acme.id).filter(user=shopper).update(owner=acme.staff)
    staff = client_for(acme.staff, "platform")

    assert staff.get("contacts", q=NAME).json()["total"] == 1
    assert staff.get(f"users/{shopper.pk}").status_code == 404


@pytest.mark.parametrize("name", RESTRICTED)
@pytest.mark.parametrize("surface", ["team", "platform", "storefront"])
def test_no_address_shows_a_hidden_shopper(acme, client_for, shopper, user_of, surface, name):
    """Every GET there is, its ids the shopper's, asked plainly, by name and by role."""
    client = client_for(user_of(name), surface)

    shown = [
        f"{path} {query}"
        for path in _paths(surface, shopper.pk)
        for query in ({}, {"q": NAME}, {"search": NAME}, {"role": "customer"})
        if (response := client.get(path, **query)).status_code == 200 and _tells(response, shopper)
    ]

    assert shown == []


@pytest.mark.parametrize("surface", ["platform"])
def test_the_walk_finds_shoppers_where_they_may_be_seen(acme, client_for, shopper, surface):
    client = client_for(acme.viewer, surface)
    shown = {path for path in _paths(surface, shopper.pk) if _tells(client.get(path, role="customer"), shopper)}

    assert {"users", f"users/{shopper.pk}", "contacts", "customers"} <= shown


def _paths(surface, pk):
    """Return every address of a surface that answers a GET, below its base, with `pk` for each id."""
    for route in of_surface(surface):
        if route.is_read and not route.is_public:
            yield route.path("-", dict.fromkeys(route.parameters, pk)).split(f"/{_base(surface)}/", 1)[1]


def _base(surface):
    return {"team": "api", "platform": "api/v1", "storefront": "shop/-/api/v1"}[surface]


def _tells(response, shopper):
    text = response.content.decode()
    return NAME in text or shopper.email in text
