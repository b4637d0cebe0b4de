"""Mails of identity: invitations, verification of an address, forgotten passwords.

Outbox handlers: each reads what its message names, sends nothing where that is settled meanwhile, and may run twice;
the Message-ID is made from the message, so that a mail program shows a repeated mail once.

An organization is named in a subject only where it is proven: anybody may register one under any name.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q, QuerySet

from accounts.models import Invitation, OneTimeLink, Purpose, User
from accounts.services import invitations, notices, one_time_links
from accounts.services.organizations import is_proven
from crm.core import clock, mail
from crm.core.db import operator, tenant
from crm.core.mail import quoted

Payload = Mapping[str, str]
# Subject and first sentence of what a person is told about their account.
NOTICES = {
    notices.PASSWORD_CHANGED: ("Your password was changed", "The password of your account was changed."),
    notices.PASSWORD_REMOVED: (
        "Your password was removed",
        "You signed in with Google, which proved your address. The password set before does not work any more.",
    ),
    notices.EMAIL_CHANGED: ("An e-mail address was changed", "The e-mail address of an account was changed."),
    notices.ROLE_CHANGED: ("Your access was changed", "The roles of your account were changed."),
}


def send_invitation(message_id: UUID, payload: Payload, *, organization_id: UUID) -> None:
    """Mail the link of an invitation that is still open."""
    with tenant(organization_id):
        invitation = (
            Invitation.objects.of(organization_id)
            .select_related("organization", "invited_by")
            .filter(pk=payload["invitation_id"], accepted_at=None, revoked_at=None, expires_at__gt=clock.now())
            .first()
        )
        proven = is_proven(organization_id)
    if invitation is None:
        return
    name = quoted(invitation.organization.name)
    host = f"{quoted(str(invitation.invited_by))} invites you" if invitation.invited_by else "You are invited"
    _send(
        message_id,
        to=invitation.email,
        subject=f"Join {name}" if proven else "You are invited to join a team",
        says=f"{host} to join {name}.",
        asks="Accept the invitation",
        link=_address("accept-invitation", invitations.PURPOSE, invitation.pk),
        ends="The link works once, for seven days.",
    )


def send_verification(message_id: UUID, payload: Payload, *, organization_id: UUID) -> None:
    """Mail the link that proves an address."""
    with tenant(organization_id):
        link = _open_links(Purpose.VERIFY_EMAIL, [payload["link_id"]]).filter(organization_id=organization_id).first()
        proven = is_proven(organization_id)
    if link is None or link.user.email_verified_at is not None:
        return
    name = quoted(link.organization.shop_name or link.organization.name)
    _send(
        message_id,
        to=link.user.email,
        subject=f"Confirm your e-mail address for {name}" if proven else "Confirm your e-mail address",
        says=f"Somebody signed up at {name} with this address. If it was you, please confirm it. "
        "If it was not, do nothing: without your confirmation the account gets nothing that is yours.",
        asks="Confirm the address",
        link=_address("verify-email", Purpose.VERIFY_EMAIL, link.pk),
        ends="The link works once, for seven days.",
    )


def send_reset(message_id: UUID, payload: Mapping[str, Any], **_: Any) -> None:
    """Mail the links that set a new password: one for each organization in which the address has an account."""
    pks = payload["link_ids"] if "link_ids" in payload else [payload["link_id"]]
    with operator("token_lookup"):
        found = list(_open_links(Purpose.RESET_PASSWORD, pks).order_by("pk"))
    if not found:
        return
    _send(
        message_id,
        to=found[0].user.email,
        subject="Set a new password",
        says="Somebody, we hope you, asked for a new password.",
        asks="Set a new password for your account at",
        choices=[
            (quoted(link.organization.name), _address("reset-password", Purpose.RESET_PASSWORD, link.pk))
            for link in found
        ],
        ends="A link works once, for one hour. If it was not you, nothing has changed.",
    )


def send_notice(message_id: UUID, payload: Payload, *, organization_id: UUID) -> None:
    """Tell somebody what changed in their account."""
    with tenant(organization_id):
        user = User.objects.of(organization_id).select_related("organization").filter(pk=payload["user_id"]).first()
    if user is None or user.organization is None:
        return
    subject, says = NOTICES[payload["what"]]
    _send(
        message_id,
        to=payload["to"],
        subject=subject,
        says=f"{says} It concerns the account at {quoted(user.organization.name)}.",
        ends="If it was not you, and nobody told you of it, set a new password and tell an administrator there.",
    )


def _open_links(purpose: Purpose, pks: Sequence[str]) -> QuerySet[OneTimeLink]:
    """Return those of the links that are open still, and whose address is the user's still."""
    open_links = OneTimeLink.objects.filter(purpose=purpose, pk__in=pks, used_at=None, expires_at__gt=clock.now())
    bound = Q(email_normalized="") | Q(email_normalized=F("user__email_normalized"))
    return open_links.filter(bound, user__is_active=True).select_related("organization", "user")


def _address(page: str, purpose: str, pk: UUID) -> str:
    """Return the address of the front end's page for a link or an invitation."""
    return f"{settings.FRONTEND_URL}/{page}?token={one_time_links.token_for(purpose, pk)}"


def _send(
    message_id: UUID,
    *,
    to: str,
    subject: str,
    says: str,
    ends: str,
    asks: str = "",
    link: str = "",
    choices: Sequence[tuple[str, str]] = (),
) -> None:
    """Send what is said, what is asked for with its link (or with several: quoted name and link each), and the end."""
    parts: list[mail.Part] = [mail.Paragraph(says)]
    if link:
        parts.append(mail.Link(asks, link))
    if choices:
        parts.append(mail.Links(asks, choices))
    mail.send(message_id, to=to, subject=subject, parts=[*parts, mail.Paragraph(ends)])
