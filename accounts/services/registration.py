"""Registration: organizations with their owner, members with a role, shoppers with their contact."""

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from accounts.models import OperatorEvent, Organization, Purpose, Role, User, UserRole, normalize_email
from accounts.permissions import ALL, ROLE_STANDING
from accounts.services import mail_limits, one_time_links, operator_events, operator_totp, passwords, sessions, shoppers
from accounts.services.mail_limits import Asker
from accounts.services.membership import organization_of
from accounts.services.names import split_name
from accounts.services.operator_events import Client
from accounts.services.sessions import ClientInfo, SignIn
from crm.core import events, subscribers
from crm.core.actor import Actor
from crm.core.db import operator, tenant
from crm.core.errors import Conflict, Forbidden, Invalid, NotFound
from crm.core.search import words

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,61}[a-z0-9])")
LONGEST_SLUG = 63
NUMBERED_SLUGS = 9


def register(
    *,
    email: str,
    password: str,
    full_name: str,
    company_name: str,
    visit: ClientInfo,
    slug: str = "",
    industry: str = "",
    company_size: str = "",
) -> SignIn:
    """Make an organization and its owner, mail the link that proves the address, and sign the owner in.

    Raises `Forbidden` where registration is switched off.
    """
    if not settings.REGISTRATION:
        raise Forbidden("Registration is closed.", code="REGISTRATION_CLOSED")
    first_name, last_name = split_name(full_name)
    owner = User(email=email, first_name=first_name, last_name=last_name)
    _require_slug(slug)
    passwords.set_new(owner, password)
    with operator("register"):
        organization = create_organization(
            owner=owner, name=company_name, slug=slug, industry=industry, company_size=company_size
        )
        with tenant(organization.pk):
            if mail_limits.allows(organization.pk, owner.email):
                one_time_links.mail_verification(owner)
            return sessions.open_session(owner, visit)


def create_organization(
    *, owner: User, name: str, slug: str = "", industry: str = "", company_size: str = ""
) -> Organization:
    """Make an organization with its built-in roles and its owner, an unsaved user whose password is set.

    `settings.SUBSCRIBERS` adds what the other apps start an organization with. Inside an operator's transaction.
    """
    _require_slug(slug)
    organization = Organization(name=name, industry=industry, company_size=company_size)
    _save_under_slug(organization, slug)
    with tenant(organization.pk):
        Role.objects.bulk_create(
            Role(
                organization=organization,
                name=role,
                description=description,
                scope=scope,
                rank=rank,
                is_built_in=True,
            )
            for role, (rank, scope, description) in ROLE_STANDING.items()
        )
        owner.organization = organization
        join(owner, "owner")
        actor = _owner(organization, owner)
        events.record(actor, "organization.created", organization, title=f"{organization.name} registered")
        events.record(actor, "user.registered", owner, title=f"{owner} registered", metadata={"role": "owner"})
        _set_up(actor)
    return organization


def join(user: User, role: str | Role) -> User:
    """Save a new user of its organization with a role (or a role's name); a taken e-mail address is a `Conflict`."""
    organization_id = organization_of(user)
    if isinstance(role, str):
        role = Role.objects.of(organization_id).get(name=role, is_built_in=True)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        raise EmailTaken from error
    UserRole.objects.create(organization_id=organization_id, user=user, role=role)
    return user


def register_shopper(
    shop: Organization, *, email: str, password: str, first_name: str = "", last_name: str = "", visit: ClientInfo
) -> SignIn:
    """Make a shopper of a shop and their contact, mail the verification link where limits allow, and sign them in."""
    user = User(organization=shop, email=email, first_name=first_name, last_name=last_name)
    with tenant(shop.pk):
        if User.objects.of(shop.pk).filter(email_normalized=normalize_email(email), is_active=True).exists():
            raise EmailTaken
    passwords.set_new(user, password)
    with tenant(shop.pk):
        add_shopper(user)
        if mail_limits.allows(shop.pk, user.email):
            one_time_links.mail_verification(user)
        return sessions.open_session(user, visit)


def add_shopper(user: User) -> User:
    """Save a new shopper with the contact that stands for them."""
    join(user, "customer")
    shoppers.shopper_backend().add_shopper(user)
    events.record(
        sessions.author(user), "user.registered", user, title=f"{user} registered", metadata={"role": "customer"}
    )
    return user


class EmailTaken(Conflict):
    """Another user of the organization holds this e-mail address."""

    code = "EMAIL_TAKEN"
    message = "This e-mail address is already in use."


def _set_up(actor: Actor) -> None:
    subscribers.call("create_organization", actor)


def _require_slug(slug: str) -> None:
    if slug and not SLUG.fullmatch(slug):
        raise Invalid(
            {"slug": "Use 3 to 63 small letters a-z, digits and hyphens, beginning and ending with a letter or digit."}
        )


def _save_under_slug(organization: Organization, asked: str) -> None:
    for slug in [asked] if asked else _slugs(organization.name):
        organization.slug = slug
        try:
            with transaction.atomic():
                organization.save(force_insert=True)
        except IntegrityError:
            continue
        return
    raise Conflict("This slug is taken.", code="SLUG_TAKEN")


def _slugs(name: str) -> Iterator[str]:
    """Yield slugs for a company's name: itself, numbered, then with random ends."""
    base = slugify(" ".join(words(name)))[: LONGEST_SLUG - 9].strip("-") or "company"
    if SLUG.fullmatch(base):
        yield base
    for number in range(2, NUMBERED_SLUGS + 1):
        yield f"{base}-{number}"
    while True:
        yield f"{base}-{secrets.token_hex(4)}"


def _owner(organization: Organization, owner: User) -> Actor:
    return Actor(
        organization_id=organization.pk,
        user_id=owner.pk,
        permissions=ALL,
        roles=("owner",),
        built_in_roles=frozenset({"owner"}),
        sees_all=True,
        rank=ROLE_STANDING["owner"][0],
        name=str(owner),
        email=owner.email,
        organization_slug=organization.slug,
        organization_timezone=organization.timezone,
        currency=organization.currency,
    )


@dataclass(frozen=True, slots=True)
class Founded:
    """A new organization, its owner, and where the owner sets a password (empty where one was given)."""

    organization: Organization
    owner: User
    password_link: str


def create_organization_with_owner(
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
    organization = create_organization(owner=owner, name=name.strip(), slug=slug)
    if password is not None:
        return Founded(organization, owner, "")
    mail_limits.require(organization.pk, owner.email, Asker.MEMBER)
    link = one_time_links.make(owner, Purpose.RESET_PASSWORD)
    one_time_links.mail_resets([link])
    token = one_time_links.token_for(Purpose.RESET_PASSWORD, link.pk)
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
