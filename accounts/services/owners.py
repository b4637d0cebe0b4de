"""Owners and operators by command: the way an organization begins where nobody may register."""

from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.models import OperatorEvent, Organization, Purpose, User, normalize_email
from accounts.services import links, mail_limits, operator_events, operator_totp, passwords, registration
from accounts.services.mail_limits import Asker
from accounts.services.names import split_name
from accounts.services.operator_events import Client
from crm.core.errors import Conflict, Invalid, NotFound


@dataclass(frozen=True, slots=True)
class Founded:
    """A new organization, its owner, and where the owner sets a password (empty where one was given)."""

    organization: Organization
    owner: User
    password_link: str


def found_with_owner(
    *, name: str, email: str, slug: str = "", full_name: str = "", password: str | None = None
) -> Founded:
    """Make an organization and its owner inside an operator's transaction.

    Without a password the owner is mailed a link, good once and for an hour, to set one.
    """
    first_name, last_name = split_name(full_name)
    owner = User(email=_checked_email(email), first_name=first_name, last_name=last_name)
    if password is None:
        owner.set_unusable_password()
    else:
        passwords.set_new(owner, password)
    if not name.strip():
        raise Invalid({"name": "This field may not be blank."})
    organization = registration.found_organization(owner=owner, name=name.strip(), slug=slug)
    if password is not None:
        return Founded(organization, owner, "")
    mail_limits.require(organization.pk, owner.email, Asker.MEMBER)
    link = links.make(owner, Purpose.RESET_PASSWORD)
    links.mail_resets([link])
    token = links.token_for(Purpose.RESET_PASSWORD, link.pk)
    return Founded(organization, owner, f"{settings.FRONTEND_URL}/reset-password?token={token}")


def add_operator(*, email: str, password: str) -> User:
    """Make a platform operator, who belongs to no organization and works in the admin."""
    email = _checked_email(email)
    if User.objects.filter(organization=None, email_normalized=normalize_email(email)).exists():
        raise Conflict("There is an operator with this e-mail address.", code="EMAIL_TAKEN")
    operator = User(email=email, is_superuser=True)
    passwords.set_new(operator, password)
    operator.save(force_insert=True)
    return operator


def reset_totp(*, email: str) -> bool:
    """Remove an operator's second factor, which ends their sessions; tell whether there was one."""
    found = User.objects.filter(organization=None, email_normalized=normalize_email(email)).first()
    if found is None:
        raise NotFound("There is no operator with this e-mail address.")
    had_one = operator_totp.switch_off(found)
    if had_one:
        operator_events.note(OperatorEvent.Name.TOTP_RESET, Client(), user=found)
    return had_one


def _checked_email(email: str) -> str:
    try:
        validate_email(email)
    except ValidationError as error:
        raise Invalid({"email": "Enter a valid email address."}) from error
    return email
