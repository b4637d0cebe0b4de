"""Members as a resource: rows, filters, orders, services. Surfaces add shape and names."""

from typing import Any
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from django.http import HttpResponse

from accounts import role_names
from accounts.models import Role, User, UserRole, sees_shoppers
from accounts.services import users
from crm.api.filters import FilterArguments, Filters, SearchFilter
from crm.api.resources import Resource
from crm.core.actor import Actor
from crm.core.errors import Invalid

SHOPPER = "customer"


class MemberFilters(Filters):
    """Filters of member lists; `role` is a stored name."""

    search = SearchFilter()
    role = django_filters.CharFilter(max_length=60, method="holding")
    is_active = django_filters.ChoiceFilter(choices=[("true", "active"), ("false", "inactive")], method="standing")
    status = django_filters.ChoiceFilter(choices=[("active", "active"), ("inactive", "inactive")], method="standing")

    def holding(self, rows: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        """Keep who holds a role."""
        role = Role.objects.of(self.actor).filter(name=value).first()
        if role is None:
            raise Invalid(role="There is no such role.")
        return rows.filter(pk__in=UserRole.objects.of(self.actor).filter(role=role).values("user_id"))

    def standing(self, rows: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        """Keep the active or the inactive."""
        return rows.filter(is_active=value in {"true", "active"})


class Members(Resource):
    """The people of an organization; mere shoppers are listed only where `role` asks for them."""

    resource = "users"
    model = User
    noun = "User"
    plural = "members"
    filters = MemberFilters
    orders = {
        "created_at": "created_at",
        "updated_at": "updated_at",
        "full_name": "full_name",
        "name": "full_name",
        "first_name": "first_name",
        "last_name": "last_name",
        "email": "email_normalized",
        "is_active": "is_active",
    }
    creates = users.create_user
    updates = users.update_user
    deletes = users.deactivate_user
    restores = users.restore_user

    def rows(self, actor: Actor) -> QuerySet[User]:
        """Return members, inactive ones included."""
        return User.objects.visible_to(actor).members()

    def details(self, actor: Actor) -> QuerySet[User]:
        """Return members, and shoppers for who sees everybody's contacts."""
        everybody = User.objects.of(actor)
        return everybody if sees_shoppers(self.actor) else everybody.members()

    def _cache_key(self, name: Any) -> Any:
        return (super()._cache_key(name), sees_shoppers(self.actor))

    def filtered(self, actor: Actor, query: FilterArguments) -> QuerySet[User]:
        """Return the rows that the query's filters leave; shoppers only where they are asked for."""
        everybody = User.objects.visible_to(actor)
        return self.narrowed(actor, everybody if query.data.get("role") == SHOPPER else everybody.members(), query)

    def filters_asked(self) -> dict[str, str]:
        """Take a role by the surface's name too."""
        asked = super().filters_asked()
        if "role" in asked:
            asked["role"] = role_names.stored(self.surface.name, asked["role"])
        return asked

    def partial_update(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Change any part of a user, within what the actor may."""
        row = self.get_row(pk)
        users.require_may_change(self.actor, row)
        return self.shown(users.update_user(self.actor, row, **self.read(partial=True)))
