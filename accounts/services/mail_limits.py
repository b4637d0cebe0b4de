"""Who may have a mail sent: asked where one is put into the outbox because somebody wants it.

What members ask for and what anybody can ask for (a shopper's sign-up, a forgotten password) are counted apart: no
stranger uses up what a team needs for its invitations.
"""

from enum import StrEnum
from uuid import UUID

from accounts.services.organizations import is_proven
from crm.core import mail_limits
from crm.core.mail_limits import TooManyMails


class Asker(StrEnum):
    """Who wants a mail to be sent."""

    MEMBER = "members"
    ANYBODY = "anybody"


def require(organization_id: UUID, recipient: str, asker: Asker) -> None:
    """Count a mail, or raise `TooManyMails`; inside the transaction of its cause."""
    mail_limits.count_of_organization(organization_id, asker, is_proven=is_proven(organization_id))
    mail_limits.count_of_recipient(recipient)


def allows(organization_id: UUID, recipient: str) -> bool:
    """Count a mail that anybody asked for, who must not learn of it, and tell whether it may be sent."""
    try:
        require(organization_id, recipient, Asker.ANYBODY)
    except TooManyMails:
        return False
    return True
