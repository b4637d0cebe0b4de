"""Roles for the tests of roles."""

from uuid import uuid4

from accounts.models import Role, UserRole
from accounts.permissions import built_in_id


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


def member_who_may(tenant, permissions):
    """A user whose one role sees everything of the organization, by these permissions alone."""
    user = tenant.add("viewer")
    with tenant.inside():
        role = Role.objects.create(
            organization_id=tenant.id, name=f"only {uuid4().hex[:8]}", scope="all", rank=15, permissions=permissions
        )
        UserRole.objects.of(tenant.id).filter(user=user).update(role=role)
    return user
