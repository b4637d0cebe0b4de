"""Operators' second factor: time-based one-time passwords (RFC 6238), and recovery codes for a lost device."""

import base64
import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Self
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.conf import settings
from django.db.models import F, Func, Value
from django.utils.crypto import constant_time_compare

from accounts.models import OperatorTotp, User
from crm.core import clock, sealing, tokens
from crm.core.db import operator

# What every authenticator app understands.
STEP_SECONDS = 30
DIGITS = 6
SECRET_BYTES = 20
DRIFT_STEPS = 1
RECOVERY_CODES = 10
RECOVERY_BYTES = 10
SET_UP_WITHIN = timedelta(minutes=15)
log = logging.getLogger(__name__)


class Used(StrEnum):
    """What a code was."""

    NOTHING = "nothing"
    TOTP = "totp"
    RECOVERY_CODE = "recovery_code"


@dataclass(frozen=True, slots=True)
class Setup:
    """A secret that its operator has not confirmed yet; nothing of it is stored."""

    user: User
    secret: bytes

    @classmethod
    def begin(cls, user: User) -> Self:
        """Make a new secret."""
        return cls(user, secrets.token_bytes(SECRET_BYTES))

    @classmethod
    def resume(cls, user: User, sealed: str) -> Self:
        """Return what `sealed` was made of; raise `sealing.Unreadable` for another operator's and after 15 minutes."""
        return cls(user, sealing.unseal(sealed, _purpose(user, "setup"), max_age=SET_UP_WITHIN))

    @property
    def sealed(self) -> str:
        """Return the secret as the operator's browser may keep it until it is confirmed."""
        return sealing.seal(self.secret, _purpose(self.user, "setup"))

    @property
    def text(self) -> str:
        """Return the secret for typing, in groups of four."""
        text = base64.b32encode(self.secret).decode()
        return " ".join(text[start : start + 4] for start in range(0, len(text), 4))

    @property
    def uri(self) -> str:
        """Return the `otpauth` address that authenticator apps scan."""
        return _totp(self.secret).get_provisioning_uri(self.user.email, urlsplit(settings.PUBLIC_URL).hostname)

    def step_of(self, code: str) -> int | None:
        """Return the time step of a code of this secret; None where it is none."""
        return _step_of(self.secret, _bare(code))


def switch_on(setup: Setup, step: int) -> list[str]:
    """Store a confirmed secret in place of the former, and return new recovery codes, shown this once.

    In an operator's step that has locked the operator. The code of `step` is used up.
    """
    codes = [base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower() for _ in range(RECOVERY_CODES)]
    switch_off(setup.user)
    setup.user.totp = OperatorTotp(
        user=setup.user,
        sealed_secret=sealing.seal(setup.secret, _purpose(setup.user, "totp")),
        last_step=step,
        recovery_hashes=[tokens.digest(code) for code in codes],
    )
    setup.user.totp.save(force_insert=True)
    return ["-".join(code[start : start + 4] for start in range(0, len(code), 4)) for code in codes]


def switch_off(user: User) -> bool:
    """Remove the operator's second factor; tell whether there was one. In an operator's step."""
    removed, _ = OperatorTotp.objects.filter(user_id=user.pk).delete()
    user._state.fields_cache["totp"] = None  # noqa: SLF001 - what Django remembers where there is none
    return bool(removed)


def use(user: User, code: str) -> Used:
    """Use a code up, once however many try at the same moment; tell what it was."""
    bare = _bare(code)
    with operator("back_office"):
        totp = OperatorTotp.objects.filter(user_id=user.pk).first()
        if totp is None:
            return Used.NOTHING
        step = _step_of(_secret_of(totp, user), bare)
        if step is not None:
            return Used.TOTP if _spend_step(totp, step) else Used.NOTHING
        return Used.RECOVERY_CODE if _spend_recovery_code(totp, bare.lower()) else Used.NOTHING


def _spend_step(totp: OperatorTotp, step: int) -> bool:
    return bool(OperatorTotp.objects.filter(pk=totp.pk, last_step__lt=step).update(last_step=step))


def _spend_recovery_code(totp: OperatorTotp, code: str) -> bool:
    spent = tokens.digest(code)
    left = Func(F("recovery_hashes"), Value(spent), function="array_remove")
    unspent = OperatorTotp.objects.filter(pk=totp.pk, recovery_hashes__contains=[spent])
    return bool(unspent.update(recovery_hashes=left))


def _secret_of(totp: OperatorTotp, user: User) -> bytes | None:
    try:
        return sealing.unseal(totp.sealed_secret, _purpose(user, "totp"))
    except sealing.Unreadable:
        log.warning("The second factor of operator %s was sealed under another SECRET_KEY.", user.pk)
        return None


def _step_of(secret: bytes | None, code: str) -> int | None:
    """Return the newest time step, one before to one after the present, whose code this is."""
    if secret is None or not (len(code) == DIGITS and code.isascii() and code.isdigit()):
        return None
    present = int(clock.now().timestamp()) // STEP_SECONDS
    for step in range(present + DRIFT_STEPS, present - DRIFT_STEPS - 1, -1):
        if constant_time_compare(_totp(secret).generate(step * STEP_SECONDS), code):
            return step
    return None


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303 - RFC 6238's default, which apps expect


def _bare(code: str) -> str:
    return "".join(code.split()).replace("-", "")


def _purpose(user: User, what: str) -> str:
    return f"operator-{what}:{user.pk}"
