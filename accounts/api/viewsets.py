"""Members as a resource: rows, filters, orders, services. Surfaces add shape and names."""

from typing import Any
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from django.http import HttpResponse

from accounts import role_names
from accounts.models import Role, User, UserRole, sees_shoppers
from accounts.services import users
from crm.api.filtersets import FilterArguments, FilterSet, SearchFilter
from crm.api.viewsets import ResourceViewSet, Services
from crm.core.actor import Actor
from crm.core.errors import Invalid

SHOPPER = "customer"


class MemberFilterSet(FilterSet):
    """Filters of member lists; `role` is a stored name."""

    search = SearchFilter()
    role = django_filters.CharFilter(max_length=60, method="with_role")
    is_active = django_filters.ChoiceFilter(choices=[("true", "active"), ("false", "inactive")], method="with_status")
    status = django_filters.ChoiceFilter(choices=[("active", "active"), ("inactive", "inactive")], method="with_status")

    def with_role(self, rows: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        """Keep who holds a role."""
        role = Role.objects.of(self.actor).filter(name=value).first()
        if role is None:
            raise Invalid({"role": "There is no such role."})
        return rows.filter(pk__in=UserRole.objects.of(self.actor).filter(role=role).values("user_id"))

    def with_status(self, rows: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        """Keep the active or the inactive."""
        return rows.filter(is_active=value in {"true", "active"})


class MemberViewSet(ResourceViewSet):
    """The people of an organization; mere shoppers are listed only where `role` asks for them."""

    permission_resource = "users"
    model = User
    verbose_name = "User"
    verbose_name_plural = "members"
    filterset_class = MemberFilterSet
    ordering_fields = {
        "created_at": "created_at",
        "updated_at": "updated_at",
        "full_name": "full_name",
        "name": "full_name",
        "first_name": "first_name",
        "last_name": "last_name",
        "email": "email_normalized",
        "is_active": "is_active",
    }
    services = Services(
        create=users.create_user, update=users.update_user, delete=users.deactivate_user, restore=users.restore_user
    )

    def get_queryset(self, actor: Actor) -> QuerySet[User]:
        """Return members, inactive ones included."""
        return User.objects.visible_to(actor).members()

    def get_detail_queryset(self, actor: Actor) -> QuerySet[User]:
        """Return members, and shoppers for who sees everybody's contacts."""
        everybody = User.objects.of(actor)
        return everybody if sees_shoppers(self.actor) else everybody.members()

    def cache_key(self, name: Any) -> Any:
        """Return the key: what may be shown depends on whether the actor sees shoppers."""
        return (super().cache_key(name), sees_shoppers(self.actor))

    def get_filtered_queryset(self, actor: Actor, query: FilterArguments) -> QuerySet[User]:
        """Return the rows that the query's filters leave; shoppers only where they are asked for."""
        everybody = User.objects.visible_to(actor)
        return self.filter_queryset(
            actor, everybody if query.data.get("role") == SHOPPER else everybody.members(), query
        )

    def get_filter_data(self) -> dict[str, str]:
        """Take a role by the surface's name too."""
        requested = super().get_filter_data()
        if "role" in requested:
            requested["role"] = role_names.stored(self.surface.name, requested["role"])
        return requested

    def partial_update(self, request: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        """Change any part of a user, within what the actor may."""
        row = self.get_object(pk)
        users.require_may_change(self.actor, row)
        return self.respond_with(users.update_user(self.actor, row, **self.validate(partial=True)))
