"""Limits on the mails that somebody asks for: of an organization in a day, and to an address in an hour.

They are counted in PostgreSQL inside the transaction that puts the mail into the outbox: who asks at the same time
waits, and what is rolled back has sent nothing and counts for nothing.
"""

from uuid import UUID

from django.conf import settings

from crm.core import rate_limits, tokens
from crm.core.errors import RateLimited


class TooManyMails(RateLimited):
    """An organization or an address has had its mails; `extra["retry_after"]` says how many seconds to wait."""


def count_of_organization(organization_id: UUID, askers: str, *, is_proven: bool) -> None:
    """Count a mail that an organization sends, or raise `TooManyMails`; `askers` share a count."""
    if settings.RATE_LIMITS:
        rule = settings.RATE_LIMIT_MAILS_ORGANIZATION if is_proven else settings.RATE_LIMIT_MAILS_UNPROVEN
        _count(f"mails:{organization_id}:{askers}", rule, "This organization has sent as many e-mails as it may today.")


def count_of_recipient(address: str) -> None:
    """Count a mail to an address, whichever organization sends it, or raise `TooManyMails`."""
    if settings.RATE_LIMITS:
        text = "This address was sent as many e-mails as it may get in an hour."
        _count(recipient_key(address), settings.RATE_LIMIT_MAILS_RECIPIENT, text)


def recipient_key(address: str) -> str:
    """Return the counter's key of an address: of a mailbox, however it is written and tagged (`ann+tag@…`)."""
    local, _, host = address.strip().lower().rpartition("@")
    mailbox = f"{local.partition('+')[0]}@{host}"
    return f"mails to:{tokens.digest(mailbox)}"


def _count(key: str, rule: tuple[int, int], text: str) -> None:
    standing = rate_limits.hit_durable(key, *rule)
    if not standing.allowed:
        wait = standing.retry_after
        raise TooManyMails(f"{text} Try again in {wait} seconds.", extra={"retry_after": wait})
