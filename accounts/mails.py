"""Mails of identity: invitations, verification of an address, forgotten passwords.

Outbox handlers: each reads what its message names, sends nothing where that is settled meanwhile, and may run twice;
the Message-ID is made from the message, so that a mail program shows a repeated mail once.
"""

from collections.abc import Mapping
from uuid import UUID

from django.conf import settings
from django.utils.html import format_html

from accounts.models import Invitation, OneTimeLink, Purpose
from accounts.services import invitations, links
from crm.core import clock, mail
from crm.core.tenancy import tenant

Payload = Mapping[str, str]


def send_invitation(message_id: UUID, payload: Payload, *, organization_id: UUID) -> None:
    """Mail the link of an invitation that is still open."""
    with tenant(organization_id):
        invitation = (
            Invitation.objects.of(organization_id)
            .select_related("organization", "invited_by")
            .filter(pk=payload["invitation_id"], accepted_at=None, revoked_at=None, expires_at__gt=clock.now())
            .first()
        )
    if invitation is None:
        return
    name = invitation.organization.name
    host = f"{invitation.invited_by} invites you" if invitation.invited_by else "You are invited"
    _send(
        message_id,
        to=invitation.email,
        subject=f"Join {name}",
        says=f"{host} to join {name}.",
        link=f"{settings.FRONTEND_URL}/accept-invitation?token={links.token_for(invitations.PURPOSE, invitation.pk)}",
        asks="Accept the invitation",
        ends="The link works once, for seven days.",
    )


def send_verification(message_id: UUID, payload: Payload, *, organization_id: UUID) -> None:
    """Mail the link that proves an address."""
    link = _open_link(organization_id, payload, Purpose.VERIFY_EMAIL)
    if link is None or link.user.email_verified_at is not None:
        return
    name = link.organization.shop_name or link.organization.name
    _send(
        message_id,
        to=link.user.email,
        subject=f"Confirm your e-mail address for {name}",
        says=f"Welcome to {name}. Please confirm that this address is yours.",
        link=f"{settings.FRONTEND_URL}/verify-email?token={links.token_for(Purpose.VERIFY_EMAIL, link.pk)}",
        asks="Confirm the address",
        ends="The link works once, for seven days.",
    )


def send_reset(message_id: UUID, payload: Payload, *, organization_id: UUID) -> None:
    """Mail the link that sets a new password."""
    link = _open_link(organization_id, payload, Purpose.RESET_PASSWORD)
    if link is None:
        return
    name = link.organization.name
    _send(
        message_id,
        to=link.user.email,
        subject=f"Your password for {name}",
        says=f"Somebody, we hope you, asked for a new password for your account at {name}.",
        link=f"{settings.FRONTEND_URL}/reset-password?token={links.token_for(Purpose.RESET_PASSWORD, link.pk)}",
        asks="Set a new password",
        ends="The link works once, for one hour. If it was not you, nothing has changed.",
    )


def _open_link(organization_id: UUID, payload: Payload, purpose: Purpose) -> OneTimeLink | None:
    with tenant(organization_id):
        return (
            OneTimeLink.objects.of(organization_id)
            .select_related("organization", "user")
            .filter(pk=payload["link_id"], purpose=purpose, used_at=None, expires_at__gt=clock.now())
            .filter(user__is_active=True)
            .first()
        )


def _send(message_id: UUID, *, to: str, subject: str, says: str, link: str, asks: str, ends: str) -> None:
    mail.send(
        message_id,
        to=to,
        subject=subject,
        text=f"{says}\n\n{asks}:\n{link}\n\n{ends}\n",
        html=format_html('<p>{}</p><p><a href="{}">{}</a></p><p>{}</p>', says, link, asks, ends),
    )
