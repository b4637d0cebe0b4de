"""Invitations to the team: mailed, good for seven days and once, bound to organization, address and role."""

from datetime import timedelta
from uuid import UUID

from django.db.models import Q

from accounts.models import Invitation, Role, User, UserRole, normalize_email
from accounts.services import lockout, mail_limits, one_time_links, passwords, registration, roles, sessions, shoppers
from accounts.services.mail_limits import Asker
from accounts.services.names import split_name
from accounts.services.sessions import ClientInfo, SignIn
from crm.core import clock, events, outbox, tokens
from crm.core.actor import Actor
from crm.core.db import TenantQuerySet, lock_row, operator, tenant
from crm.core.errors import Conflict, Invalid, Malformed
from crm.core.ids import uuid7

LIFETIME = timedelta(days=7)
PURPOSE = "invitation"


def invite(actor: Actor, *, email: str, role: str) -> Invitation:
    """Invite an address with a role (its stored name); replaces the pending invitation, refuses members.

    A shopper of this address becomes a member by accepting, with what they ordered.
    """
    given = roles.role_named(actor, role)
    roles.require_role(actor, given)
    holder = address_holder(actor, email)
    if holder is not None and holder.is_active and _is_member(holder):
        raise AlreadyMember
    if holder is None or not holder.is_invited:
        return _invite(actor, email, given, None)
    if _is_member(holder):
        roles.set_role(actor, holder, given)
    return _invite(actor, email, given, holder)


def invite_user(actor: Actor, user: User, role: Role) -> Invitation:
    """Invite a user who was made without a password; accepting makes them active."""
    return _invite(actor, user.email, role, user)


def follow_address(actor: Actor, user: User) -> None:
    """Invite a user who is invited at the address that they have now; the former one's invitation is withdrawn."""
    pending = _pending(actor).filter(user=user).first()
    role = pending.role if pending else roles.roles_of(actor, user)[0]
    withdraw_for(actor, user)
    _invite(actor, user.email, role, user)


def revoke(actor: Actor, invitation: Invitation) -> None:
    """Withdraw an invitation; one that was accepted is a `Conflict`, one withdrawn before stays so."""
    user = _locked_user(invitation)
    invitation = lock_row(Invitation.objects.of(actor), invitation.pk)
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


def withdraw_of(actor: Actor, inviter: User) -> None:
    """Withdraw the open invitations that a user has sent who leaves."""
    for invitation in _pending(actor).filter(invited_by=inviter).select_for_update(of=("self",), no_key=True):
        _end(actor, invitation)


def withdraw_to(actor: Actor, email: str) -> None:
    """Withdraw the open invitations to an address that a member has now."""
    for invitation in _pending(actor).filter(email_normalized=normalize_email(email), user=None):
        _end(actor, invitation)


def resend(actor: Actor, invitation: Invitation) -> Invitation:
    """Mail an open or expired invitation again, with seven new days; from now on it is the actor's."""
    invitation = lock_row(Invitation.objects.of(actor), invitation.pk)
    if invitation.accepted_at is not None:
        raise Conflict("This invitation was accepted already.", code="INVITATION_USED")
    if invitation.revoked_at is not None:
        raise Conflict("This invitation was withdrawn.", code="INVITATION_REVOKED")
    roles.require_role(actor, invitation.role)
    invitation.expires_at, invitation.invited_by_id = clock.now() + LIFETIME, actor.user_id
    invitation.save(update_fields=["expires_at", "invited_by"])
    _mail(invitation)
    events.record(actor, "invitation.resent", invitation, title=f"{invitation.email} invited again")
    return invitation


def accept(
    *, token: str, password: str, visit: ClientInfo, full_name: str = "", first_name: str = "", last_name: str = ""
) -> SignIn:
    """Join with the invitation's role and sign in; of any number at once, one succeeds.

    The account that has the address already, invited or a shopper's, becomes the invited person's: its password,
    sessions and links are worth nothing any more, for nobody but the mailed link has proven the address.
    """
    invitation, known = _find(token)
    if full_name and not (first_name or last_name):
        first_name, last_name = split_name(full_name)
    joining = User(organization=invitation.organization, email=invitation.email)
    joining.first_name = first_name or (known.first_name if known else "")
    joining.last_name = last_name or (known.last_name if known else "")
    if not (joining.first_name or joining.last_name):
        raise Invalid({"full_name": "A name is needed."})
    passwords.set_new(joining, password)
    with tenant(invitation.organization_id):
        holder = address_holder(invitation.organization_id, invitation.email)
        _spend(invitation)
        _require_holder(invitation, holder)
        user = _taken_over(holder, joining, invitation) if holder else registration.join(joining, invitation.role)
        shoppers.mark_verified(user)
        lockout.lift(user.pk, visit.address)
        title = f"{user} accepted the invitation"
        events.record(sessions.author(user), "invitation.accepted", invitation, title=title)
        return sessions.open_session(user, visit, by=PURPOSE)


