"""Shoppers: users of the shop. The contact that stands for one is kept by whom `settings.SHOPPER_DIRECTORY` names."""

from functools import cache
from importlib import import_module
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings

from accounts.models import Language, Purpose, User, normalize_email
from accounts.services import links, sessions, timing
from crm.core import clock, events
from crm.core.actor import Actor
from crm.core.errors import Invalid
from crm.core.locking import lock_one
from crm.core.tenancy import tenant


class Directory(Protocol):
    """What the app that keeps contacts does for shoppers, inside the transaction of the cause."""

    def add_shopper(self, user: User) -> None:
        """Make the contact that stands for a new shopper."""

    def merge_verified(self, user: User) -> None:
        """Make one of the shopper's contact and another active one with the address the shopper has now proven."""


@cache
def directory() -> Directory:
    """Return the module that keeps shoppers' contacts."""
    return import_module(settings.SHOPPER_DIRECTORY)


def verify_email(raw: str, *, organization_id: UUID) -> User:
    """Use a verification link of the organization: the address is the user's own from now on."""
    link = links.find(Purpose.VERIFY_EMAIL, raw, organization_id=organization_id)
    with tenant(link.organization_id):
        user: User = lock_one(User.objects.of(link.organization_id), link.user_id)
        links.spend(link)
        mark_verified(user)
    return user


def mark_verified(user: User) -> None:
    """Record that the user has proven their address; a second time changes nothing."""
    if user.email_verified_at is not None:
        return
    user.email_verified_at = clock.now()
    user.save(update_fields=["email_verified_at", "updated_at"])
    events.record(sessions.author(user), "user.email_verified", user, title=f"{user.email} verified")
    directory().merge_verified(user)


def resend_verification(user: User) -> None:
    """Mail another verification link, unless the address is verified already."""
    if user.email_verified_at is None:
        links.mail_verification(user)


def resend_verification_to(organization_id: UUID, email: str) -> None:
    """As `resend_verification`, for whoever has this address; nobody learns whether anybody does."""
    with timing.leveled(), tenant(organization_id):
        same = User.objects.of(organization_id).filter(email_normalized=normalize_email(email), is_active=True)
        user = same.first()
        if user is not None:
            resend_verification(user)


def update_profile(actor: Actor, **fields: Any) -> User:
    """Change the actor's own name, phone, time zone or language."""
    if fields.get("timezone", "UTC") not in clock.ZONES:
        raise Invalid(timezone="Choose an IANA time zone, such as Europe/Paris.")
    if fields.get("language", "en") not in Language.values:
        raise Invalid(language=f"Choose one of: {', '.join(Language.values)}.")
    user: User = lock_one(User.objects.of(actor), actor.user_id)  # type: ignore[arg-type]
    changes = events.changed(user, fields)
    if changes:
        user.save()
        events.record(actor, "user.updated", user, title=f"{user} updated", changes=changes)
    return user
