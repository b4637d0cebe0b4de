"""Shops: an organization's storefront, found by its slug."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from accounts.models import Organization
from crm.core import sql
from crm.core.actor import Actor
from crm.core.errors import NotFound
from crm.core.tenancy import Question, operator, tenant

MOST_KNOWN = 10_000

# Where slugs led when they were last looked up. What it says is checked in every visit: it saves a step, no more.
_known: dict[str, UUID] = {}


def find_shop(slug: str) -> Organization:
    """Return the organization whose shop is open under this slug, or raise `NotFound`."""
    with operator("shop_lookup"):
        shop = Organization.objects.filter(slug=slug, shop_enabled=True, is_active=True).first()
    if shop is None:
        raise NotFound("There is no such store.", code="STORE_NOT_FOUND")
    return shop


@contextmanager
def visiting(slug: str) -> Iterator[Actor]:
    """Enter the organization whose shop is open under this slug, as a visitor who has not signed in; else `NotFound`.

    Where the process knows the slug, that takes no statement of its own: the check travels with BEGIN.
    """
    organization_id = _known.get(slug)
    if organization_id is not None:
        with _entered(slug, organization_id) as visitor:
            if visitor is not None:
                yield visitor
                return
    organization_id = find_shop(slug).pk
    with _entered(slug, organization_id) as visitor:
        if visitor is None:  # closed in this very moment
            raise NotFound("There is no such store.", code="STORE_NOT_FOUND")
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        _known[slug] = organization_id
        yield visitor


@contextmanager
def _entered(slug: str, organization_id: UUID) -> Iterator[Actor | None]:
    """Enter the organization; yield a visitor where its shop is open under the slug."""
    question = Question("open_shop", _OPEN_SHOP, (organization_id,))
    with tenant(organization_id, asking=question):
        found = sql.answer(question)
        if not found or found[0][0] != slug:
            yield None
            return
        _, currency, timezone = found[0]
        yield Actor(
            organization_id=organization_id,
            sees_all=True,
            organization_slug=slug,
            organization_timezone=timezone,
            currency=currency,
        )


_OPEN_SHOP = """
    SELECT slug, currency, timezone FROM accounts_organization WHERE id = $1 AND shop_enabled AND is_active
"""
