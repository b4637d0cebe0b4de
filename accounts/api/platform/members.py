"""Users on the Platform surface."""

from typing import Any, NotRequired
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from rest_framework import serializers

from accounts.api.resources import Members
from accounts.api.shapes import OrganizationRef, RoleField, UserFields, roles_on
from accounts.api.shapes_auth import Password
from accounts.models import User
from accounts.services import permissions, users
from crm.api.permissions import MEMBER
from crm.api.platform import PLATFORM
from crm.api.routes import resource, route
from crm.api.schema import describes
from crm.api.shapes import Computed, Line, Shape
from crm.core.actor import Actor

PREFERENCES = {"preferences": NotRequired[dict]}


class OwnUser(UserFields):
    """The signed-in user, with roles and organization."""

    role = RoleField("platform")
    roles = roles_on("platform")
    company_id = serializers.UUIDField(source="organization_id", read_only=True)
    organization = OrganizationRef(read_only=True)
    email_verified = Computed(Q(email_verified_at__isnull=False), serializers.BooleanField())


class UserChange(OwnUser):
    """What may be changed of a user; one's own address or role takes the present password."""

    current_password = Password(required=False)


class PlatformUser(OwnUser):
    """A user as others see them."""

    preferences = None  # type: ignore[assignment]  # a user's own affair


class NewUser(Shape):
    """What a user is made of: a name in one part or two, and a password unless they are to be invited."""

    email = serializers.EmailField(max_length=254)
    full_name = Line(max_length=201, required=False)
    first_name = Line(max_length=100, required=False)
    last_name = Line(max_length=100, required=False, allow_blank=True)
    role = RoleField("platform", required=True)
    password = serializers.CharField(max_length=128, required=False, allow_null=True, trim_whitespace=False)
    phone = Line(max_length=20, required=False, allow_blank=True)
    timezone = Line(max_length=60, required=False)
    language = Line(max_length=2, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for a name."""
        if not ({"full_name", "first_name", "last_name"} & set(attrs)):
            raise serializers.ValidationError({"full_name": ["This field is required."]})
        return attrs


class ChangedPassword(Shape):
    """A new password, and the present one where it is one's own."""

    current_password = serializers.CharField(max_length=128, required=False, trim_whitespace=False)
    new_password = serializers.CharField(max_length=128, trim_whitespace=False)


class PlatformUsers(Members):
    """`/users`."""

    surface = PLATFORM
    shape: type[Shape] = PlatformUser
    plural = "items"
    permissions = {"partial_update": MEMBER, "me": MEMBER, "change_password": MEMBER}
    guarded = frozenset({"change_password"})
    guarded_by = {"partial_update": "current_password"}

    def input_shape(self) -> type[Shape]:
        """Return the shape of bodies."""
        shapes = {"create": NewUser, "change_password": ChangedPassword, "partial_update": UserChange}
        return shapes.get(self.action, OwnUser)

    def rows(self, actor: Actor) -> QuerySet[User]:
        """Return active members."""
        return super().rows(actor).filter(is_active=True)

    def filters_asked(self) -> dict[str, str]:
        """List the inactive only where they are asked for."""
        asked = super().filters_asked()
        return {"is_active": "true", **asked} if asked else asked

    @describes(answer=PlatformUser, adds=PREFERENCES)
    def retrieve(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Show a user; their preferences to themselves alone."""
        self.shape = self.shape_of(pk)
        return super().retrieve(request, pk, **kwargs)

    @describes(body=OwnUser, answer=PlatformUser, adds=PREFERENCES, partial=True)
    def partial_update(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Change any part of a user, within what one may; their preferences are shown to themselves alone."""
        return super().partial_update(request, pk, **kwargs)

    def shown(self, row: User, status: int = 200, **extra: Any) -> HttpResponse:
        """Answer with the user as they now stand."""
        self.shape = self.shape_of(row.pk)
        return super().shown(row, status, **extra)

    def shape_of(self, pk: UUID) -> type[Shape]:
        """Return the shape in which a user is shown to who asks."""
        return OwnUser if pk == self.actor.user_id else PlatformUser

    @describes(answer=OwnUser, adds={"permissions": [str]})
    def me(self, request: Any) -> HttpResponse:
        """Show the signed-in user, with everything they may do."""
        return self.shown(User(pk=self.actor.user_id), permissions=permissions.held_by(self.actor))

    @describes(body=ChangedPassword, answer={"message": str})
    def change_password(self, request: Any, pk: UUID) -> HttpResponse:
        """Change one's own password, given the present one, or as an administrator another's; other sessions end."""
        row = self.get_row(pk)
        users.require_may_change(self.actor, row)
        users.change_password(self.actor, row, **self.read(ChangedPassword))
        return self.answer({"message": "Password changed successfully"})


urlpatterns = [
    route("me", PlatformUsers, get="me"),
    *resource("users", PlatformUsers),
    route("users/<uuid:pk>/password", PlatformUsers, post="change_password"),
]
