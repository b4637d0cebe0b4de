"""The demo's organization and the people who work in it, with passwords that everybody may know.

The operator, who works across organizations, has a random one.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from uuid import UUID

from django.contrib.auth.hashers import make_password

from accounts.models import Organization, User, normalize_email
from accounts.services import registration
from contacts.demo.copying import id_at, insert, row_of
from contacts.demo.telling import Chronicle
from contacts.models import Contact
from contacts.services import search_index, shoppers
from crm.core import clock
from crm.core.db import operator, tenant
from crm.core.models import Event

SLUG, NAME = "northwind", "Northwind Trading"
PASSWORD = "northwind-demo-2026"  # noqa: S105 - published on purpose, for the demo alone
OPERATOR = "operator@crm.example"
PEOPLE = (
    ("owner", "Nora", "Lindqvist"),
    ("manager", "Mateo", "Fernández"),
    ("staff", "Søren", "Kjær"),
    ("viewer", "Vera", "Novak"),
)
SHOPPER = ("Sam", "Shopper")  # the newest of them, and the only one who signs in
SHOPPERS = (
    ("Grace", "Okafor"),
    ("Lukas", "Weber"),
    ("Ines", "Moreau"),
    ("Hiroshi", "Mori"),
    ("Paulina", "Zając"),
    ("Omar", "Haddad"),
    ("Freja", "Dam"),
    ("Tom", "Archer"),
)
REGISTERED_EACH = timedelta(days=33)
COLLEAGUES = (
    ("Yuki", "Tanaka"),
    ("Ольга", "Петренко"),
    ("Ελένη", "Γεωργίου"),
    ("Amira", "Haddad"),
)


@dataclass(frozen=True, slots=True)
class SignIn:
    """Who may sign in, and how."""

    role: str
    email: str
    password: str


def find_organization(slug: str) -> Organization | None:
    """Return the organization of this slug, if there is one."""
    with operator("command"):
        return Organization.objects.filter(slug=slug).first()


def create_organization(slug: str) -> tuple[Organization, list[SignIn]]:
    """Make an organization with a user of each role and colleagues without sign-in; the demo's own has an operator."""
    domain = f"{slug}.example"
    (_, first, last), *others = PEOPLE
    with operator("command"):
        owner = _user("owner", first, last, domain)
        name = NAME if slug == SLUG else slug.replace("-", " ").title()
        organization = registration.create_organization(
            owner=owner, name=name, slug=slug, industry="Wholesale", company_size="11-50"
        )
        operators = [_operator()] if slug == SLUG else []
    with tenant(organization.pk):
        for role, first_name, last_name in others:
            _join(organization, _user(role, first_name, last_name, domain), role)
        for number, (first_name, last_name) in enumerate(COLLEAGUES, start=1):
            _join(organization, _user(f"colleague{number}", first_name, last_name, domain, password=None), "staff")
        mailboxes = [*(f"shopper{number}" for number in range(len(SHOPPERS), 0, -1)), "shopper"]
        for age, mailbox, names in zip(count(len(SHOPPERS) + 1, -1), mailboxes, (*SHOPPERS, SHOPPER), strict=False):
            shopper = _user(mailbox, *names, domain, password=PASSWORD if names == SHOPPER else None)
            _register(organization, shopper, clock.now() - age * REGISTERED_EACH)
    roles = [*(role for role, *_ in PEOPLE), "shopper"]
    sign_ins = [SignIn(role, f"{role}@{domain}", PASSWORD) for role in roles]
    return organization, [*sign_ins, *operators]


def workers(organization: Organization) -> Sequence[User]:
    """Return the members who own companies and contacts: all but shoppers and those who only read."""
    with tenant(organization.pk):
        members = User.objects.of(organization.pk).members().filter(is_active=True)
        working = members.exclude(held_roles__role__name__in=["viewer", "customer_experience"])
        return list(working.order_by("created_at", "id"))


def _user(mailbox: str, first: str, last: str, domain: str, *, password: str | None = PASSWORD) -> User:
    user = User(email=f"{mailbox}@{domain}", first_name=first, last_name=last)
    user.password = _hashed(password)
    return user


# A hash is slow on purpose; everybody's password is the same, and known to everybody.
_hashed = cache(make_password)


def _join(organization: Organization, user: User, role: str) -> None:
    user.organization = organization
    registration.join(user, role)


def _register(organization: Organization, user: User, at: datetime) -> None:
    """Let somebody have signed up in the shop at that time, with the contact that stands for them."""
    user.email_verified_at = at
    _join(organization, user, "customer")
    User.objects.of(organization.pk).filter(pk=user.pk).update(created_at=at)
    contact = Contact(
        id=UUID(id_at(at)),
        organization=organization,
        user=user,
        first_name=user.first_name,
        last_name=user.last_name,
        email=user.email,
        source=shoppers.SOURCE,
        created_at=at,
        updated_at=at,
    )
    search_index.refresh(contact, None)
    insert(Contact, [row_of(contact)])
    event, registered, created = (
        Chronicle(organization.pk.hex).event,
        f"{user} registered",
        f"Contact {contact} created",
    )
    insert(
        Event,
        [
            event("user.registered", user, at, title=registered, actor_id=user.pk, metadata={"role": "customer"}),
            event("contact.created", contact, at, title=created, actor_id=None, contact_id=contact.pk),
        ],
    )


def _operator() -> SignIn:
    """Make the platform's operator, or give the one of an earlier demo a new password."""
    sign_in = SignIn("operator", OPERATOR, secrets.token_urlsafe(12))
    known = User.objects.filter(email_normalized=normalize_email(OPERATOR), organization__isnull=True).first()
    if known is None:
        User.objects.create_superuser(OPERATOR, sign_in.password, first_name="Platform", last_name="Operator")
    else:
        known.set_password(sign_in.password)
        known.save(update_fields=["password"])
    return sign_in
