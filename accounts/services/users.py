"""Members: made by an administrator, changed by one or by themselves, deactivated and brought back."""

from collections.abc import Iterable
from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts.models import Language, Role, User, normalize_email
from accounts.services import (
    invitations,
    mail_limits,
    notices,
    one_time_links,
    passwords,
    registration,
    roles,
    sessions,
)
from accounts.services.mail_limits import Asker
from accounts.services.names import split_name
from accounts.services.registration import EmailTaken
from crm.core import clock, events
from crm.core.actor import Actor
from crm.core.db import lock_row
from crm.core.errors import Conflict, Forbidden, Invalid


class OwnFields(TypedDict, total=False):
    """What a user may change of themselves, by domain name. The rest takes `users:update`."""

    first_name: str
    last_name: str
    full_name: str
    phone: str
    avatar: str
    timezone: str
    language: str
    preferences: dict[str, Any]


class UserChanges(OwnFields, total=False):
    """What else may be changed of a user; `role` is a stored name."""

    email: str
    role: str
    is_active: bool


OWN_FIELDS = frozenset(OwnFields.__annotations__)


# What opens another's account: it takes standing over everything that the other may do.
SENSITIVE_FIELDS = frozenset({"email", "role", "is_active"})


def create_user(
    actor: Actor, *, email: str, role: str, password: str | None = None, **fields: Unpack[OwnFields]
) -> User:
    """Make a member with a role (its stored name); without a password invited, and inactive until they accept.

    A shopper of this address becomes the member. One who has proven the address has the role at once; of one who has
    not, the account is theirs who accept the invitation, or who are told the password given here.
    """
    values: dict[str, Any] = dict(fields)
    given = roles.role_named(actor, role)
    roles.require_role(actor, given)
    values = _checked(values)
    holder = invitations.address_holder(actor, email)
    if holder is not None:
        return _promoted(actor, holder, given, password, values)
    user = User(organization_id=actor.organization_id, email=email, **values)
    if password is None:
        user.set_unusable_password()
        user.is_active, user.is_invited = False, True
    else:
        passwords.set_new(user, password)
        invitations.withdraw_to(actor, email)
    registration.join(user, given)
    events.record(actor, "user.created", user, title=f"{user} added", metadata={"role": given.name})
    if password is None:
        invitations.invite_user(actor, user, given)
    return user


def update_user(
    actor: Actor, user: User, *, current_password: str | None = None, **fields: Unpack[UserChanges]
) -> User:
    """Change a user: with `users:update` anything, oneself only `OWN_FIELDS`. `role` is a stored name.

    One's own address or role takes the present password. A new address is not proven, and what was mailed to the
    former one, or opened under it, ends.
    """
    values: dict[str, Any] = dict(fields)
    require_may_change(actor, user, values)
    user = lock_row(User.objects.of(actor), user.pk)
    role, is_active = values.pop("role", None), values.pop("is_active", None)
    is_moved = normalize_email(values.get("email", user.email)) != user.email_normalized
    is_other_role = role is not None and [role] != [held.name for held in roles.roles_of(actor, user)[:1]]
    is_guarded = user.pk == actor.user_id and (is_moved or is_other_role)
    former = user.email
    if is_moved:
        _free_address(actor, values["email"], but=user)
        user.email_verified_at, user.google_subject = None, ""
    changes = events.assign(user, _checked(values))
    if changes:
        _save(user)
        events.record(actor, "user.updated", user, title=f"{user} updated", changes=changes)
    if is_moved:
        _follow_address(actor, user, former)
    if role is not None:
        roles.set_role(actor, user, roles.role_named(actor, role))
    if is_active is not None:
        set_active(actor, user, is_active=is_active)
    if is_guarded:  # last: who may not do it at all is told so, and a wrong password undoes it
        passwords.require_current(user, current_password)
    return user


def require_may_change(actor: Actor, user: User, fields: Iterable[str] = ()) -> None:
    """Raise `Forbidden`, naming what is not allowed, unless the actor may change these fields of the user."""
    is_self = user.pk == actor.user_id
    if not is_self:
        actor.require("users:update")
    if not actor.can("users:update"):
        refused = sorted(set(fields) - OWN_FIELDS)
        if refused:
            details = dict.fromkeys(refused, "This takes the permission users:update.")
            raise Forbidden(f"You may not change {', '.join(refused)} of yourself.", details=details)
    if not is_self and SENSITIVE_FIELDS.intersection(fields):
        roles.require_standing_over(actor, user)


def set_active(actor: Actor, user: User, *, is_active: bool) -> User:
    """Deactivate a user or bring one back; one who is invited becomes active by accepting alone."""
    actor.require("users:delete")
    if is_active and user.is_invited:
        raise Conflict("This user has not accepted the invitation yet.", code="INVITATION_PENDING")
    return restore_user(actor, user) if is_active else deactivate_user(actor, user)


