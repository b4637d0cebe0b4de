"""Shops: an organization's storefront, found by its slug."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from accounts.models import Organization
from accounts.services.actor_cache import ActorCache, ActorCheck
from crm.core import db
from crm.core.actor import Actor
from crm.core.db import PiggybackQuery, operator, tenant
from crm.core.errors import NotFound

_visitors = ActorCache()  # who visits a shop without signing in, by slug


def find_shop(slug: str) -> Organization:
    """Return the organization whose shop is open under this slug, or raise `NotFound`."""
    with operator("shop_lookup"):
        shop = Organization.objects.filter(slug=slug, shop_enabled=True, is_active=True).first()
    if shop is None:
        raise ShopClosed
    return shop


@contextmanager
def enter_read_only(slug: str) -> Iterator[ActorCheck]:
    """Enter the shop that is open under this slug, as a visitor who has not signed in and cannot write.

    `ShopClosed` says that the shop which this process knew has gone: another organization may have taken the slug.
    """
    visitor = _visitors.cached(slug)
    organization_id = visitor.organization_id if visitor else find_shop(slug).pk
    check = PiggybackQuery(_OPEN_SHOP, (organization_id,))
    with tenant(organization_id, piggyback=check, read_only=True):
        yield ActorCheck(visitor, lambda: _visitor(organization_id, slug, db.piggyback_rows(check)))


def _visitor(organization_id: UUID, slug: str, rows: list[tuple[Any, ...]]) -> Actor:
    if not rows or rows[0][0] != slug:
        _visitors.forget(slug)
        raise ShopClosed
    _, currency, timezone = rows[0]
    return _visitors.current(
        slug,
        (organization_id, *rows[0]),
        lambda: Actor(
            organization_id=organization_id,
            sees_all=True,
            organization_slug=slug,
            organization_timezone=timezone,
            currency=currency,
        ),
    )


class ShopClosed(NotFound):
    """The organization has no open shop under this slug."""

    code = "STORE_NOT_FOUND"
    message = "There is no such store."


_OPEN_SHOP = """
    SELECT slug, currency, timezone FROM accounts_organization WHERE id = $1 AND shop_enabled AND is_active
"""
