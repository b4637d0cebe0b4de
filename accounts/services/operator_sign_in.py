"""How operators prove who they are to the admin: a password, and where it is switched on a second factor after it.

Nothing here opens a session; `pending` names who has given the right password, for the few minutes of the second step.
"""

from datetime import timedelta
from uuid import UUID, uuid4

from django.core import signing
from django.db.models import QuerySet
from django.utils.crypto import constant_time_compare

from accounts.models import OperatorEvent, User, normalize_email
from accounts.services import hashing, operator_events, operator_limits, operator_totp
from accounts.services.hashing import HashingBusy
from accounts.services.operator_events import Client
from accounts.services.operator_limits import Asked, Attempt
from crm.core import tokens
from crm.core.db import operator
from crm.core.errors import Unauthenticated

PENDING_FOR = timedelta(minutes=5)
_SALT = "accounts.operator_sign_in"


class WrongPassword(Unauthenticated):
    """Not the operator's password."""

    message = "This is not the current password."


class WrongCode(Unauthenticated):
    """Neither the present code nor an unused recovery code; also a code that was used before."""

    message = "This code is not valid. Enter the newest one, or an unused recovery code."


class Changed(Unauthenticated):
    """Password, second factor or account changed during the sign-in."""

    message = "Your account changed meanwhile. Sign in again."


def authenticate(email: str, password: str, client: Client) -> User | None:
    """Return the operator of address and password, or None; raise `RateLimited` after too many failures.

    An unknown address counts as a known one does, and takes as long.
    """
    email = normalize_email(email)
    with operator("sign_in"):
        user = _operators().filter(email_normalized=email).first()
        is_known = operator_events.has_signed_in_from(user.pk if user else uuid4(), client)
    attempt = operator_limits.admit(Asked.PASSWORD, client, user=user, email=email, is_known=is_known)
    if user is None:
        _compared(password, None, attempt)
        operator_events.note(OperatorEvent.Name.FAILED, client, email=email, reason="unknown account")
        return None
    if not _has_password(user, password, attempt):
        operator_events.note(OperatorEvent.Name.FAILED, client, user=user, reason="wrong password")
        return None
    attempt.undo_failure()
    return user


def find(user_id: UUID | str) -> User | None:
    """Return the active operator with this id, with the second factor."""
    with operator("back_office"):
        return _operators().filter(pk=user_id).first()


def confirm_password(user: User, password: str, client: Client) -> None:
    """Compare a signed-in operator's password, under the same limits; raise `WrongPassword`."""
    attempt = _admit(Asked.PASSWORD, user, client)
    if not _has_password(user, password, attempt):
        operator_events.note(OperatorEvent.Name.FAILED, client, user=user, reason="wrong present password")
        raise WrongPassword
    attempt.undo_failure()


def confirm_code(user: User, code: str, client: Client) -> None:
    """Use up a code of the operator's second factor, or a recovery code; raise `WrongCode`."""
    attempt = _admit(Asked.CODE, user, client)
    used = operator_totp.use(user, code)
    if used is operator_totp.Used.NOTHING:
        operator_events.note(OperatorEvent.Name.CODE_FAILED, client, user=user)
        raise WrongCode
    attempt.undo_failure()
    if used is operator_totp.Used.RECOVERY_CODE:
        operator_events.note(OperatorEvent.Name.RECOVERY_CODE_USED, client, user=user)


def pending(user: User) -> str:
    """Return a signed text that names the operator who has given the right password."""
    return signing.dumps([str(user.pk), _state(user)], salt=_SALT)


def pending_user(token: str) -> User | None:
    """Return the operator of such a text; None after five minutes, or where password or second factor changed."""
    try:
        user_id, state = signing.loads(token, salt=_SALT, max_age=PENDING_FOR)
    except signing.BadSignature:
        return None
    user = find(user_id)
    return user if user and constant_time_compare(state, _state(user)) else None


def lock_unchanged(user: User) -> User:
    """Lock and return the operator; raise `Changed` where what was compared is no longer so. In an operator's step."""
    row = _operators().select_for_update(of=("self",), no_key=True).filter(pk=user.pk).first()
    if row is None or _state(row) != _state(user):
        raise Changed
    return row


def _operators() -> QuerySet[User]:
    rows: QuerySet[User] = User.objects.filter(organization=None, is_active=True, is_superuser=True)
    return rows.select_related("totp")


def _admit(asked: Asked, user: User, client: Client) -> Attempt:
    with operator("sign_in"):
        is_known = operator_events.has_signed_in_from(user.pk, client)
    return operator_limits.admit(asked, client, user=user, email=user.email, is_known=is_known)


def _has_password(user: User, password: str, attempt: Attempt) -> bool:
    """Compare, and hash anew where the hasher's parameters have changed."""
    is_right, is_outdated = _compared(password, user.password, attempt)
    if is_right and is_outdated:
        new = hashing.encode(password)
        with operator("back_office"):
            if User.objects.filter(pk=user.pk, password=user.password).update(password=new):
                user.password = new
    return is_right


def _compared(password: str, encoded: str | None, attempt: Attempt) -> tuple[bool, bool]:
    """Compare a password, or take as long where there is none; an attempt that could not be made does not count."""
    try:
        return hashing.verify(password, encoded)
    except HashingBusy:
        attempt.undo_failure()
        raise


def _state(user: User) -> str:
    return tokens.digest(user.get_session_auth_hash())
