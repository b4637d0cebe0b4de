"""Permissions of an organization's own: they never become built-in ones, whatever a later release builds in."""

import pytest

from accounts.models import UserRole
from accounts.permissions import ALL, CUSTOM, shown_codes
from contacts.api.platform import PlatformAccountViewSet
from crm.core.models import Event
from tests.accounts.roles import make_role
from tests.support.clients import codes

APPROVE = {"name": "approve_campaigns", "resource": "campaigns", "action": "approve"}


@pytest.fixture
def role(shop):
    """A custom role that holds the custom permission `campaigns:approve` and the built-in `users:view`."""
    made = make_role(shop, "users:view", scope="all")
    permission = shop.post("admin/permissions", APPROVE).json()["data"]["permission"]["id"]
    assert shop.post(f"admin/roles/{made}/permissions", {"permission_id": permission}).status_code == 200
    return made


@pytest.fixture
def holder(acme, role):
    user = acme.add("viewer")
    with acme.inside():
        UserRole.objects.of(acme.id).filter(user=user).update(role_id=role)
    return user


def test_a_route_of_a_later_release_is_closed_to_a_custom_permission_of_its_code(client_for, holder, monkeypatch):
    """Campaigns may come to ask for `campaigns:approve`; here the list of accounts does."""
    monkeypatch.setattr(PlatformAccountViewSet, "permissions", {"list": "campaigns:approve"})

    assert codes(client_for(holder, "platform").get("accounts")) == (403, "FORBIDDEN")


def test_clients_see_the_code_as_it_was_given(acme, shop, client_for, role, holder):
    granted = shop.get(f"admin/roles/{role}/permissions").json()["data"]["permissions"]

    assert [(one["resource"], one["action"]) for one in granted] == [("users", "view"), ("campaigns", "approve")]
    assert client_for(holder, "platform").get("me").json()["permissions"] == ["campaigns:approve", "users:view"]
    assert client_for(holder, "team").get("auth/me").json()["data"]["permissions"] == [
        "campaigns:approve",
        "users:view",
    ]
    assert "campaigns:approve" in client_for(acme.owner, "platform").get("me").json()["permissions"]
    with acme.inside():
        event = Event.objects.of(acme.id).filter(name="role.permission_granted").latest("id")
    assert event.metadata == {"permission": "campaigns:approve"}


def test_a_refusal_names_the_code_as_it_was_given(acme, client_for, shop, role):
    permission = next(
        one["id"]
        for one in shop.get("admin/permissions").json()["data"]["permissions"]
        if one["name"] == "approve_campaigns"
    )
    desk = client_for(acme.customer_experience, "storefront")

    refused = desk.post(f"admin/roles/{make_role(shop)}/permissions", {"permission_id": permission})

    assert codes(refused) == (403, "forbidden")
    assert "permission campaigns:approve:" in refused.json()["error"]["message"]


def test_a_custom_permission_can_be_changed_and_taken_away_again(shop, client_for, role, holder):
    granted = shop.get(f"admin/roles/{role}/permissions").json()["data"]["permissions"][1]
    path = f"admin/permissions/{granted['id']}"

    assert shop.put(path, {"action": "veto"}).status_code == 200
    assert client_for(holder, "platform").get("me").json()["permissions"] == ["campaigns:veto", "users:view"]
    assert shop.delete(f"admin/roles/{role}/permissions/{granted['id']}").status_code == 204
    assert client_for(holder, "platform").get("me").json()["permissions"] == ["users:view"]
    assert shop.delete(path).status_code == 204


def test_the_documents_own_permission_spreads_as_before(shop, client_for, role, holder):
    """`manage` is all four verbs for custom resources too."""
    made = shop.post("admin/permissions", {"name": "manage_inventory", "resource": "inventory", "action": "manage"})
    shop.post(f"admin/roles/{role}/permissions", {"permission_id": made.json()["data"]["permission"]["id"]})

    shown = client_for(holder, "platform").get("me").json()["permissions"]

    assert {f"inventory:{verb}" for verb in ("view", "create", "update", "delete", "manage")} <= set(shown)


def test_no_built_in_code_can_look_like_a_custom_one():
    assert not [code for code in ALL if code.startswith(CUSTOM) or "." in code]
    assert shown_codes({"custom.contacts:view", "custom.clocks:tell", "users:view"}) == ["clocks:tell", "users:view"]
