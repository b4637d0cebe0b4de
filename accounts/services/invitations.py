"""Invitations to the team: mailed, good for seven days and once, bound to organization, address and role."""

from datetime import timedelta
from uuid import UUID

from accounts.models import Invitation, Role, User, normalize_email
from accounts.services import handing_out, links, passwords, registration, roles, sessions
from accounts.services.names import split_name
from accounts.services.sessions import SignIn, Visit
from crm.core import clock, events, outbox, tokens
from crm.core.actor import Actor
from crm.core.errors import Conflict, Invalid, Malformed
from crm.core.ids import uuid7
from crm.core.locking import lock_one
from crm.core.tenancy import operator, tenant
from crm.core.tenant_models import TenantQuerySet

LIFETIME = timedelta(days=7)
PURPOSE = "invitation"


def invite(actor: Actor, *, email: str, role: str) -> Invitation:
    """Invite an address with a role (its stored name); replaces the pending invitation, refuses members."""
    given = roles.role_named(actor, role)
    handing_out.require_role(actor, given)
    same = User.objects.of(actor).filter(email_normalized=normalize_email(email))
    if same.filter(is_active=True).exists():
        raise Conflict("This address belongs to a member already.", code="ALREADY_MEMBER")
    user = same.filter(is_invited=True).select_for_update(no_key=True).first()
    if user is not None:
        roles.set_role(actor, user, given)
    return _invite(actor, email, given, user)


def invite_user(actor: Actor, user: User, role: Role) -> Invitation:
    """Invite a user who was just made without a password; accepting makes them active."""
    return _invite(actor, user.email, role, user)


def revoke(actor: Actor, invitation: Invitation) -> None:
    """Withdraw an invitation; one that was accepted is a `Conflict`, one withdrawn before stays so."""
    user = _locked_user(invitation)
    invitation = lock_one(Invitation.objects.of(actor), invitation.pk)
    if invitation.accepted_at is not None:
        raise Conflict("This invitation was accepted already.", code="INVITATION_USED")
    if invitation.revoked_at is None:
        _revoke(actor, invitation)
        if user is not None:
            user.is_invited = False
            user.save(update_fields=["is_invited", "updated_at"])


def withdraw_for(actor: Actor, user: User) -> None:
    """Withdraw the open invitation of an invited user, whom the caller takes out of service."""
    for invitation in _pending(actor).filter(user=user):
        _revoke(actor, invitation)


def resend(actor: Actor, invitation: Invitation) -> Invitation:
    """Mail an open or expired invitation again, with seven new days."""
    invitation = lock_one(Invitation.objects.of(actor), invitation.pk)
    if invitation.accepted_at is not None:
        raise Conflict("This invitation was accepted already.", code="INVITATION_USED")
    if invitation.revoked_at is not None:
        raise Conflict("This invitation was withdrawn.", code="INVITATION_REVOKED")
    handing_out.require_role(actor, invitation.role)
    invitation.expires_at = clock.now() + LIFETIME
    invitation.save(update_fields=["expires_at"])
    _mail(invitation)
    events.record(actor, "invitation.resent", invitation, title=f"{invitation.email} invited again")
    return invitation


def accept(
    *, token: str, password: str, visit: Visit, full_name: str = "", first_name: str = "", last_name: str = ""
) -> SignIn:
    """Join with the invitation's role and sign in; of any number at once, one succeeds."""
    invitation = _find(token)
    if full_name and not (first_name or last_name):
        first_name, last_name = split_name(full_name)
    user = invitation.user or User(organization=invitation.organization, email=invitation.email)
    user.first_name, user.last_name = first_name or user.first_name, last_name or user.last_name
    if not (user.first_name or user.last_name):
        raise Invalid(full_name="A name is needed.")
    passwords.set_new(user, password)
    with tenant(invitation.organization_id):
        invited = _locked_user(invitation)
        _spend(invitation)
        user.email_verified_at = clock.now()
        user = _activated(invited, user) if invitation.user_id else registration.join(user, invitation.role)
        title = f"{user} accepted the invitation"
        events.record(sessions.author(user), "invitation.accepted", invitation, title=title)
        return sessions.open_session(user, visit, by=PURPOSE)


