"""Organizations of which somebody is known: an owner who has proven their e-mail address."""

from uuid import UUID

from accounts.models import UserRole


def is_proven(organization_id: UUID) -> bool:
    """Tell whether an active owner has proven their address; inside a transaction that sees the organization."""
    owners = UserRole.objects.of(organization_id).filter(role__name="owner", role__is_built_in=True)
    return owners.filter(user__is_active=True, user__email_verified_at__isnull=False).exists()
