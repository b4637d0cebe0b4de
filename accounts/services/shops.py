"""Shops: an organization's storefront, found by its slug."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from accounts.models import Organization
from crm.core import believing, db
from crm.core.actor import Actor
from crm.core.db import PiggybackQuery, operator
from crm.core.errors import NotFound

Found = TypeVar("Found")

_known: believing.ActorCache[Actor] = believing.ActorCache()  # who visits a shop without signing in, by slug


def find_shop(slug: str) -> Organization:
    """Return the organization whose shop is open under this slug, or raise `NotFound`."""
    with operator("shop_lookup"):
        shop = Organization.objects.filter(slug=slug, shop_enabled=True, is_active=True).first()
    if shop is None:
        raise _GoneError
    return shop


def visit(slug: str, work: Callable[[Actor], Found]) -> Found:
    """Return what `work` finds, for who has not signed in, in the shop that is open under this slug; else `NotFound`.

    `work` must only read.
    """
    if visitor := _known.cached(slug):
        try:
            return _visit(slug, visitor.organization_id, work)
        except _GoneError:  # another organization may have taken the slug
            _known.forget(slug)
    return _visit(slug, find_shop(slug).pk, work)


def _visit(slug: str, organization_id: UUID, work: Callable[[Actor], Found]) -> Found:
    question = PiggybackQuery(_OPEN_SHOP, (organization_id,))
    return believing.read(
        organization_id,
        question,
        believed=_known.cached(slug),
        find=lambda: _visitor(organization_id, slug, db.piggyback_rows(question)),
        work=work,
    )


def _visitor(organization_id: UUID, slug: str, found: list[tuple[Any, ...]]) -> Actor:
    if not found or found[0][0] != slug:
        raise _GoneError
    _, currency, timezone = found[0]
    return _known.current(
        slug,
        (organization_id, *found[0]),
        lambda: Actor(
            organization_id=organization_id,
            sees_all=True,
            organization_slug=slug,
            organization_timezone=timezone,
            currency=currency,
        ),
    )


class _GoneError(NotFound):
    """The organization has no open shop under this slug."""

    code = "STORE_NOT_FOUND"
    message = "There is no such store."


_OPEN_SHOP = """
    SELECT slug, currency, timezone FROM accounts_organization WHERE id = $1 AND shop_enabled AND is_active
"""
