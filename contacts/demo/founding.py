"""The demo's organization and the people who work in it, with passwords that everybody may know."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password

from accounts.models import Organization, User, normalize_email
from accounts.services import registration
from crm.core import clock
from crm.core.tenancy import operator, tenant

SLUG, NAME = "northwind", "Northwind Trading"
PASSWORD = "northwind-demo-2026"  # noqa: S105 - published on purpose, for the demo alone
OPERATOR = "operator@crm.example"
PEOPLE = (
    ("owner", "Nora", "Lindqvist"),
    ("manager", "Mateo", "Fernández"),
    ("staff", "Søren", "Kjær"),
    ("viewer", "Vera", "Novak"),
)
SHOPPER = ("Sam", "Shopper")
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


def found_organization(slug: str) -> tuple[Organization, list[SignIn]]:
    """Make an organization with a user of each role and colleagues without sign-in, and the platform's operator."""
    domain = f"{slug}.example"
    (_, first, last), *others = PEOPLE
    with operator("command"):
        owner = _user("owner", first, last, domain)
        name = NAME if slug == SLUG else slug.replace("-", " ").title()
        organization = registration.found_organization(
            owner=owner, name=name, slug=slug, industry="Wholesale", company_size="11-50"
        )
        _make_operator()
    with tenant(organization.pk):
        for role, first_name, last_name in others:
            _join(organization, _user(role, first_name, last_name, domain), role)
        for number, (first_name, last_name) in enumerate(COLLEAGUES, start=1):
            _join(organization, _user(f"colleague{number}", first_name, last_name, domain, password=None), "staff")
        shopper = _user("shopper", *SHOPPER, domain)
        shopper.organization, shopper.email_verified_at = organization, clock.now()
        registration.add_shopper(shopper)
    roles = [*(role for role, *_ in PEOPLE), "shopper"]
    sign_ins = [SignIn(role, f"{role}@{domain}", PASSWORD) for role in roles]
    return organization, [*sign_ins, SignIn("operator", OPERATOR, PASSWORD)]


def workers(organization: Organization) -> Sequence[User]:
    """Return the members who own companies and contacts: all but shoppers and those who only read."""
    with tenant(organization.pk):
        members = User.objects.of(organization.pk).members().filter(is_active=True)
        working = members.exclude(held_roles__role__name__in=["viewer", "customer_experience"])
        return list(working.order_by("created_at", "id"))


def _user(mailbox: str, first: str, last: str, domain: str, *, password: str | None = PASSWORD) -> User:
    user = User(email=f"{mailbox}@{domain}", first_name=first, last_name=last)
    user.password = make_password(password)
    return user


def _join(organization: Organization, user: User, role: str) -> None:
    user.organization = organization
    registration.join(user, role)


def _make_operator() -> None:
    known = User.objects.filter(email_normalized=normalize_email(OPERATOR), organization__isnull=True)
    if not known.exists():
        User.objects.create_superuser(OPERATOR, PASSWORD, first_name="Platform", last_name="Operator")
