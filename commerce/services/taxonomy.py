"""What categories and brands have in common: names by which they are found or made, and slugs that stand once."""

from collections.abc import Callable
from itertools import count
from typing import Any, TypedDict, TypeVar, Unpack
from uuid import UUID

from commerce.models import Brand, Category, Product
from commerce.services import search_index
from contacts.services.search_index import normal_name
from crm.core import clock, db, events, search
from crm.core.actor import Actor
from crm.core.db import advisory_lock, lock_row, lock_rows, share_rows
from crm.core.errors import Conflict, Invalid

Named = TypeVar("Named", Category, Brand)

LONGEST_NAME = 100


def change(actor: Actor, row: Category | Brand, fields: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Set the fields on the row, with the normalised name and slug that follow; return what changed.

    A slug is made where there is none, and then gets a number if it is taken; asked for and taken, it is a `Conflict`.
    A new name alone leaves the slug as it is: links lead there.
    """
    changes = events.assign(row, {name: value for name, value in fields.items() if name != "slug"})
    row.name_normalized = normal_name(row.name)[:LONGEST_NAME]
    requested = fields.get("slug") or ""
    if row.slug and requested in {"", row.slug}:
        return changes
    advisory_lock(actor.organization_id, f"slugs of {type(row).__name__}")
    others = type(row).objects.of(actor).alive().exclude(pk=row.pk)
    if requested and others.filter(slug=requested).exists():
        raise Conflict(f"The slug {requested} is taken.", details={"slug": "This slug is taken."})
    return changes | events.assign(row, {"slug": requested or _free_slug(row, others)})


def _free_slug(row: Category | Brand, others: Any) -> str:
    made = "-".join(search.words(row.name))[:LONGEST_NAME].strip("-") or type(row).__name__.lower()
    taken = set(others.filter(slug__startswith=made).values_list("slug", flat=True))
    return next(slug for number in count(1) if (slug := made if number == 1 else f"{made}-{number}") not in taken)


def meant(
    actor: Actor, model: type[Named], fields: dict[str, Any], *, current: UUID | None, make: Callable[..., Named]
) -> Named | None:
    """Take `category_id` and `category` (a name), or those of a brand, out of the fields and return which is meant.

    An id counts where it names another than the current one, else the name: one that is unknown is made. What is
    returned is held: nobody renames or deletes it until the transaction ends.
    """
    key = model.__name__.lower()
    is_named, name = key in fields, fields.pop(key, None)
    pk = fields.pop(f"{key}_id", current)
    if pk != current:
        return _by_id(actor, model, pk) if pk else None
    if is_named and not name:
        return None
    row = held(actor, model, current)
    if is_named and (row is None or row.name_normalized != normal_name(name)[:LONGEST_NAME]):
        return _by_name(actor, model, name, make)
    return row


def held(actor: Actor, model: type[Named], pk: UUID | None) -> Named | None:
    """Return the living one with this id, held."""
    found = share_rows(model.objects.of(actor).alive().filter(pk=pk)) if pk else []
    return found[0] if found else None


def _by_id(actor: Actor, model: type[Named], pk: UUID) -> Named:
    found = held(actor, model, pk)
    if found is None:
        key = model.__name__.lower()
        raise Invalid({f"{key}_id": f"There is no such {key}."})
    return found


def _by_name(actor: Actor, model: type[Named], name: str, make: Callable[..., Named]) -> Named:
    """Find the oldest of this name (case, accents and spaces aside), or make it; of two at once, one does."""
    normalized = normal_name(name)[:LONGEST_NAME]
    same = model.objects.of(actor).alive().filter(name_normalized=normalized).order_by("id")[:1]
    found: list[Named] = share_rows(same)
    if not found:
        advisory_lock(actor.organization_id, f"names of {model.__name__}", normalized)
        found = share_rows(same)
    if found:
        return found[0]
    actor.require("products:create")
    return make(actor, name=name)


class BrandFields(TypedDict, total=False):
    """What may be said of a brand, by domain name."""

    slug: str
    description: str
    active: bool
    logo_url: str


class BrandChanges(BrandFields, total=False):
    """The same, with what a new one must have."""

    name: str


def create_brand(actor: Actor, *, name: str, **fields: Unpack[BrandFields]) -> Brand:
    """Create a brand."""
    brand = Brand(organization_id=actor.organization_id)
    change(actor, brand, {**fields, "name": name})
    db.insert(brand)
    events.record(actor, "brand.created", brand, title=f"Brand {brand} created")
    return brand


def update_brand(actor: Actor, brand: Brand, **fields: Unpack[BrandChanges]) -> Brand:
    """Change a brand; under a new name its products are found at once."""
    values: dict[str, Any] = dict(fields)
    brand = lock_row(Brand.objects.of(actor).alive(), brand.pk)
    changes = change(actor, brand, values)
    if not changes:
        return brand
    brand.save(update_fields={*changes, "name_normalized", "updated_at"})
    if "name" in changes:
        search_index.refresh_branded(brand)
    events.record(actor, "brand.updated", brand, title=f"Brand {brand} updated", changes=changes)
    return brand


def delete_brand(actor: Actor, brand: Brand) -> None:
    """Delete softly; its products have no brand from now on. The event of the brand tells how many those are."""
    brand = lock_row(Brand.objects.of(actor).alive(), brand.pk)
    brand.deleted_at = clock.now()
    brand.save(update_fields=["deleted_at", "updated_at"])
    metadata = {"products": search_index.refresh_branded(brand)}
    events.record(actor, "brand.deleted", brand, title=f"Brand {brand} deleted", metadata=metadata)


TREE = "category tree"


class CategoryFields(TypedDict, total=False):
    """What may be said of a category, by domain name."""

    slug: str
    description: str
    active: bool
    parent_id: UUID | None
    image_url: str


class CategoryChanges(CategoryFields, total=False):
    """The same, with what a new one must have."""

    name: str


def create_category(actor: Actor, *, name: str, **fields: Unpack[CategoryFields]) -> Category:
    """Create a category, below `parent_id` or at the top."""
    values: dict[str, Any] = dict(fields)
    category = Category(organization_id=actor.organization_id)
    if values.get("parent_id"):
        advisory_lock(actor.organization_id, TREE)
        _require_parent(actor, values["parent_id"])
    change(actor, category, {**values, "name": name})
    db.insert(category)
    events.record(actor, "category.created", category, title=f"Category {category} created")
    return category


def update_category(actor: Actor, category: Category, **fields: Unpack[CategoryChanges]) -> Category:
    """Change a category; below itself it cannot be moved, however many move categories at once."""
    values: dict[str, Any] = dict(fields)
    if "parent_id" in values:
        advisory_lock(actor.organization_id, TREE)
    category = lock_row(Category.objects.of(actor).alive(), category.pk)
    parent_id = values.get("parent_id")
    if parent_id and parent_id != category.parent_id:
        if Category.objects.of(actor).within(actor, category.pk).filter(pk=parent_id).exists():
            raise Invalid({"parent_id": "A category cannot stand below itself."})
        _require_parent(actor, parent_id)
    changes = change(actor, category, values)
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
    if held(actor, Category, parent_id) is None:
        raise Invalid({"parent_id": "There is no such category."})