def address_holder(actor: Actor | UUID, email: str) -> User | None:
    """Lock and return the account of the organization that has an address: the active or the invited one."""
    same = User.objects.of(actor).filter(email_normalized=normalize_email(email))
    living = same.filter(Q(is_active=True) | Q(is_invited=True))
    user: User | None = living.select_for_update(no_key=True).first()
    return user


class AlreadyMember(Conflict):
    """The invited address is a member's."""

    code = "ALREADY_MEMBER"
    message = "This address belongs to a member already."


class InvitationRefused(Malformed):
    """The token is unknown, used, expired, or its invitation was withdrawn: 400 on every surface."""

    code = "INVITATION_INVALID"
    message = "This invitation is not valid."


def _invite(actor: Actor, email: str, role: Role, user: User | None) -> Invitation:
    for pending in (
        _pending(actor).filter(email_normalized=normalize_email(email)).select_for_update(of=("self",), no_key=True)
    ):
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
        token_hash=tokens.digest(one_time_links.token_for(PURPOSE, pk)),
        expires_at=clock.now() + LIFETIME,
    )
    _mail(invitation)
    metadata = {"role": role.name}
    events.record(actor, "invitation.created", invitation, title=f"{email} invited", metadata=metadata)
    return invitation


def _mail(invitation: Invitation) -> None:
    mail_limits.require(invitation.organization_id, invitation.email, Asker.MEMBER)
    outbox.enqueue(invitation.organization_id, "mail.invitation", {"invitation_id": str(invitation.pk)})


def _pending(actor: Actor | UUID) -> TenantQuerySet[Invitation]:
    return Invitation.objects.of(actor).filter(accepted_at=None, revoked_at=None).select_related("role")


def _revoke(actor: Actor, invitation: Invitation) -> None:
    roles.require_role(actor, invitation.role)
    _end(actor, invitation)


def _end(actor: Actor, invitation: Invitation) -> None:
    invitation.revoked_at = clock.now()
    invitation.save(update_fields=["revoked_at"])
    events.record(actor, "invitation.revoked", invitation, title=f"Invitation of {invitation.email} withdrawn")


def _find(raw: str) -> tuple[Invitation, User | None]:
    """Return the open invitation of a token, and the account that has its address by now."""
    with operator("token_lookup"):
        invitation = (
            Invitation.objects.select_related("organization", "role", "invited_by")
            .filter(token_hash=tokens.digest(raw), organization__is_active=True)
            .first()
        )
        if invitation is None:
            raise InvitationRefused
        _require_open(invitation)
        return invitation, address_holder(invitation.organization_id, invitation.email)


def _spend(invitation: Invitation) -> None:
    if invitation.invited_by and not _may_still_invite(invitation.invited_by, invitation.role):
        raise InvitationRefused("Who sent this invitation may not do so any more.", code="INVITATION_REVOKED")
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


def _may_still_invite(inviter: User, role: Role) -> bool:
    standing = roles.standing_of(inviter)
    may_invite = standing.can("invitations:create") or standing.can("users:create")
    return inviter.is_active and may_invite and roles.can_grant(standing, role)


def _require_holder(invitation: Invitation, holder: User | None) -> None:
    """Refuse where the user who was invited is not there any more, or a member has the address."""
    if invitation.user_id and (holder is None or holder.pk != invitation.user_id or not holder.is_invited):
        raise InvitationRefused("This invitation was withdrawn or replaced.", code="INVITATION_REVOKED")
    if holder is not None and not holder.is_invited and _is_member(holder):
        raise AlreadyMember


def _taken_over(holder: User, joining: User, invitation: Invitation) -> User:
    """Make an account the invited person's: with the roles that it was given, the name and the password just told."""
    holder.first_name, holder.last_name, holder.password = joining.first_name, joining.last_name, joining.password
    holder.is_active, holder.is_invited, holder.google_subject = True, False, ""
    holder.save()
    if not _is_member(holder):
        UserRole.objects.get_or_create(
            organization_id=invitation.organization_id, user=holder, role_id=invitation.role_id
        )
    one_time_links.void(holder)
    sessions.end_sessions(sessions.author(holder), holder, reason="invitation_accepted")
    return holder


def _is_member(user: User) -> bool:
    return bool(User.objects.of(user.organization_id).filter(pk=user.pk).members().exists())
