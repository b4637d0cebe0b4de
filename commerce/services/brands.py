"""Writes to brands."""

from typing import Any

from commerce.models import Brand
from commerce.services import indexing, naming
from crm.core import clock, db, events
from crm.core.actor import Actor
from crm.core.db import lock_row


def create_brand(actor: Actor, *, name: str, **fields: Any) -> Brand:
    """Create a brand."""
    brand = Brand(organization_id=actor.organization_id)
    naming.change(actor, brand, {**fields, "name": name})
    db.insert(brand)
    events.record(actor, "brand.created", brand, title=f"Brand {brand} created")
    return brand


def update_brand(actor: Actor, brand: Brand, **fields: Any) -> Brand:
    """Change a brand; under a new name its products are found at once."""
    brand = lock_row(Brand.objects.of(actor).alive(), brand.pk)
    changes = naming.change(actor, brand, fields)
    if not changes:
        return brand
    brand.save(update_fields={*changes, "name_normalized", "updated_at"})
    if "name" in changes:
        indexing.refresh_branded(brand)
    events.record(actor, "brand.updated", brand, title=f"Brand {brand} updated", changes=changes)
    return brand


def delete_brand(actor: Actor, brand: Brand) -> None:
    """Delete softly; its products have no brand from now on. The event of the brand tells how many those are."""
    brand = lock_row(Brand.objects.of(actor).alive(), brand.pk)
    brand.deleted_at = clock.now()
    brand.save(update_fields=["deleted_at", "updated_at"])
    metadata = {"products": indexing.refresh_branded(brand)}
    events.record(actor, "brand.deleted", brand, title=f"Brand {brand} deleted", metadata=metadata)
