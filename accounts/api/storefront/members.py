"""Roles and permissions on the Storefront surface: `/admin/roles`, `/admin/permissions`, `/admin/users/:id/roles`."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from rest_framework import serializers

from accounts import role_names
from accounts.api.serializers import LONGEST_ROLE_NAME, PermissionFieldsSerializer, RoleNameField
from accounts.models import Role, Scope, User
from accounts.permissions import PermissionInfo
from accounts.services import permissions, roles
from crm.api.fields import LineField, OptionalChoiceField, OptionalTextField
from crm.api.renderers import json_response
from crm.api.routers import route
from crm.api.schema import extend_schema
from crm.api.serializers import Serializer
from crm.api.storefront import STOREFRONT
from crm.api.viewsets import ApiViewSet
from crm.core.errors import Invalid, NotFound

VIEW, MANAGE = "roles:view", "roles:manage"


class ShopRoleSerializer(Serializer):
    """A role by the shop's name for it: a named set of permissions, and how far it sees."""

    id = serializers.UUIDField(read_only=True)
    name = RoleNameField("storefront")
    description = OptionalTextField(max_length=300, allow_null=False)
    scope = OptionalChoiceField(Scope)
    is_built_in = serializers.BooleanField(read_only=True)


class GrantSerializer(Serializer):
    """The permission to grant."""

    permission_id = serializers.UUIDField()


