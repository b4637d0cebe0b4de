"""Who acts: made once per request or task, and the first argument of every service."""

from dataclasses import dataclass, field
from uuid import UUID

from crm.core.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Actor:
    """A user's (or the system's) standing in one organization.

    `permissions` are `resource:action` with `manage` already spread out; `roles` names all roles, custom ones too, and
    `built_in_roles` those whose names mean something; `sees_all` is the widest scope among the roles. `timezone` is the
    person's own, `organization_timezone` the one reports run in.
    """

    organization_id: UUID
    user_id: UUID | None = None
    session_id: UUID | None = None
    permissions: frozenset[str] = frozenset()
    roles: tuple[str, ...] = ()
    built_in_roles: frozenset[str] = frozenset()
    sees_all: bool = False
    rank: int = 0
    name: str = ""
    email: str = ""
    timezone: str = "UTC"
    organization_slug: str = ""
    organization_timezone: str = "UTC"
    currency: str = "USD"
    shop_enabled: bool = True
    is_system: bool = field(default=False)

    def can(self, permission: str) -> bool:
        """Tell whether the actor holds `resource:action`."""
        return self.is_system or permission in self.permissions

    def require(self, permission: str) -> None:
        """Raise `Forbidden`, naming the permission, unless the actor holds it."""
        if not self.can(permission):
            raise Forbidden(f"This needs the permission {permission}.")


def system_actor(organization_id: UUID, *, timezone: str = "UTC", currency: str = "USD") -> Actor:
    """Return the actor of tasks and commands: no person, one organization, everything allowed in it."""
    return Actor(
        organization_id=organization_id,
        sees_all=True,
        name="System",
        organization_timezone=timezone,
        currency=currency,
        is_system=True,
    )
