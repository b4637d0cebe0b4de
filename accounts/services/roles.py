"""Roles an organization makes for itself, and who holds which. Built-in roles are fixed."""

from collections.abc import Iterable
from typing import TypedDict, Unpack
from uuid import UUID

from accounts import role_names
from accounts.models import Invitation, Role, Scope, User, UserRole
from accounts.permissions import CUSTOM, CUSTOM_ROLE_RANK, effective
from accounts.services import notices
from accounts.services.membership import organization_of
from crm.core import events
from crm.core.actor import Actor, system_actor
from crm.core.db import lock_row
from crm.core.errors import Conflict, Forbidden, Invalid, NotFound

MOST_ROLES = 200  # lists of roles are answered whole, so there is an end to them


def create_role(actor: Actor, *, name: str, description: str = "", scope: str = Scope.OWN) -> Role:
    """Create a custom role that permits nothing yet; a taken name is a `Conflict`."""
    _require_scope(actor, scope)
    _require_free(actor, name)
    if Role.objects.of(actor).count() >= MOST_ROLES:
        raise Conflict(f"An organization has at most {MOST_ROLES} roles.", code="LIMIT_REACHED")
    role = Role.objects.create(
        organization_id=actor.organization_id, name=name, description=description, scope=scope, rank=CUSTOM_ROLE_RANK
    )
    events.record(actor, "role.created", role, title=f"Role {name} created")
    return role


class RoleFields(TypedDict, total=False):
    """What may be said of a custom role, by domain name."""

    name: str
    description: str
    scope: str


def update_role(actor: Actor, role: Role, **fields: Unpack[RoleFields]) -> Role:
    """Rename or describe a custom role; to widen its sight one must be able to hand it out."""
    role = _lock_custom(actor, role)
    if "name" in fields and fields["name"] != role.name:
        _require_free(actor, fields["name"], but=role.pk)
    if fields.get("scope", role.scope) != role.scope:
        require_role(actor, role)
        _require_scope(actor, fields["scope"])
    changes = events.assign(role, fields)
    if changes:
        role.save()
        events.record(actor, "role.updated", role, title=f"Role {role.name} updated", changes=changes)
    return role


def delete_role(actor: Actor, role: Role) -> None:
    """Delete a custom role that nobody holds or is invited to."""
    role = _lock_custom(actor, role)
    invitations = Invitation.objects.of(actor).filter(role=role)
    is_held = UserRole.objects.of(actor).filter(role=role).exists()
    if is_held or invitations.filter(accepted_at=None, revoked_at=None).exists():
        raise Conflict("Users hold this role, or are invited to it.", code="ROLE_IN_USE")
    invitations.delete()  # settled ones; the events tell of them
    events.record(actor, "role.deleted", role, title=f"Role {role.name} deleted")
    role.delete()


def role_named(actor: Actor, name: str, *, field: str = "role") -> Role:
    """Return the organization's role of this stored name, or raise `Invalid`."""
    role = Role.objects.of(actor).filter(name=name).first()
    if role is None:
        raise Invalid({field: "There is no such role."})
    return role


def roles_of(actor: Actor, user: User) -> list[Role]:
    """Return the roles a user holds, the highest-ranking first."""
    held = Role.objects.of(actor).filter(holders__user=user, holders__organization_id=actor.organization_id)
    return list(held.order_by("-rank", "name"))


def assign_role(actor: Actor, user: User, role: Role) -> None:
    """Give a user one more role; one held already stays as it is."""
    if _give(actor, user, role):
        _follow(actor, user)


def revoke_role(actor: Actor, user: User, role: Role) -> None:
    """Take a role away from a user who holds it; not the owner's from the last active owner."""
    _take(actor, user, role)
    _follow(actor, user)


def set_role(actor: Actor, user: User, role: Role) -> None:
    """Make `role` the highest-ranking one of a user: it replaces the one that was, and whatever ranks as high."""
    held = roles_of(actor, user)
    if held and held[0].pk == role.pk:
        return
    require_role(actor, role)
    for other in held:
        if other.pk != role.pk and (other.pk == held[0].pk or other.rank >= role.rank):
            _take(actor, user, other)
    _give(actor, user, role)
    _follow(actor, user)


def standing_of(user: User) -> Actor:
    """Return what the roles of a user let them do now: for asking whether they still may what they once did."""
    system = system_actor(organization_of(user))
    held = roles_of(system, user)
    return Actor(
        organization_id=system.organization_id,
        user_id=user.pk,
        permissions=effective(
            tuple(role.name for role in held if role.is_built_in),
            tuple(code for role in held if not role.is_built_in for code in role.permissions),
        ),
        roles=tuple(role.name for role in held),
        built_in_roles=frozenset(role.name for role in held if role.is_built_in),
        sees_all=any(role.scope == Scope.ALL for role in held),
        rank=max((role.rank for role in held), default=0),
    )


