"""Passwords: checked by Django's validators, hashed with Argon2, changed by their owner, an administrator or a link."""

from uuid import UUID

from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError

from accounts.models import OneTimeLink, Purpose, User
from accounts.services import hashing, lockout, mail_limits, notices, one_time_links, sessions, shoppers, timing
from accounts.services.address_accounts import open_accounts
from accounts.services.membership import organization_of
from crm.core import events
from crm.core.actor import Actor
from crm.core.db import lock_row, operator, tenant
from crm.core.errors import Invalid


def set_new(user: User, password: str, *, field: str = "password") -> None:
    """Check a new password against the validators and set its hash on the user, unsaved; hashing takes long."""
    try:
        password_validation.validate_password(password, user)
    except ValidationError as error:
        raise Invalid({field: " ".join(error.messages)}) from error
    user.password = hashing.encode(password)


def require_current(user: User, password: str | None, *, field: str = "current_password") -> None:
    """Raise `Invalid` unless this is the user's present password; callers' views count the attempts (`guarded`)."""
    if password is None:
        raise Invalid({field: "This field is required."})
    if not hashing.verify(password, user.password)[0]:
        raise Invalid({field: "This is not the current password."})


def change_own(actor: Actor, *, current_password: str | None, new_password: str) -> None:
    """Change the actor's password, given the present one; ends their other sessions, not this one."""
    user = lock_row(User.objects.of(actor), actor.user_id)  # type: ignore[arg-type]
    require_current(user, current_password)
    set_new(user, new_password, field="new_password")
    store(actor, user, reason="password_changed", but_session=True)


def change_for(actor: Actor, user: User, *, new_password: str) -> None:
    """Give another user a new password, as an administrator; ends all their sessions."""
    user = lock_row(User.objects.of(actor), user.pk)
    set_new(user, new_password, field="new_password")
    store(actor, user, reason="password_changed")


def store(actor: Actor, user: User, *, reason: str, but_session: bool = False) -> None:
    """Save a locked user's new password, end sessions and open reset links, record it and tell the user by mail."""
    user.save(update_fields=["password", "google_subject", "updated_at"])
    one_time_links.void(user, Purpose.RESET_PASSWORD)
    sessions.end_sessions(actor, user, reason=reason, but=actor.session_id if but_session else None)
    events.record(actor, f"user.{reason}", user, title=f"Password of {user} changed")
    notices.put(user, notices.PASSWORD_CHANGED)


def forget(*, email: str, slug: str = "") -> None:
    """Mail one list of reset links, one for each active account of an address; nobody learns whether there is one."""
    with timing.minimum_duration():
        with operator("sign_in"):
            users = [account.user for account in open_accounts(email, slug=slug)]
        made: list[OneTimeLink] = []
        for user in users:
            with tenant(organization_of(user)):
                if not made and not mail_limits.allows(organization_of(user), user.email):
                    return
                made.append(one_time_links.make(user, Purpose.RESET_PASSWORD))
                author = sessions.author(user)
                events.record(author, "user.password_forgotten", user, title=f"{user} asked for a reset link")
        if made:
            with tenant(made[0].organization_id):
                one_time_links.mail_resets(made)


def reset(*, token: str, password: str, organization_id: UUID | None = None, address: str = "") -> None:
    """Set a new password by a mailed link, which proves the address: all sessions end, and a lockout with them.

    `address` is the client's.
    """
    link: OneTimeLink = one_time_links.find(Purpose.RESET_PASSWORD, token, organization_id=organization_id)
    set_new(link.user, password)
    with tenant(link.organization_id):
        user = lock_row(User.objects.of(link.organization_id).filter(is_active=True), link.user_id)
        one_time_links.spend(link, user)
        user.password, user.google_subject = link.user.password, ""  # the mailbox may have another holder by now
        store(sessions.author(user), user, reason="password_reset")
        shoppers.mark_verified(user)
        lockout.lift(user.pk, address)