class InvitationRefused(Malformed):
    """The token is unknown, used, expired, or its invitation was withdrawn: 400 on every surface."""

    code = "INVITATION_INVALID"
    message = "This invitation is not valid."


def _invite(actor: Actor, email: str, role: Role, user: User | None) -> Invitation:
    for pending in _pending(actor).filter(email_normalized=normalize_email(email)).select_for_update(of=("self",)):
        handing_out.require_role(actor, pending.role)
        _revoke(actor, pending)
    pk = uuid7()
    invitation = Invitation.objects.create(
        id=pk,
        organization_id=actor.organization_id,
        email=email,
        email_normalized=normalize_email(email),
        role=role,
        user=user,
        invited_by_id=actor.user_id,
        token_hash=tokens.digest(links.token_for(PURPOSE, pk)),
        expires_at=clock.now() + LIFETIME,
    )
    _mail(invitation)
    metadata = {"role": role.name}
    events.record(actor, "invitation.created", invitation, title=f"{email} invited", metadata=metadata)
    return invitation


def _mail(invitation: Invitation) -> None:
    outbox.put(invitation.organization_id, "mail.invitation", {"invitation_id": str(invitation.pk)})


def _pending(actor: Actor | UUID) -> TenantQuerySet[Invitation]:
    return Invitation.objects.of(actor).filter(accepted_at=None, revoked_at=None).select_related("role")


def _revoke(actor: Actor, invitation: Invitation) -> None:
    handing_out.require_role(actor, invitation.role)
    invitation.revoked_at = clock.now()
    invitation.save(update_fields=["revoked_at"])
    events.record(actor, "invitation.revoked", invitation, title=f"Invitation of {invitation.email} withdrawn")


def _find(raw: str) -> Invitation:
    with operator("token_lookup"):
        invitation = (
            Invitation.objects.select_related("organization", "role", "user")
            .filter(token_hash=tokens.digest(raw), organization__is_active=True)
            .first()
        )
    if invitation is None:
        raise InvitationRefused
    _require_open(invitation)
    return invitation


def _spend(invitation: Invitation) -> None:
    open_one = _pending(invitation.organization_id).filter(pk=invitation.pk, expires_at__gt=clock.now())
    if not open_one.update(accepted_at=clock.now()):
        invitation.refresh_from_db(fields=["accepted_at", "revoked_at", "expires_at"])
        _require_open(invitation)
        raise InvitationRefused


def _require_open(invitation: Invitation) -> None:
    if invitation.accepted_at is not None:
        raise InvitationRefused("This invitation was accepted already.", code="INVITATION_USED")
    if invitation.revoked_at is not None:
        raise InvitationRefused("This invitation was withdrawn or replaced.", code="INVITATION_REVOKED")
    if invitation.expires_at <= clock.now():
        raise InvitationRefused("This invitation has expired.", code="INVITATION_EXPIRED")


def _locked_user(invitation: Invitation) -> User | None:
    """Lock the user who was made for this invitation and still waits; users are locked before their invitations."""
    waiting = User.objects.of(invitation.organization_id).filter(
        is_invited=True, email_normalized=invitation.email_normalized
    )
    user: User | None = waiting.select_for_update(no_key=True).filter(pk=invitation.user_id).first()
    return user


def _activated(user: User | None, told: User) -> User:
    """Make the invited user active, with the roles they hold now, the name they gave and their password."""
    if user is None:
        raise InvitationRefused("This invitation was withdrawn or replaced.", code="INVITATION_REVOKED")
    user.first_name, user.last_name, user.password = told.first_name, told.last_name, told.password
    user.email_verified_at, user.is_active, user.is_invited = told.email_verified_at, True, False
    user.save()
    return user
