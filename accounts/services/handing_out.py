"""Who may hand out what: nobody gives, or takes away, a role or permission that they do not hold."""

from collections.abc import Iterable

from accounts.models import Role, Scope
from accounts.permissions import CUSTOM, effective
from crm.core.actor import Actor
from crm.core.errors import Forbidden

OWNER = "owner"


def is_owner(actor: Actor) -> bool:
    """Tell whether the actor holds the built-in role of owners; a custom role of that name gives nothing."""
    return OWNER in actor.built_in_roles


def may_hand_out(actor: Actor, role: Role) -> bool:
    """Tell whether the actor may give this role to somebody or take it away.

    Owners hand out anything; others only roles below their own rank, whose permissions and sight they have themselves.
    """
    if actor.is_system or is_owner(actor):
        return True
    if role.rank >= actor.rank or (role.scope == Scope.ALL and not actor.sees_all):
        return False
    return permissions_of(role) <= actor.permissions


def require_role(actor: Actor, role: Role) -> None:
    """Raise `Forbidden` unless the actor may hand out the role."""
    if not may_hand_out(actor, role):
        raise Forbidden(f"You may not hand out or take away the role {role.name}.")


def require_permissions(actor: Actor, codes: Iterable[str]) -> None:
    """Raise `Forbidden`, naming the first, where the actor lacks one of the permissions; owners hold later ones too."""
    if actor.is_system or is_owner(actor):
        return
    for code in codes:
        if code not in actor.permissions:
            raise Forbidden(f"You may not hand out the permission {code.removeprefix(CUSTOM)}: you do not hold it.")


def permissions_of(role: Role) -> frozenset[str]:
    """Return everything that a role lets its holder do."""
    names = (role.name,) if role.is_built_in else ()
    return effective(names, tuple(role.permissions))
