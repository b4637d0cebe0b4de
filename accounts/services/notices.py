"""Notices: mails that tell a person what changed in their account, so that a change they did not make is noticed."""

from accounts.models import User
from accounts.services.membership import organization_of
from crm.core import outbox

PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a name, no secret
PASSWORD_REMOVED = "password_removed"  # noqa: S105 - the same
EMAIL_CHANGED = "email_changed"
ROLE_CHANGED = "role_changed"


def put(user: User, what: str, *, to: str = "") -> None:
    """Put a notice into the outbox of this transaction: to the user's address, or to the one they had before."""
    payload = {"user_id": str(user.pk), "what": what, "to": to or user.email}
    outbox.put(organization_of(user), "mail.account_notice", payload)
