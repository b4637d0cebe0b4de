"""Signing in with e-mail address and password: one answer, in one time, for everything that is wrong."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.hashers import make_password, verify_password

from accounts.models import Organization, User, normalize_email
from accounts.services import lockout, sessions
from accounts.services.sessions import SignIn, Visit
from crm.core.errors import Conflict, Forbidden, Unauthenticated
from crm.core.tenancy import operator, tenant

# One address may have accounts in many organizations; beyond this many, the organization must be named.
MOST_TRIED = 20


@dataclass(frozen=True, slots=True)
class Account:
    """A user whom a sign-in may mean."""

    user: User
    organization: Organization
    is_member: bool

    @property
    def is_open(self) -> bool:
        """Tell whether user and organization are active."""
        return self.user.is_active and self.organization.is_active


def sign_in(*, email: str, password: str, visit: Visit, slug: str = "", admits_shoppers: bool = False) -> SignIn:
    """Open a session of the account that address and password fit, in the organization of `slug` where one is named.

    Raises `Unauthenticated` for whatever is wrong, `Forbidden` for an inactive account (only with its password) and
    for a mere shopper where shoppers have no access, `Conflict` where the password fits in several organizations.
    """
    email = normalize_email(email)
    with operator("sign_in"):
        accounts = _accounts(email, slug)
        familiar = lockout.familiar_users(accounts, visit.address)
    admission = lockout.admit(email, list(accounts), familiar, visit.address)
    tried = [accounts[user_id] for user_id in admission.user_ids]
    if not tried:
        make_password(password)  # takes as long as a comparison
    fitting, outdated = [], set()
    for account in tried:
        is_right, is_outdated = verify_password(password, account.user.password)
        if is_right:
            fitting.append(account)
            outdated |= {account.user.pk} if is_outdated else set()
    if not fitting:
        raise WrongCredentials
    lockout.forgive(admission)
    account = _the_one(fitting, admits_shoppers=admits_shoppers)
    new_hash = make_password(password) if account.user.pk in outdated else ""
    return _open(account, visit, new_hash)


class WrongCredentials(Unauthenticated):
    """An unknown address, a wrong password, or both."""

    message = "The e-mail address or the password is wrong."


class AccountInactive(Forbidden):
    """The right password of an account that is switched off."""

    code = "ACCOUNT_INACTIVE"
    message = "This account is inactive."


def _accounts(email: str, slug: str) -> dict[UUID, Account]:
    """Return the accounts of an address, one an organization: the active one, else the latest inactive one."""
    users = User.objects.filter(email_normalized=email, organization__isnull=False)
    users = users.exclude(is_active=False, is_invited=True)
    if slug:
        users = users.filter(organization__slug=slug)
    one_each = users.order_by("organization_id", "-is_active", "-created_at").distinct("organization_id")
    members = set(User.objects.filter(email_normalized=email).members().values_list("pk", flat=True))
    found = sorted(one_each.select_related("organization"), key=lambda user: (not user.is_active, user.created_at))
    return {
        user.pk: Account(user, user.organization, user.pk in members)
        for user in found[:MOST_TRIED]
        if user.organization
    }


def _the_one(fitting: list[Account], *, admits_shoppers: bool) -> Account:
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


def _open(account: Account, visit: Visit, new_hash: str) -> SignIn:
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
