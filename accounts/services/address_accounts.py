"""The accounts of an e-mail address across organizations, and which of them take part where none is named.

Anybody can make an account for an address that is not theirs. So where an address has several accounts, one whose
address is not proven takes part only where its organization is named.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.models import Organization, User, normalize_email

MOST_ACCOUNTS = 5  # each costs a hash; who has more names the organization


@dataclass(frozen=True, slots=True)
class Account:
    """A user that an address may stand for."""

    user: User
    organization: Organization
    is_member: bool

    @property
    def is_open(self) -> bool:
        """Tell whether user and organization are active."""
        return self.user.is_active and self.organization.is_active

    @property
    def is_proven(self) -> bool:
        """Tell whether whoever holds the account has proven to hold the address."""
        return self.user.email_verified_at is not None


def accounts_of(email: str, *, slug: str = "") -> Sequence[Account]:
    """Return the accounts that take part for an address, at most `MOST_ACCOUNTS`, open ones first.

    `slug` names one organization. Without it members come before mere shoppers. In an operator's transaction.
    """
    accounts = _one_each(email, slug)
    if not slug and any(account.is_member for account in accounts):
        accounts = [account for account in accounts if account.is_member]
    competing = [account for account in accounts if account.is_open] or accounts
    if len(competing) == 1:
        taking_part = [account for account in accounts if account is competing[0] or account.is_proven]
    else:
        taking_part = [account for account in accounts if account.is_proven]
    return taking_part[:MOST_ACCOUNTS]


def open_accounts(email: str, *, slug: str = "") -> Sequence[Account]:
    """Return the open accounts of an address, at most `MOST_ACCOUNTS`, proven ones first: for mail to the address.

    `slug` names one organization. Without it members come before mere shoppers. In an operator's transaction.
    """
    accounts = [account for account in _one_each(email, slug) if account.is_open]
    if not slug and any(account.is_member for account in accounts):
        accounts = [account for account in accounts if account.is_member]
    return sorted(accounts, key=lambda account: not account.is_proven)[:MOST_ACCOUNTS]


def _one_each(email: str, slug: str) -> list[Account]:
    """Return one account an organization: the active one, else the latest inactive one; open ones first."""
    users = User.objects.filter(email_normalized=normalize_email(email), organization__isnull=False)
    users = users.exclude(is_active=False, is_invited=True)
    if slug:
        users = users.filter(organization__slug=slug)
    one_each = users.order_by("organization_id", "-is_active", "-created_at").distinct("organization_id")
    members = set(users.members().values_list("pk", flat=True))
    accounts = [
        Account(user, user.organization, user.pk in members)
        for user in one_each.select_related("organization")
        if user.organization
    ]
    return sorted(accounts, key=lambda account: (not account.is_open, account.user.created_at))
