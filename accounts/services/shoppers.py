"""Shoppers: users of the shop. The contact that stands for one is kept by whom `settings.SHOPPER_BACKEND` names."""

from functools import cache
from importlib import import_module
from typing import Protocol, TypedDict, Unpack

from django.conf import settings

from accounts.models import Language, Purpose, User
from accounts.services import one_time_links, sessions
from crm.core import clock, events
from crm.core.actor import Actor
from crm.core.db import lock_row
from crm.core.errors import Invalid


class ShopperBackend(Protocol):
    """What the app that keeps contacts does for shoppers, inside the transaction of the cause."""

    def add_shopper(self, user: User) -> None:
        """Make the contact that stands for a new shopper."""

    def merge_verified(self, user: User) -> None:
        """Make one of the shopper's contact and another active one with the address the shopper has now proven."""


@cache
def shopper_backend() -> ShopperBackend:
    """Return the module that keeps shoppers' contacts."""
    return import_module(settings.SHOPPER_BACKEND)


def mark_verified(user: User) -> None:
    """Record that the user has proven their address, and end what asks for that; a second time changes nothing."""
    if user.email_verified_at is not None:
        return
    user.email_verified_at = clock.now()
    user.save(update_fields=["email_verified_at", "updated_at"])
    one_time_links.void(user, Purpose.VERIFY_EMAIL)
    events.record(sessions.author(user), "user.email_verified", user, title=f"{user.email} verified")
    shopper_backend().merge_verified(user)


class ProfileFields(TypedDict, total=False):
    """What shoppers may say of themselves, by domain name."""

    first_name: str
    last_name: str
    phone: str
    timezone: str
    language: str


def update_profile(actor: Actor, **fields: Unpack[ProfileFields]) -> User:
    """Change the actor's own name, phone, time zone or language."""
    if fields.get("timezone", "UTC") not in clock.ZONES:
        raise Invalid({"timezone": "Choose an IANA time zone, such as Europe/Paris."})
    if fields.get("language", "en") not in Language.values:
        raise Invalid({"language": f"Choose one of: {', '.join(Language.values)}."})
    user: User = lock_row(User.objects.of(actor), actor.user_id)  # type: ignore[arg-type]
    changes = events.assign(user, fields)
    if changes:
        user.save()
        events.record(actor, "user.updated", user, title=f"{user} updated", changes=changes)
    return user
