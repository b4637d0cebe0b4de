"""Mailed links that work once: verification of an address, reset of a password.

A link's token is an HMAC of its id under the site's secret key. Whoever mails it makes it again; what is stored is its
hash, so a copy of the database opens nothing.
"""

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.crypto import salted_hmac

from accounts.models import OneTimeLink, Purpose, User
from accounts.services.membership import organization_of
from crm.core import clock, outbox, tokens
from crm.core.db import operator
from crm.core.errors import Malformed
from crm.core.ids import uuid7

LIFETIMES = {Purpose.VERIFY_EMAIL: timedelta(days=7), Purpose.RESET_PASSWORD: timedelta(hours=1)}


def token_for(purpose: str, pk: UUID) -> str:
    """Return the 256-bit token of the link or invitation with this id."""
    secret = salted_hmac(f"accounts.links.{purpose}", str(pk), algorithm="sha256").digest()
    return base64.urlsafe_b64encode(secret).decode().rstrip("=")


def mail_verification(user: User) -> None:
    """Make a link that proves the user's address, and put its mail into the outbox of this transaction."""
    link = make(user, Purpose.VERIFY_EMAIL)
    outbox.enqueue(link.organization_id, "mail.verify_email", {"link_id": str(link.pk)})


def mail_resets(made: Sequence[OneTimeLink]) -> None:
    """Put one mail with these links, which reset passwords of one address, into the outbox of this transaction."""
    outbox.enqueue(made[0].organization_id, "mail.reset_password", {"link_ids": [str(link.pk) for link in made]})


def make(user: User, purpose: Purpose) -> OneTimeLink:
    """Make a link for a user, bound to the address that they have now."""
    pk = uuid7()
    return OneTimeLink.objects.create(
        id=pk,
        organization_id=organization_of(user),
        user=user,
        email_normalized=user.email_normalized,
        purpose=purpose,
        token_hash=tokens.digest(token_for(purpose, pk)),
        expires_at=clock.now() + LIFETIMES[purpose],
    )


def void(user: User, *purposes: Purpose) -> None:
    """Use up all open links of a user, or those for some purposes, inside the transaction of the cause."""
    open_links = OneTimeLink.objects.of(organization_of(user)).filter(user=user, used_at=None)
    if purposes:
        open_links = open_links.filter(purpose__in=purposes)
    open_links.update(used_at=clock.now())


def find(purpose: str, raw: str, *, organization_id: UUID | None = None) -> OneTimeLink:
    """Return the link of a token with its user, or raise `LinkRefused`; nothing is used up yet.

    `organization_id` names the only organization whose links count.
    """
    with operator("token_lookup"):
        link = (
            OneTimeLink.objects.select_related("user", "organization")
            .filter(token_hash=tokens.digest(raw), purpose=purpose)
            .first()
        )
    if link is None or organization_id not in {None, link.organization_id}:
        raise LinkRefused
    if not (link.user.is_active and link.organization.is_active):
        raise LinkRefused
    _require_open(link)
    _require_bound(link, link.user)
    return link


def spend(link: OneTimeLink, user: User) -> None:
    """Use up the link of a locked user inside their organization's transaction: of two at once, one succeeds."""
    _require_bound(link, user)
    open_links = OneTimeLink.objects.of(link.organization_id).filter(
        pk=link.pk, used_at=None, expires_at__gt=clock.now()
    )
    if not open_links.update(used_at=clock.now()):
        link.refresh_from_db()
        _require_open(link)
        raise LinkRefused


class LinkRefused(Malformed):
    """The token is unknown, used or expired: 400 on every surface, `code` tells which."""

    code = "TOKEN_INVALID"
    message = "This link is not valid."


def _require_open(link: OneTimeLink) -> None:
    if link.used_at is not None:
        raise LinkRefused("This link was used before.", code="TOKEN_USED")
    if is_past(link.expires_at):
        raise LinkRefused("This link has expired.", code="TOKEN_EXPIRED")


def _require_bound(link: OneTimeLink, user: User) -> None:
    """Refuse a link that was mailed to an address which is no longer the user's; older links do not tell theirs."""
    if link.email_normalized not in {"", user.email_normalized}:
        raise LinkRefused


def is_past(moment: datetime) -> bool:
    """Tell whether a moment has come."""
    return moment <= clock.now()
