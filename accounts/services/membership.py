"""Members and operators: who belongs to an organization, and who to none."""

from uuid import UUID

from accounts.models import User


def organization_of(user: User) -> UUID:
    """Return the id of a member's organization; platform operators belong to none and never come here."""
    if user.organization_id is None:
        raise ValueError("A platform operator belongs to no organization.")
    return user.organization_id
