"""Permissions an organization makes for itself, and which role holds which. Built-in permissions are fixed."""

from typing import TypedDict, Unpack
from uuid import UUID

from accounts.models import Permission, Role
from accounts.permissions import ALL, BUILT_IN_PERMITS, PermissionInfo, custom_code, shown_codes
from accounts.services import roles
from accounts.services.roles import require_custom
from crm.core import events
from crm.core.actor import Actor
from crm.core.db import lock_row
from crm.core.errors import Conflict, NotFound

MOST_PERMISSIONS = 500  # custom ones; the list is answered whole, so there is an end to it
_BUILT_IN_NAMES = frozenset(permit.name for permit in BUILT_IN_PERMITS.values())


def all_permissions(actor: Actor) -> list[PermissionInfo]:
    """Return the built-in permissions and the organization's own."""
    return [*BUILT_IN_PERMITS.values(), *_custom(actor)]


def get_permission(actor: Actor, pk: UUID) -> PermissionInfo:
    """Return a permission by its id, or raise `NotFound`."""
    if pk in BUILT_IN_PERMITS:
        return BUILT_IN_PERMITS[pk]
    row = Permission.objects.of(actor).filter(pk=pk).first()
    if row is None:
        raise NotFound("Permission not found.")
    return _permit(row)


def held_by(actor: Actor) -> list[str]:
    """Return the codes the actor holds, in order; owners hold the organization's own ones too."""
    codes = set(actor.permissions)
    if roles.is_owner(actor):
        codes.update(permit.held_as for permit in _custom(actor))
    return shown_codes(codes)


def create_permission(actor: Actor, *, name: str, resource: str, action: str, description: str = "") -> PermissionInfo:
    """Create a permission; a taken name, or resource and action, is a `Conflict`."""
    row = Permission(
        organization_id=actor.organization_id, name=name, resource=resource, action=action, description=description
    )
    _require_free(actor, row)
    if Permission.objects.of(actor).count() >= MOST_PERMISSIONS:
        raise Conflict(f"An organization has at most {MOST_PERMISSIONS} permissions of its own.", code="LIMIT_REACHED")
    row.save(force_insert=True)
    events.record(actor, "permission.created", row, title=f"Permission {row} created")
    return _permit(row)


class PermissionFields(TypedDict, total=False):
    """What may be said of a permission of one's own, by domain name."""

    name: str
    resource: str
    action: str
    description: str


def update_permission(actor: Actor, pk: UUID, **fields: Unpack[PermissionFields]) -> PermissionInfo:
    """Change a custom permission; roles that hold it hold what it has become."""
    row = _lock(actor, pk)
    before = str(row)
    changes = events.assign(row, fields)
    if not changes:
        return _permit(row)
    _require_free(actor, row)
    if str(row) != before:
        _replace(actor, before, str(row))
    row.save()
    events.record(actor, "permission.updated", row, title=f"Permission {row} updated", changes=changes)
    return _permit(row)


def delete_permission(actor: Actor, pk: UUID) -> None:
    """Delete a custom permission; it leaves the roles that hold it."""
    row = _lock(actor, pk)
    _replace(actor, str(row), None)
    events.record(actor, "permission.deleted", row, title=f"Permission {row} deleted")
    row.delete()


def granted_to(actor: Actor, role: Role) -> list[PermissionInfo]:
    """Return the permissions of a role, in the order of the whole list."""
    if role.is_built_in:
        codes = roles.permissions_of(role)
        return [permit for permit in all_permissions(actor) if permit.held_as in codes or role.name == roles.OWNER]
    return [permit for permit in all_permissions(actor) if permit.held_as in role.permissions]


def grant_permission(actor: Actor, role: Role, pk: UUID) -> None:
    """Add a permission that the actor holds to a custom role; one that is there stays."""
    permit = get_permission(actor, pk) if pk in BUILT_IN_PERMITS else _permit(_lock(actor, pk))
    role = _lock_role(actor, role, permit)
    if permit.held_as not in role.permissions:
        _save(actor, role, [*role.permissions, permit.held_as], "role.permission_granted", permit.code)


def revoke_permission(actor: Actor, role: Role, pk: UUID) -> None:
    """Take a permission from a custom role; one that is not there is no matter."""
    permit = get_permission(actor, pk)
    role = _lock_role(actor, role, permit)
    if permit.held_as in role.permissions:
        rest = [code for code in role.permissions if code != permit.held_as]
        _save(actor, role, rest, "role.permission_revoked", permit.code)


def _lock_role(actor: Actor, role: Role, permit: PermissionInfo) -> Role:
    role = lock_row(Role.objects.of(actor), role.pk)
    require_custom(role)
    roles.require_role(actor, role)
    roles.require_permissions(actor, [permit.held_as])
    return role


def _replace(actor: Actor, old: str, new: str | None) -> None:
    """Put `new` (or nothing) in place of `old`, codes of custom permissions, in every role that holds it.

    The roles are locked in the order of their keys.
    """
    old, new = custom_code(old), new and custom_code(new)
    holders = Role.objects.of(actor).filter(permissions__contains=[old]).order_by("pk").select_for_update(no_key=True)
    for role in holders:
        roles.require_permissions(actor, [code for code in (old, new) if code])
        kept = [code for code in role.permissions if code != old]
        role.permissions = [*kept, new] if new else kept
        role.save(update_fields=["permissions", "updated_at"])


def _save(actor: Actor, role: Role, codes: list[str], event: str, code: str) -> None:
    role.permissions = codes
    role.save(update_fields=["permissions", "updated_at"])
    events.record(actor, event, role, title=f"Permissions of role {role.name} changed", metadata={"permission": code})


def _custom(actor: Actor) -> list[PermissionInfo]:
    return [_permit(row) for row in Permission.objects.of(actor).order_by("created_at", "id")]


def _permit(row: Permission) -> PermissionInfo:
    return PermissionInfo(row.pk, row.name, row.resource, row.action, row.description)


def _lock(actor: Actor, pk: UUID) -> Permission:
    if pk in BUILT_IN_PERMITS:
        raise Conflict("Built-in permissions cannot be changed.", code="PERMISSION_PROTECTED")
    try:
        return lock_row(Permission.objects.of(actor), pk)
    except NotFound as error:
        raise NotFound("Permission not found.") from error


def _require_free(actor: Actor, row: Permission) -> None:
    others = Permission.objects.of(actor).exclude(pk=row.pk)
    same_code = str(row) in ALL or others.filter(resource=row.resource, action=row.action).exists()
    same_name = row.name in _BUILT_IN_NAMES or others.filter(name=row.name).exists()
    if same_code or same_name:
        raise Conflict("There is a permission of this name, or of this resource and action.", code="PERMISSION_EXISTS")
