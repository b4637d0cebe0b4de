"""Users on the Platform surface."""

from typing import Any, NotRequired
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from rest_framework import serializers

from accounts.api.auth_serializers import Password
from accounts.api.serializers import OrganizationRefSerializer, RoleField, UserFieldsSerializer, roles_on
from accounts.api.viewsets import MemberViewSet
from accounts.models import User
from accounts.services import permissions, users
from crm.api.fields import LineField, SqlValueField
from crm.api.permissions import MEMBER
from crm.api.platform import PLATFORM
from crm.api.routers import resource, route
from crm.api.schema import extend_schema
from crm.api.serializers import Serializer
from crm.core.actor import Actor

PREFERENCES = {"preferences": NotRequired[dict]}


class OwnUserSerializer(UserFieldsSerializer):
    """The signed-in user, with roles and organization."""

    role = RoleField("platform")
    roles = roles_on("platform")
    company_id = serializers.UUIDField(source="organization_id", read_only=True)
    organization = OrganizationRefSerializer(read_only=True)
    email_verified = SqlValueField(Q(email_verified_at__isnull=False), serializers.BooleanField())


class UserChangeSerializer(OwnUserSerializer):
    """What may be changed of a user; one's own address or role takes the present password."""

    current_password = Password(required=False)


class PlatformUserSerializer(OwnUserSerializer):
    """A user as others see them."""

    preferences = None  # type: ignore[assignment]  # a user's own affair


class NewUserSerializer(Serializer):
    """What a user is made of: a name in one part or two, and a password unless they are to be invited."""

    email = serializers.EmailField(max_length=254)
    full_name = LineField(max_length=201, required=False)
    first_name = LineField(max_length=100, required=False)
    last_name = LineField(max_length=100, required=False, allow_blank=True)
    role = RoleField("platform", required=True)
    password = serializers.CharField(max_length=128, required=False, allow_null=True, trim_whitespace=False)
    phone = LineField(max_length=20, required=False, allow_blank=True)
    timezone = LineField(max_length=60, required=False)
    language = LineField(max_length=2, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for a name."""
        if not ({"full_name", "first_name", "last_name"} & set(attrs)):
            raise serializers.ValidationError({"full_name": ["This field is required."]})
        return attrs


class ChangedPasswordSerializer(Serializer):
    """A new password, and the present one where it is one's own."""

    current_password = serializers.CharField(max_length=128, required=False, trim_whitespace=False)
    new_password = serializers.CharField(max_length=128, trim_whitespace=False)


class PlatformUserViewSet(MemberViewSet):
    """`/users`."""

    surface = PLATFORM
    serializer_class: type[Serializer] = PlatformUserSerializer
    verbose_name_plural = "users"
    permissions = {"partial_update": MEMBER, "me": MEMBER, "change_password": MEMBER}
    strict_throttle = frozenset({"change_password"})
    strict_throttle_fields = {"partial_update": "current_password"}

    def get_input_serializer_class(self) -> type[Serializer]:
        """Return the shape of bodies."""
        shapes = {
            "create": NewUserSerializer,
            "change_password": ChangedPasswordSerializer,
            "partial_update": UserChangeSerializer,
        }
        return shapes.get(self.action, OwnUserSerializer)

    def get_queryset(self, actor: Actor) -> QuerySet[User]:
        """Return active members."""
        return super().get_queryset(actor).filter(is_active=True)

    def get_filter_data(self) -> dict[str, str]:
        """List the inactive only where they are asked for."""
        requested = super().get_filter_data()
        return {"is_active": "true", **requested} if requested else requested

    @extend_schema(response=PlatformUserSerializer, extra=PREFERENCES)
    def retrieve(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Show a user; their preferences to themselves alone."""
        self.serializer_class = self.shape_of(pk)
        return super().retrieve(request, pk, **kwargs)

    @extend_schema(request=OwnUserSerializer, response=PlatformUserSerializer, extra=PREFERENCES, partial=True)
    def partial_update(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Change any part of a user, within what one may; their preferences are shown to themselves alone."""
        return super().partial_update(request, pk, **kwargs)

    def respond_with(self, row: User, status: int = 200, **extra: Any) -> HttpResponse:
        """Answer with the user as they now stand."""
        self.serializer_class = self.shape_of(row.pk)
        return super().respond_with(row, status, **extra)

    def shape_of(self, pk: UUID) -> type[Serializer]:
        """Return the shape in which a user is shown to who asks."""
        return OwnUserSerializer if pk == self.actor.user_id else PlatformUserSerializer

    @extend_schema(response=OwnUserSerializer, extra={"permissions": [str]})
    def me(self, request: Any) -> HttpResponse:
        """Show the signed-in user, with everything they may do."""
        return self.respond_with(User(pk=self.actor.user_id), permissions=permissions.held_by(self.actor))

    @extend_schema(request=ChangedPasswordSerializer, response={"message": str})
    def change_password(self, request: Any, pk: UUID) -> HttpResponse:
        """Change one's own password, given the present one, or as an administrator another's; other sessions end."""
        row = self.get_object(pk)
        users.require_may_change(self.actor, row)
        users.change_password(self.actor, row, **self.validate(ChangedPasswordSerializer))
        return self.respond({"message": "Password changed successfully"})


urlpatterns = [
    route("me", PlatformUserViewSet, get="me"),
    *resource("users", PlatformUserViewSet),
    route("users/<uuid:pk>/password", PlatformUserViewSet, post="change_password"),
]