class AssignmentSerializer(Serializer):
    """The role to assign, by id or by name."""

    role_id = serializers.UUIDField(required=False)
    role_name = LineField(max_length=LONGEST_ROLE_NAME, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for one of the two."""
        if len(attrs) != 1:
            raise serializers.ValidationError({"role_id": ["Either role_id or role_name is required."]})
        return attrs


class RoleViewSet(ApiViewSet):
    """What the views of roles share: finding what the address names."""

    surface = STOREFRONT

    def role(self, pk: UUID) -> Role:
        """Return the organization's role of this id, or raise `NotFound`."""
        return _found(Role.objects.of(self.actor), pk, "Role")

    def changes(self) -> dict[str, Any]:
        """Return what the body changes, which must be something."""
        values = self.validate(partial=True)
        if not values:
            raise Invalid(message="There is nothing to change.")
        return values


class RoleResourceViewSet(RoleViewSet):
    """`/admin/roles` and what each permits."""

    serializer_class = ShopRoleSerializer
    permissions = {
        "list": VIEW,
        "create": MANAGE,
        "retrieve": VIEW,
        "update": MANAGE,
        "destroy": MANAGE,
        "granted": VIEW,
        "grant": MANAGE,
        "revoke": MANAGE,
    }

    @extend_schema(response={"roles": [ShopRoleSerializer]})
    def list(self, request: Any, shop: str) -> HttpResponse:
        """List all roles, the highest-ranking first."""
        found = self.query(ShopRoleSerializer, Role).all(
            Role.objects.of(self.actor), order=("-rank", "created_at", "name")
        )
        return self.respond({"roles": found})

    @extend_schema(request=ShopRoleSerializer, response={"role": ShopRoleSerializer}, status=201)
    def create(self, request: Any, shop: str) -> HttpResponse:
        """Create a role that permits nothing yet."""
        return self.respond_with(roles.create_role(self.actor, **self.validate()), 201)

    @extend_schema(response={"role": ShopRoleSerializer})
    def retrieve(self, request: Any, shop: str, pk: UUID) -> HttpResponse:
        """Show a role."""
        return self.respond_with(self.role(pk))

    @extend_schema(request=ShopRoleSerializer, response={"role": ShopRoleSerializer}, partial=True)
    def update(self, request: Any, shop: str, pk: UUID) -> HttpResponse:
        """Change a role that is not built in."""
        return self.respond_with(roles.update_role(self.actor, self.role(pk), **self.changes()))

    @extend_schema(response=None, status=204)
    def destroy(self, request: Any, shop: str, pk: UUID) -> HttpResponse:
        """Delete a role that is not built in and that nobody holds."""
        roles.delete_role(self.actor, self.role(pk))
        return json_response(None, 204)

    @extend_schema(response={"permissions": [PermissionFieldsSerializer]})
    def granted(self, request: Any, shop: str, pk: UUID) -> HttpResponse:
        """List the permissions granted to a role."""
        return self.respond({"permissions": _listed(permissions.granted_to(self.actor, self.role(pk)))})

    @extend_schema(request=GrantSerializer, response={"message": str})
    def grant(self, request: Any, shop: str, pk: UUID) -> HttpResponse:
        """Grant a permission that one holds oneself."""
        role = self.role(pk)
        permission_id = self.validate(GrantSerializer)["permission_id"]
        try:
            permissions.grant_permission(self.actor, role, permission_id)
        except NotFound as error:
            raise Invalid({"permission_id": "There is no such permission."}) from error
        return self.respond({"message": "Permission granted successfully"})

    @extend_schema(response=None, status=204)
    def revoke(self, request: Any, shop: str, pk: UUID, permission_pk: UUID) -> HttpResponse:
        """Revoke a permission that one holds oneself."""
        permissions.revoke_permission(self.actor, self.role(pk), permission_pk)
        return json_response(None, 204)

    def respond_with(self, role: Role, status: int = 200) -> HttpResponse:
        """Answer with the role as it now stands."""
        found = self.query(ShopRoleSerializer, Role).one(self.actor, Role.objects.of, role.pk, cache_key="role")
        return self.respond({"role": found}, status)


class PermissionViewSet(RoleViewSet):
    """`/admin/permissions`: built-in ones, and the organization's own."""

    serializer_class = PermissionFieldsSerializer
    permissions = {"list": VIEW, "create": MANAGE, "retrieve": VIEW, "update": MANAGE, "destroy": MANAGE}

    @extend_schema(response={"permissions": [PermissionFieldsSerializer]})
    def list(self, request: Any, shop: str) -> HttpResponse:
        """List all permissions."""
        return self.respond({"permissions": _listed(permissions.all_permissions(self.actor))})

    @extend_schema(request=PermissionFieldsSerializer, response={"permission": PermissionFieldsSerializer}, status=201)
    def create(self, request: Any, shop: str) -> HttpResponse:
        """Create a permission."""
        return self.respond_with(permissions.create_permission(self.actor, **self.validate()), 201)

    @extend_schema(response={"permission": PermissionFieldsSerializer})
    def retrieve(self, request: Any, shop: str, pk: UUID) -> HttpResponse:
        """Show a permission."""
        return self.respond_with(permissions.get_permission(self.actor, pk))

    @extend_schema(
        request=PermissionFieldsSerializer, response={"permission": PermissionFieldsSerializer}, partial=True
    )
    def update(self, request: Any, shop: str, pk: UUID) -> HttpResponse:
        """Change a permission that is not built in; roles that hold it follow."""
        permissions.get_permission(self.actor, pk)
        return self.respond_with(permissions.update_permission(self.actor, pk, **self.changes()))

    @extend_schema(response=None, status=204)
    def destroy(self, request: Any, shop: str, pk: UUID) -> HttpResponse:
        """Delete a permission that is not built in; it leaves the roles that hold it."""
        permissions.delete_permission(self.actor, pk)
        return json_response(None, 204)

    def respond_with(self, permit: PermissionInfo, status: int = 200) -> HttpResponse:
        """Answer with a permission."""
        return self.respond({"permission": permit._asdict()}, status)


class UserRoleViewSet(RoleViewSet):
    """`/admin/users/:id/roles`."""

    permissions = {"list": VIEW, "assign": MANAGE, "revoke": MANAGE}

    @extend_schema(response={"roles": [str]})
    def list(self, request: Any, shop: str, pk: UUID) -> HttpResponse:
        """List the names of the roles that a user holds, the highest-ranking first."""
        held = roles.roles_of(self.actor, self.user(pk))
        shown = [role_names.shown(self.surface.name, role.name) if role.is_built_in else role.name for role in held]
        return self.respond({"roles": shown})

    @extend_schema(request=AssignmentSerializer, response={"message": str})
    def assign(self, request: Any, shop: str, pk: UUID) -> HttpResponse:
        """Assign a role that one may grant."""
        user = self.user(pk)
        roles.assign_role(self.actor, user, self.role_asked(**self.validate(AssignmentSerializer)))
        return self.respond({"message": "Role assigned successfully"})

    @extend_schema(response=None, status=204)
    def revoke(self, request: Any, shop: str, pk: UUID, role_pk: UUID) -> HttpResponse:
        """Revoke a role that one may grant."""
        roles.revoke_role(self.actor, self.user(pk), self.role(role_pk))
        return json_response(None, 204)

    def user(self, pk: UUID) -> User:
        """Return the user of this id whom the actor may see, or raise `NotFound`."""
        return _found(User.objects.visible_to(self.actor), pk, "User")

    def role_asked(self, *, role_id: UUID | None = None, role_name: str = "") -> Role:
        """Return the role that a body names, or raise `NotFound`."""
        if role_id is not None:
            return self.role(role_id)
        stored = role_names.stored(self.surface.name, role_name)
        role = Role.objects.of(self.actor).filter(name=stored).first()
        if role is None:
            raise NotFound("Role not found.")
        return role


def _found(rows: QuerySet[Any], pk: UUID, noun: str) -> Any:
    row = rows.filter(pk=pk).first()
    if row is None:
        raise NotFound(f"{noun} not found.")
    return row


def _listed(permits: list[PermissionInfo]) -> list[dict[str, Any]]:
    return [permit._asdict() for permit in permits]


urlpatterns = [
    route("admin/roles", RoleResourceViewSet, get="list", post="create"),
    route("admin/roles/<uuid:pk>", RoleResourceViewSet, get="retrieve", put="update", delete="destroy"),
    route("admin/roles/<uuid:pk>/permissions", RoleResourceViewSet, get="granted", post="grant"),
    route("admin/roles/<uuid:pk>/permissions/<uuid:permission_pk>", RoleResourceViewSet, delete="revoke"),
    route("admin/permissions", PermissionViewSet, get="list", post="create"),
    route("admin/permissions/<uuid:pk>", PermissionViewSet, get="retrieve", put="update", delete="destroy"),
    route("admin/users/<uuid:pk>/roles", UserRoleViewSet, get="list", post="assign"),
    route("admin/users/<uuid:pk>/roles/<uuid:role_pk>", UserRoleViewSet, delete="revoke"),
]
