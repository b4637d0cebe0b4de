"""Shops: an organization's storefront, found by its slug."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from accounts.models import Organization
from crm.core import believing, sql
from crm.core.actor import Actor
from crm.core.errors import NotFound
from crm.core.tenancy import Question, operator

MOST_KNOWN = 10_000
Found = TypeVar("Found")

# Who visits the shops, as they were last looked up. Every visit asks again: what it says saves a step, no more.
_known: dict[str, tuple[tuple[Any, ...], Actor]] = {}


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
    if slug in _known:
        try:
            return _visit(slug, _known[slug][1].organization_id, work)
        except _GoneError:  # another organization may have taken the slug
            _known.pop(slug, None)
    return _visit(slug, find_shop(slug).pk, work)


def _visit(slug: str, organization_id: UUID, work: Callable[[Actor], Found]) -> Found:
    question = Question(_OPEN_SHOP, (organization_id,))
    known = _known.get(slug)

    def find() -> Actor:
        return _visitor(slug, organization_id, sql.answer(question))

    return believing.read(organization_id, question, believed=known and known[1], find=find, work=work)


def _visitor(slug: str, organization_id: UUID, found: list[tuple[Any, ...]]) -> Actor:
    if not found or found[0][0] != slug:
        raise _GoneError
    row = found[0]
    known = _known.get(slug)
    if known is not None and known[0] == row and known[1].organization_id == organization_id:
        return known[1]
    _, currency, timezone = row
    visitor = Actor(
        organization_id=organization_id,
        sees_all=True,
        organization_slug=slug,
        organization_timezone=timezone,
        currency=currency,
    )
    if len(_known) >= MOST_KNOWN:
        _known.clear()
    _known[slug] = (row, visitor)
    return visitor


class _GoneError(NotFound):
    """The organization has no open shop under this slug."""

    code = "STORE_NOT_FOUND"
    message = "There is no such store."


_OPEN_SHOP = """
    SELECT slug, currency, timezone FROM accounts_organization WHERE id = $1 AND shop_enabled AND is_active
"""
