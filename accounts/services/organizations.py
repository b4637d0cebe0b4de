"""Settings of an organization, and what its system has to tell."""

import time
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet, Sum

from accounts.models import Organization, User, UserRole
from crm.core import clock, events, money
from crm.core.actor import Actor
from crm.core.db import lock_row
from crm.core.errors import Invalid
from crm.core.models import RowCounter

_STARTED = time.monotonic()


class OrganizationFields(TypedDict, total=False):
    """What may be said of an organization, by domain name."""

    name: str
    industry: str
    company_size: str
    website: str
    contact_phone: str
    address: str
    timezone: str
    currency: str
    logo: str
    settings: dict[str, Any]
    shop_enabled: bool
    shop_name: str


def update_organization(actor: Actor, organization: Organization, **fields: Unpack[OrganizationFields]) -> Organization:
    """Change the organization's profile; a changed currency converts no amount."""
    if fields.get("timezone", "UTC") not in clock.ZONES:
        raise Invalid({"timezone": "Choose an IANA time zone, such as Europe/Paris."})
    if "currency" in fields:
        fields["currency"] = money.currency_code(fields["currency"])
    organization = lock_organization(actor)
    changes = events.assign(organization, fields)
    if changes:
        organization.save()
        title = f"Settings of {organization.name} changed"
        events.record(actor, "organization.updated", organization, title=title, changes=changes)
    return organization


def lock_organization(actor: Actor) -> Organization:
    """Lock and return the actor's organization: what it has one of is settled under this lock."""
    return lock_row(own_organization(actor), actor.organization_id)


def own_organization(actor: Actor) -> QuerySet[Organization]:
    """Return the actor's organization, as rows."""
    return Organization.objects.filter(pk=actor.organization_id)


def system_info(actor: Actor, organization: Organization) -> dict[str, Any]:
    """Return version, uptime of this process in seconds, counts of what there is, and which features are on."""
    members = User.objects.of(actor).members()
    counters = RowCounter.objects.filter(organization_id=actor.organization_id)
    # Those of two words count the same rows once more, in another way.
    kept = counters.exclude(kind__contains=" ").values_list("kind").annotate(Sum("n"))
    return {
        "version": settings.VERSION,
        "uptime": int(time.monotonic() - _STARTED),
        "organization": {
            "id": organization.pk,
            "name": organization.name,
            "slug": organization.slug,
            "created_at": organization.created_at,
        },
        "counts": {
            "users": members.count(),
            "active_users": members.filter(is_active=True).count(),
            **dict(kept.order_by("kind")),
        },
        "features": {
            "registration": settings.REGISTRATION,
            "google_sign_in": bool(settings.GOOGLE["client_id"]),
            "shop": organization.shop_enabled,
            "rate_limits": settings.RATE_LIMITS,
        },
    }


def is_proven(organization_id: UUID) -> bool:
    """Tell whether an active owner has proven their address; inside a transaction that sees the organization."""
    owners = UserRole.objects.of(organization_id).filter(role__name="owner", role__is_built_in=True)
    return owners.filter(user__is_active=True, user__email_verified_at__isnull=False).exists()
