"""Shops: an organization's storefront, found by its slug."""

from accounts.models import Organization
from crm.core.errors import NotFound
from crm.core.tenancy import operator


def find_shop(slug: str) -> Organization:
    """Return the organization whose shop is open under this slug, or raise `NotFound`."""
    with operator("shop_lookup"):
        shop = Organization.objects.filter(slug=slug, shop_enabled=True, is_active=True).first()
    if shop is None:
        raise NotFound("There is no such store.", code="STORE_NOT_FOUND")
    return shop
