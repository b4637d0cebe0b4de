"""Signing in with e-mail address and password: one answer for everything that is wrong."""

import logging
from collections.abc import Collection, Sequence

from accounts.models import User, normalize_email
from accounts.services import hashing, lockout, sessions
from accounts.services.address_accounts import Account, accounts_of
from accounts.services.hashing import HashingBusy
from accounts.services.lockout import Locked
from accounts.services.sessions import ClientInfo, SignIn
from crm.core import events
from crm.core.actor import Actor
from crm.core.db import operator, tenant
from crm.core.errors import Conflict, Forbidden, Unauthenticated

security = logging.getLogger("security")


def sign_in(*, email: str, password: str, visit: ClientInfo, slug: str = "", admits_shoppers: bool = False) -> SignIn:
    """Open a session of the account that address and password fit, in the organization of `slug` where one is named.

    Raises `Unauthenticated` for whatever is wrong, `Forbidden` for an inactive account (only with its password) and
    for a mere shopper where shoppers have no access, `Conflict` where the password fits in several organizations.
    """
    email = normalize_email(email)
    with operator("sign_in"):
        accounts = accounts_of(email, slug=slug)
        ids = [account.user.pk for account in accounts]
        familiar = lockout.familiar_users(ids, visit.address)
    try:
        admission = lockout.admit(email, ids, familiar, visit.address)
    except Locked as refusal:
        _report("locked", accounts, visit, recorded=refusal.locked)
        raise
    tried = [account for account in accounts if account.user.pk in admission.user_ids]
    try:
        fitting, outdated = _fitting(tried, password)
    except HashingBusy:
        lockout.undo(admission)
        raise
    if not fitting:
        _report("failed", tried, visit, recorded=[account.user.pk for account in tried])
        raise WrongCredentials
    account = _the_one(fitting, admits_shoppers=admits_shoppers)
    new_hash = hashing.encode(password) if account in outdated else ""
    signed_in = _open(account, visit, new_hash)
    lockout.undo_failure(admission, account.user.pk)
    return signed_in


class WrongCredentials(Unauthenticated):
    """An unknown address, a wrong password, or both."""

    message = (
        "The e-mail address or the password is wrong. "
        "If the address belongs to several organizations, name the one to sign in to."
    )


class AccountInactive(Forbidden):
    """The right password of an account that is switched off."""

    code = "ACCOUNT_INACTIVE"
    message = "This account is inactive."


def _fitting(tried: Sequence[Account], password: str) -> tuple[list[Account], list[Account]]:
    """Return the accounts that a password fits, and those of them with an outdated hash; none takes as long as one."""
    if not tried:
        hashing.verify(password, None)
    fitting, outdated = [], []
    for account in tried:
        is_right, is_outdated = hashing.verify(password, account.user.password)
        if is_right:
            fitting.append(account)
            if is_outdated:
                outdated.append(account)
    return fitting, outdated


def _the_one(fitting: Sequence[Account], *, admits_shoppers: bool) -> Account:
    """Return the account that is meant: active before inactive, and members before shoppers."""
    living = [account for account in fitting if account.is_open]
    if not living:
        raise AccountInactive
    if not admits_shoppers:
        living = [account for account in living if account.is_member]
        if not living:
            raise Forbidden("This account is for shopping only.")
    if len(living) > 1:
        slugs = sorted(account.organization.slug for account in living)
        raise Conflict(
            "This address and password fit in several organizations: name one.",
            code="ORGANIZATION_REQUIRED",
            extra={"organizations": slugs},
        )
    return living[0]


def _open(account: Account, visit: ClientInfo, new_hash: str) -> SignIn:
    """Open the session, unless account or password changed while the password was compared."""
    with tenant(account.organization.pk):
        unchanged = (
            User.objects.of(account.organization.pk)
            .select_for_update(no_key=True)
            .filter(pk=account.user.pk, is_active=True, password=account.user.password)
        )
        user = unchanged.first()
        if user is None:
            raise WrongCredentials
        if new_hash:
            user.password = new_hash
            user.save(update_fields=["password"])
        return sessions.open_session(user, visit)


def _report(outcome: str, accounts: Sequence[Account], visit: ClientInfo, *, recorded: Collection[object]) -> None:
    """Log a sign-in that failed or was locked, and record it where the accounts among `recorded` belong.

    What was typed stays out of the log: people type passwords into the wrong field.
    """
    fields = {
        "event": f"sign_in_{outcome}",
        "users": [str(account.user.pk) for account in accounts],
        "address": visit.address,
        "surface": visit.surface,
    }
    security.warning("Sign-in %s", outcome, extra={"fields": fields})
    metadata = {"surface": visit.surface, "address": visit.address}
    for account in accounts:
        if account.user.pk in recorded:
            with tenant(account.organization.pk):
                title = f"Sign-in of {account.user} {outcome}"
                nobody = Actor(organization_id=account.organization.pk)
                events.record(nobody, f"user.sign_in_{outcome}", account.user, title=title, metadata=metadata)
