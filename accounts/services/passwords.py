"""Passwords: checked by Django's validators, hashed with Argon2, changed by their owner, an administrator or a link."""

from uuid import UUID

from django.contrib.auth import password_validation
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError

from accounts.models import OneTimeLink, Purpose, User, normalize_email
from accounts.services import links, sessions, timing
from accounts.services.membership import organization_of
from crm.core import clock, events
from crm.core.actor import Actor
from crm.core.errors import Invalid
from crm.core.locking import lock_one
from crm.core.tenancy import operator, tenant

MOST_MAILED = 20


def set_new(user: User, password: str, *, field: str = "password") -> None:
    """Check a new password against the validators and set its hash on the user, unsaved; hashing takes long."""
    try:
        password_validation.validate_password(password, user)
    except ValidationError as error:
        raise Invalid(**{field: " ".join(error.messages)}) from error
    user.password = make_password(password)


def change_own(actor: Actor, *, current_password: str, new_password: str) -> None:
    """Change the actor's password, given the present one; ends their other sessions, not this one."""
    user = lock_one(User.objects.of(actor), actor.user_id)  # type: ignore[arg-type]
    if not user.check_password(current_password):
        raise Invalid(current_password="This is not the current password.")  # noqa: S106 - a message
    set_new(user, new_password, field="new_password")
    store(actor, user, reason="password_changed", but_session=True)


def change_for(actor: Actor, user: User, *, new_password: str) -> None:
    """Give another user a new password, as an administrator; ends all their sessions."""
    user = lock_one(User.objects.of(actor), user.pk)
    set_new(user, new_password, field="new_password")
    store(actor, user, reason="password_changed")


def store(actor: Actor, user: User, *, reason: str, but_session: bool = False) -> None:
    """Save a locked user's new password, end sessions and open reset links, and record it."""
    user.save(update_fields=["password", "updated_at"])
    OneTimeLink.objects.of(actor).filter(user=user, purpose=Purpose.RESET_PASSWORD, used_at=None).update(
        used_at=clock.now()
    )
    sessions.end_sessions(actor, user, reason=reason, but=actor.session_id if but_session else None)
    events.record(actor, f"user.{reason}", user, title=f"Password of {user} changed")


def forget(*, email: str, slug: str = "") -> None:
    """Mail a reset link to each active account of an address; nobody learns whether there is one."""
    users = User.objects.filter(email_normalized=normalize_email(email), is_active=True, organization__is_active=True)
    if slug:
        users = users.filter(organization__slug=slug)
    with timing.leveled():
        with operator("sign_in"):
            found = list(users.order_by("created_at")[:MOST_MAILED])
        for user in found:
            with tenant(organization_of(user)):
                links.mail_reset(user)
                author = sessions.author(user)
                events.record(author, "user.password_forgotten", user, title=f"{user} asked for a reset link")


def reset(*, token: str, password: str, organization_id: UUID | None = None) -> None:
    """Set a new password by a mailed link; ends all sessions of the user."""
    link = links.find(Purpose.RESET_PASSWORD, token, organization_id=organization_id)
    set_new(link.user, password)
    with tenant(link.organization_id):
        user = lock_one(User.objects.of(link.organization_id).filter(is_active=True), link.user_id)
        links.spend(link)
        user.password = link.user.password
        store(sessions.author(user), user, reason="password_reset")
