"""DRF permission classes: the action's permission first, then the object."""

from typing import Any

from rest_framework.permissions import BasePermission

from crm.core.db import TenantModel
from crm.core.errors import Forbidden

VERBS = {
    "list": "view",
    "retrieve": "view",
    "create": "create",
    "update": "update",
    "partial_update": "update",
    "destroy": "delete",
    "restore": "delete",
}
SIGNED_IN = "signed-in"  # any user of the surface, whatever their roles
MEMBER = "member"  # any user but a mere shopper


def required(view: Any, action: str) -> str | None:
    """Return the permission that `action` of a view needs; None where nothing is declared."""
    declared = view.permissions.get(action)
    if declared:
        return str(declared)
    if view.permission_resource and action in VERBS:
        return f"{view.permission_resource}:{VERBS[action]}"
    return None


class HasPermission(BasePermission):
    """The actor holds what the action declares."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Raise `Forbidden`, naming the permission, where it is missing."""
        actor = request.actor
        if not (actor.permissions or view.surface.admits_shoppers):
            raise Forbidden("This account is for shopping only.")
        needed = required(view, view.action)
        if needed is None:
            raise Forbidden("This action declares no permission.")
        if needed not in {SIGNED_IN, MEMBER}:
            actor.require(needed)
        return True


class OwnsObject(BasePermission):
    """The object is the actor's own, or the actor sees all. A second lock behind `visible_to`."""

    def has_object_permission(self, request: Any, view: Any, obj: Any) -> bool:
        """Ask the row; users and organizations are nobody's own."""
        return request.actor.sees_all or not isinstance(obj, TenantModel) or obj.is_own(request.actor)