def deactivate_user(actor: Actor, user: User) -> User:
    """Deactivate a user: sessions, links and invitations, theirs and those they sent, end. Twice changes nothing."""
    require_other(actor, user)
    roles.require_standing_over(actor, user)
    user = lock_row(User.objects.of(actor), user.pk)
    if not (user.is_active or user.is_invited):
        return user
    roles.require_other_owner(actor, user)
    invitations.withdraw_for(actor, user)
    invitations.withdraw_of(actor, user)
    _retire(actor, user, reason="deactivated")
    return user


def restore_user(actor: Actor, user: User) -> User:
    """Bring a deactivated user back with the roles they had; one who was not deactivated stays as they are."""
    roles.require_standing_over(actor, user)
    user = lock_row(User.objects.of(actor), user.pk)
    if user.is_active or user.is_invited:
        return user
    _free_address(actor, user.email, but=user)
    user.is_active = True
    _save(user)
    events.record(actor, "user.restored", user, title=f"{user} brought back")
    return user


def change_password(actor: Actor, user: User, *, new_password: str, current_password: str | None = None) -> None:
    """Change one's own password, given the present one, or as an administrator somebody else's."""
    if user.pk == actor.user_id:
        passwords.change_own(actor, current_password=current_password, new_password=new_password)
        return
    actor.require("users:update")
    roles.require_standing_over(actor, user)
    passwords.change_for(actor, user, new_password=new_password)


def require_other(actor: Actor, user: User) -> None:
    """Raise `Invalid` where a user would do to themselves what only another may do to them."""
    if user.pk == actor.user_id:
        raise Invalid(message="You cannot do this to your own account.", code="CANNOT_MODIFY_SELF")


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the columns that the fields mean; a full name is split unless its parts are given too."""
    if "full_name" in fields:
        first_name, last_name = split_name(fields.pop("full_name"))
        fields = {"first_name": first_name, "last_name": last_name, **fields}
    if fields.get("timezone", "UTC") not in clock.ZONES:
        raise Invalid({"timezone": "Choose an IANA time zone, such as Europe/Paris."})
    if fields.get("language", Language.ENGLISH) not in Language.values:
        raise Invalid({"language": f"Choose one of: {', '.join(Language.values)}."})
    return fields


def _promoted(actor: Actor, user: User, role: Role, password: str | None, fields: dict[str, Any]) -> User:
    """Make a shopper a member, keeping what they ordered; `EmailTaken` where the address is a member's already."""
    if user.is_invited or User.objects.of(actor).filter(pk=user.pk).members().exists():
        raise EmailTaken
    if password is None and user.email_verified_at is None:
        user.is_invited = True
        _save(user)
        invitations.invite_user(actor, user, role)
        return user
    changes = events.assign(user, fields)
    _save(user)
    if password is not None:
        passwords.set_new(user, password)
        one_time_links.void(user)
        passwords.store(actor, user, reason="password_changed")
    invitations.withdraw_to(actor, user.email)
    roles.assign_role(actor, user, role)
    events.record(actor, "user.created", user, title=f"{user} added", changes=changes, metadata={"role": role.name})
    return user


def _free_address(actor: Actor, email: str, *, but: User) -> None:
    """Raise `EmailTaken` where somebody else has the address; a shopper who never proved it makes way."""
    others = User.objects.of(actor).filter(email_normalized=normalize_email(email)).exclude(pk=but.pk)
    for other in others.filter(Q(is_active=True) | Q(is_invited=True)).select_for_update(no_key=True):
        is_member = User.objects.of(actor).filter(pk=other.pk).members().exists()
        if is_member or other.is_invited or other.email_verified_at is not None:
            raise EmailTaken
        _retire(actor, other, reason="address_reassigned")
    invitations.withdraw_to(actor, email)


def _retire(actor: Actor, user: User, *, reason: str) -> None:
    """Take a locked user out of service, with everything that opens the account."""
    user.is_active = user.is_invited = False
    _save(user)
    one_time_links.void(user)
    sessions.end_sessions(actor, user, reason=reason)
    events.record(actor, "user.deactivated", user, title=f"{user} deactivated", metadata={"reason": reason})


def _follow_address(actor: Actor, user: User, former: str) -> None:
    """End what the former address justified; tell both addresses, and let the new one be proven or invited."""
    if user.is_invited:
        invitations.follow_address(actor, user)
    if not user.is_active:
        return
    one_time_links.void(user)
    kept = actor.session_id if user.pk == actor.user_id else None
    sessions.end_sessions(actor, user, reason="email_changed", but=kept)
    for address in (former, user.email):
        notices.put(user, notices.EMAIL_CHANGED, to=address)
    mail_limits.require(actor.organization_id, user.email, Asker.MEMBER)
    one_time_links.mail_verification(user)


def _save(user: User) -> None:
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:  # of two at once, the second
        raise EmailTaken from error
