"""Proof of an e-mail address by a mailed link.

Anybody may have made the account for an address that is not theirs. So the link alone proves the address to nobody who
was there before: it takes the account's session or password too, or sets a new password and ends all sessions.
"""

from contextlib import suppress
from uuid import UUID

from accounts.models import Purpose, User, normalize_email
from accounts.services import hashing, mail_limits, one_time_links, passwords, sessions, timing
from accounts.services.mail_limits import Asker
from accounts.services.membership import organization_of
from accounts.services.shoppers import mark_verified
from crm.core.actor import Actor
from crm.core.db import lock_row, tenant
from crm.core.errors import Invalid
from crm.core.mail_limits import TooManyMails


def verify(
    *,
    token: str,
    password: str = "",
    new_password: str = "",
    by: Actor | None = None,
    organization_id: UUID | None = None,
) -> User:
    """Use a verification link, given the account's password, a new one, or the session of who acts (`by`).

    All other sessions of the account end. `organization_id` names the only organization whose links count.
    """
    link = one_time_links.find(Purpose.VERIFY_EMAIL, token, organization_id=organization_id)
    is_signed_in = by is not None and by.user_id == link.user_id
    if new_password:
        passwords.set_new(link.user, new_password, field="new_password")
    elif not is_signed_in:
        if not password:
            raise PasswordRequired({"password": "Give the account's password, or choose a new_password."})
        if not hashing.verify(password, link.user.password)[0]:
            raise Invalid({"password": "This is not the password of the account."})
    with tenant(link.organization_id):
        user: User = lock_row(User.objects.of(link.organization_id).filter(is_active=True), link.user_id)
        one_time_links.spend(link, user)
        author = sessions.author(user)
        if new_password:
            user.password, user.google_subject = link.user.password, ""
            passwords.store(author, user, reason="password_reset")
        elif user.password != link.user.password:  # changed since it was compared
            raise one_time_links.LinkRefused
        else:
            kept = by.session_id if by and is_signed_in else None
            sessions.end_sessions(author, user, reason="email_verified", but=kept)
        mark_verified(user)
    return user


def resend(user: User) -> None:
    """Mail another verification link, unless the address is verified already; `TooManyMails` beyond the limits."""
    if user.email_verified_at is None:
        mail_limits.require(organization_of(user), user.email, Asker.ANYBODY)
        one_time_links.mail_verification(user)


def resend_to(organization_id: UUID, email: str) -> None:
    """As `resend`, for whoever has this address; nobody learns whether anybody does."""
    with timing.minimum_duration(), tenant(organization_id):
        same = User.objects.of(organization_id).filter(email_normalized=normalize_email(email), is_active=True)
        user = same.first()
        if user is not None:
            with suppress(TooManyMails):
                resend(user)


class PasswordRequired(Invalid):
    """The link came from who is not signed in to the account that it verifies."""

    code = "PASSWORD_REQUIRED"
