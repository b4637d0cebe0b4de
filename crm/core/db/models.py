"""The base of every tenant table.

Isolation layer 1: queries start from `objects.of(actor)`. Layer 2: the transaction's scope (`crm.core.db.scope`) and
the policies of `crm.core.db.operations`. Layer 3: composite foreign keys, made there too.
"""

from typing import Any, ClassVar, Self, TypeVar
from uuid import UUID

from django.db import models

from crm.core.actor import Actor
from crm.core.ids import uuid7

Row = TypeVar("Row", bound="TenantModel")


class TenantQuerySet(models.QuerySet[Row]):
    """Chainable questions that begin with the organization."""

    def of(self, actor: Actor | UUID) -> Self:
        """Keep the rows of the actor's organization (isolation layer 1)."""
        organization_id = actor.organization_id if isinstance(actor, Actor) else actor
        if organization_id is None:
            raise ValueError("A tenant query needs an organization.")
        return self.filter(organization_id=organization_id)

    def alive(self) -> Self:
        """Leave out soft-deleted rows, where the table knows them."""
        return self.filter(deleted_at__isnull=True) if self.model.is_soft_deleted else self

    def visible_to(self, actor: Actor) -> Self:
        """Keep what the actor may see: the organization's rows, or only own ones where the scope is `own`."""
        rows = self.of(actor)
        if actor.sees_all or self.model.owned_by is None:
            return rows
        own = models.Q(**{self.model.owned_by: actor.user_id})
        return rows.filter(own | self.model.made_for_others(actor) if self.model.made_by else own)


class TenantModel(models.Model):
    """A row of one organization. `owned_by` names the column that makes it somebody's own (None: everybody's).

    `made_by` names another one, where whoever made a row for somebody else keeps it as their own.
    """

    owned_by: ClassVar[str | None] = None
    made_by: ClassVar[str | None] = None
    is_soft_deleted: ClassVar[bool] = False

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.PROTECT, related_name="+", db_index=False, editable=False
    )

    objects = TenantQuerySet.as_manager()

    class Meta:
        abstract = True

    @classmethod
    def made_for_others(cls, actor: Actor) -> models.Q:
        """Return what holds for a row that the actor made and does not own; its partial index says the same."""
        not_own = ~models.Q(**{str(cls.owned_by): models.F(str(cls.made_by))})
        return models.Q(**{str(cls.made_by): actor.user_id}) & not_own

    def is_own(self, actor: Actor) -> bool:
        """Tell whether the row is the actor's own, or everybody's."""
        columns = filter(None, (self.owned_by, self.made_by))
        return self.owned_by is None or any(getattr(self, column) == actor.user_id for column in columns)


class TimestampedModel(TenantModel):
    """A row that says when it was made and changed."""

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class SoftDeleteModel(TimestampedModel):
    """A row that is deleted by `deleted_at`, which lists and details leave out (`alive()`), and restored by null."""

    is_soft_deleted: ClassVar[bool] = True

    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True


class TenantForeignKey(models.ForeignKey):
    """A reference inside the organization; the database holds it as (organization_id, id), made by `TenantTable`."""

    def __init__(self, to: Any, on_delete: Any = models.PROTECT, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        super().__init__(to, on_delete, **kwargs)
