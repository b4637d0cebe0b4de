"""SKUs: each stands once among the living products and variants of an organization, upper and lower case alike.

Whoever gives a row an SKU takes turns with others who want the same one, then looks whether it is taken. Each table's
unique constraint stands behind that for itself.
"""

import re
import secrets
from collections.abc import Iterable
from uuid import UUID

from commerce.models import Product, Variant
from commerce.services.search_index import normal_sku
from crm.core import search
from crm.core.actor import Actor
from crm.core.db import advisory_lock, try_advisory_lock
from crm.core.errors import Conflict

MATTER = "sku"
LONGEST_MADE = 40
MOST_TRIED = 100
SIGNS = re.compile(r"[^\w.]+")


def claim(actor: Actor, skus: Iterable[str], *, own: Iterable[UUID] = ()) -> None:
    """Make sure that nobody but the rows `own` has, or is about to have, any of the SKUs; else `Conflict`."""
    wanted = {normal_sku(sku): sku for sku in skus}
    if not wanted:
        return
    advisory_lock(actor.organization_id, MATTER, *sorted(wanted))
    taken = _taken(actor, wanted, own)
    if taken:
        named = ", ".join(sorted(wanted[normalized] for normalized in taken))
        raise Conflict(f"The SKU {named} is taken.", details={"sku": "This SKU is taken."})


def generate_sku(actor: Actor, *texts: str) -> str:
    """Make an SKU of the words of the texts, with a number where it is taken; it is claimed."""
    base = SIGNS.sub("-", "-".join(word for text in texts for word in search.words(text)).upper())
    base = base[:LONGEST_MADE].strip("-") or "PRODUCT"
    tried = [base, *(f"{base}-{number}" for number in range(2, MOST_TRIED + 1)), f"{base}-{secrets.token_hex(8)}"]
    taken = _taken(actor, map(normal_sku, tried))
    for sku in tried:
        normalized = normal_sku(sku)
        if normalized in taken or not try_advisory_lock(actor.organization_id, MATTER, normalized):
            continue
        if not _taken(actor, [normalized]):  # whoever had the turn before may have taken it meanwhile
            return sku
    raise Conflict("No SKU could be made of this name.")


def _taken(actor: Actor, normalized: Iterable[str], own: Iterable[UUID] = ()) -> set[str]:
    among = list(normalized)
    products, variants = (
        model.objects.of(actor).alive().filter(sku_normalized__in=among).exclude(pk__in=list(own)).order_by()
        for model in (Product, Variant)
    )
    return set(
        products.values_list("sku_normalized", flat=True).union(variants.values_list("sku_normalized", flat=True))
    )
