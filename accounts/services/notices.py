"""Notices: mails that tell a person what changed in their account, so that a change they did not make is noticed."""

import logging

from django.conf import settings

from accounts.models import User
from accounts.services.membership import organization_of
from crm.core import outbox, rate_limits

PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a name, no secret
PASSWORD_REMOVED = "password_removed"  # noqa: S105 - the same
EMAIL_CHANGED = "email_changed"
ROLE_CHANGED = "role_changed"


MOST_A_DAY = 20  # to one user; whoever changed so much was noticed
log = logging.getLogger("security")


def put(user: User, what: str, *, to: str = "") -> None:
    """Put a notice into the outbox of this transaction: to the user's address, or to the one they had before.

    Other limits on mails do not count here: nobody uses them up to change an account unnoticed.
    """
    if settings.RATE_LIMITS and not rate_limits.hit_durable(f"notices:{user.pk}", MOST_A_DAY, 86_400).allowed:
        log.warning("No notice: too many", extra={"fields": {"event": "notice_left_out", "users": [str(user.pk)]}})
        return
    payload = {"user_id": str(user.pk), "what": what, "to": to or user.email}
    outbox.enqueue(organization_of(user), "mail.account_notice", payload)
