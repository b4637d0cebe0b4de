"""Mails of identity: invitations, verification of an address, forgotten passwords.

Outbox handlers: each reads what its message names, sends nothing where that is settled meanwhile, and may run twice;
the Message-ID is made from the message, so that a mail program shows a repeated mail once.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils.html import format_html, format_html_join

from accounts.models import Invitation, OneTimeLink, Purpose, User
from accounts.services import invitations, links, notices
from crm.core import clock, mail
from crm.core.tenancy import operator, tenant

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
    if invitation is None:
        return
    name = invitation.organization.name
    host = f"{invitation.invited_by} invites you" if invitation.invited_by else "You are invited"
    _send(
        message_id,
        to=invitation.email,
        subject=f"Join {name}",
        says=f"{host} to join {name}.",
        offers=[
            (
                "Accept the invitation",
                _address("accept-invitation", invitations.PURPOSE, invitation.pk),
            )
        ],
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
        says=f"Welcome to {name}. Please confirm that this address is yours. "
        "If you did not sign up, do not confirm: somebody else gave your address.",
        offers=[
            (
                "Confirm the address",
                _address("verify-email", Purpose.VERIFY_EMAIL, link.pk),
            )
        ],
        ends="The link works once, for seven days.",
    )


def send_reset(message_id: UUID, payload: Mapping[str, Any], **_: Any) -> None:
    """Mail the links that set a new password: one for each organization in which the address has an account."""
    pks = payload["link_ids"] if "link_ids" in payload else [payload["link_id"]]
    with operator("token_lookup"):
        links_asked = list(_open_links(Purpose.RESET_PASSWORD).filter(pk__in=pks).order_by("pk"))
    found = [link for link in links_asked if link.email_normalized in {"", link.user.email_normalized}]
    if not found:
        return
    _send(
        message_id,
        to=found[0].user.email,
        subject="Set a new password",
        says="Somebody, we hope you, asked for a new password.",
        offers=[
            (
                f"Set a new password for {link.organization.name}",
                _address("reset-password", Purpose.RESET_PASSWORD, link.pk),
            )
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
        says=f"{says} It concerns the account at {user.organization.name}.",
        ends="If it was not you, and nobody told you of it, set a new password and tell an administrator there.",
    )


def _open_link(organization_id: UUID, payload: Payload, purpose: Purpose) -> OneTimeLink | None:
    with tenant(organization_id):
        link = _open_links(purpose).filter(organization_id=organization_id, pk=payload["link_id"]).first()
    return link if link and link.email_normalized in {"", link.user.email_normalized} else None


def _open_links(purpose: Purpose) -> QuerySet[OneTimeLink]:
    open_links = OneTimeLink.objects.filter(purpose=purpose, used_at=None, expires_at__gt=clock.now())
    return open_links.filter(user__is_active=True).select_related("organization", "user")


def _address(page: str, purpose: str, pk: UUID) -> str:
    """Return the address of the front end's page for a link or an invitation."""
    return f"{settings.FRONTEND_URL}/{page}?token={links.token_for(purpose, pk)}"


def _send(
    message_id: UUID, *, to: str, subject: str, says: str, ends: str, offers: Sequence[tuple[str, str]] = ()
) -> None:
    """Send a mail of a paragraph, `offers` (what a link is for, its address) and a last sentence."""
    plain = "".join(f"{name}:\n{address}\n\n" for name, address in offers)
    anchors = format_html_join("", '<p><a href="{}">{}</a></p>', [(address, name) for name, address in offers])
    mail.send(
        message_id,
        to=to,
        subject=subject,
        text=f"{says}\n\n{plain}{ends}\n",
        html=format_html("<p>{}</p>{}<p>{}</p>", says, anchors, ends),
    )
