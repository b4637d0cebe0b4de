"""Writes to categories: a tree without circles."""

from typing import Any
from uuid import UUID

from commerce.models import Category, Product
from commerce.services import naming
from crm.core import clock, db, events
from crm.core.actor import Actor
from crm.core.db import advisory_lock, lock_row, lock_rows
from crm.core.errors import Invalid

TREE = "category tree"


def create_category(actor: Actor, *, name: str, **fields: Any) -> Category:
    """Create a category, below `parent_id` or at the top."""
    category = Category(organization_id=actor.organization_id)
    if fields.get("parent_id"):
        advisory_lock(actor.organization_id, TREE)
        _require_parent(actor, fields["parent_id"])
    naming.change(actor, category, {**fields, "name": name})
    db.insert(category)
    events.record(actor, "category.created", category, title=f"Category {category} created")
    return category


def update_category(actor: Actor, category: Category, **fields: Any) -> Category:
    """Change a category; below itself it cannot be moved, however many move categories at once."""
    if "parent_id" in fields:
        advisory_lock(actor.organization_id, TREE)
    category = lock_row(Category.objects.of(actor).alive(), category.pk)
    parent_id = fields.get("parent_id")
    if parent_id and parent_id != category.parent_id:
        if Category.objects.of(actor).within(actor, category.pk).filter(pk=parent_id).exists():
            raise Invalid({"parent_id": "A category cannot stand below itself."})
        _require_parent(actor, parent_id)
    changes = naming.change(actor, category, fields)
    if changes:
        category.save(update_fields={*changes, "name_normalized", "updated_at"})
        events.record(actor, "category.updated", category, title=f"Category {category} updated", changes=changes)
    return category


def delete_category(actor: Actor, category: Category) -> None:
    """Delete softly. What stands in it, categories and products, moves up to where it stood.

    The event of the category tells how many moved; they have none of their own.
    """
    advisory_lock(actor.organization_id, TREE)
    category = lock_row(Category.objects.of(actor).alive(), category.pk)
    moved = {
        "categories": _move_up(Category.objects.of(actor).filter(parent=category), parent_id=category.parent_id),
        "products": _move_up(Product.objects.of(actor).filter(category=category), category_id=category.parent_id),
    }
    category.deleted_at = clock.now()
    category.save(update_fields=["deleted_at", "updated_at"])
    events.record(actor, "category.deleted", category, title=f"Category {category} deleted", metadata={"moved": moved})


def _move_up(rows: Any, **place: UUID | None) -> int:
    """Lock the rows in order, then move them in one statement; return how many."""
    return int(rows.update(**place)) if lock_rows(rows, rows.values_list("pk", flat=True)) else 0


def _require_parent(actor: Actor, parent_id: UUID) -> None:
    if naming.held(actor, Category, parent_id) is None:
        raise Invalid({"parent_id": "There is no such category."})