def require_standing_over(actor: Actor, user: User) -> None:
    """Raise `Forbidden` unless the actor could grant every role that the user holds."""
    for role in roles_of(actor, user):
        if not can_grant(actor, role):
            raise Forbidden(f"You may not do this to a user with the role {role.name}.")


def require_other_owner(actor: Actor, user: User) -> None:
    """Raise `Conflict` where nobody but this user is an active owner; holds until the transaction ends."""
    lock_owners(actor)
    owners = UserRole.objects.of(actor).filter(role__name=OWNER, role__is_built_in=True, user__is_active=True)
    if set(owners.values_list("user_id", flat=True)[:2]) == {user.pk}:
        raise Conflict("The organization needs an active owner.", code="LAST_OWNER")


def lock_owners(actor: Actor) -> None:
    """Let one transaction at a time take owners away: two who demote each other meet here."""
    owner = Role.objects.of(actor).get(name=OWNER, is_built_in=True)
    lock_row(Role.objects.of(actor), owner.pk)


def _lock_custom(actor: Actor, role: Role) -> Role:
    role = lock_row(Role.objects.of(actor), role.pk)
    require_custom(role)
    return role


def require_custom(role: Role) -> None:
    """Raise `Conflict` for a built-in role."""
    if role.is_built_in:
        raise Conflict("Built-in roles cannot be changed.", code="ROLE_PROTECTED")


def _require_scope(actor: Actor, scope: str) -> None:
    if scope == Scope.ALL and not (actor.sees_all or actor.is_system):
        raise Forbidden("A role with the scope `all` can be made only by a user whose own scope is `all`.")


def _require_free(actor: Actor, name: str, *, but: UUID | None = None) -> None:
    taken = Role.objects.of(actor).filter(name__iexact=name)
    if but is not None:
        taken = taken.exclude(pk=but)
    if name.lower() in role_names.RESERVED or taken.exists():
        raise Conflict("There is a role of this name.", code="ROLE_EXISTS")


def _record(actor: Actor, user: User, name: str, title: str, role: Role) -> None:
    events.record(actor, name, user, title=title, metadata={"role": role.name, "role_id": str(role.pk)})


def _give(actor: Actor, user: User, role: Role) -> bool:
    """Give a user a role, and tell whether they did not hold it before."""
    require_role(actor, role)
    role = lock_row(Role.objects.of(actor), role.pk)  # not while it is being deleted
    _, is_new = UserRole.objects.get_or_create(organization_id=actor.organization_id, user=user, role=role)
    if is_new:
        _record(actor, user, "user.role_assigned", f"{user} given the role {role.name}", role)
    return bool(is_new)


def _take(actor: Actor, user: User, role: Role) -> None:
    held = UserRole.objects.of(actor).filter(user=user, role=role)
    if not held.exists():
        raise NotFound("This user does not hold this role.")
    require_role(actor, role)
    if role.is_built_in and role.name == OWNER:
        require_other_owner(actor, user)
    held.delete()
    _record(actor, user, "user.role_revoked", f"Role {role.name} taken from {user}", role)


def _follow(actor: Actor, user: User) -> None:
    """Tell a user of changed roles; of one who is invited, the open invitation says the role that they will have."""
    if not user.is_invited:
        notices.put(user, notices.ROLE_CHANGED)
        return
    highest = roles_of(actor, user)[:1]
    if highest:
        open_ones = Invitation.objects.of(actor).filter(user=user, accepted_at=None, revoked_at=None)
        open_ones.update(role=highest[0])


OWNER = "owner"


def is_owner(actor: Actor) -> bool:
    """Tell whether the actor holds the built-in role of owners; a custom role of that name gives nothing."""
    return OWNER in actor.built_in_roles


def can_grant(actor: Actor, role: Role) -> bool:
    """Tell whether the actor may give this role to somebody or take it away.

    Owners grant anything; others only roles below their own rank, whose permissions and sight they have themselves.
    """
    if actor.is_system or is_owner(actor):
        return True
    if role.rank >= actor.rank or (role.scope == Scope.ALL and not actor.sees_all):
        return False
    return permissions_of(role) <= actor.permissions


def require_role(actor: Actor, role: Role) -> None:
    """Raise `Forbidden` unless the actor may grant the role."""
    if not can_grant(actor, role):
        raise Forbidden(f"You may not grant or revoke the role {role.name}.")


def require_permissions(actor: Actor, codes: Iterable[str]) -> None:
    """Raise `Forbidden`, naming the first, where the actor lacks one of the permissions; owners hold later ones too."""
    if actor.is_system or is_owner(actor):
        return
    for code in codes:
        if code not in actor.permissions:
            raise Forbidden(f"You may not grant the permission {code.removeprefix(CUSTOM)}: you do not hold it.")


def permissions_of(role: Role) -> frozenset[str]:
    """Return everything that a role lets its holder do."""
    names = (role.name,) if role.is_built_in else ()
    return effective(names, tuple(role.permissions))
