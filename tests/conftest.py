"""Fixtures every test shares: organizations with a user of each role, clients signed in on a surface, mail, time.

Tests run committed, so each makes an organization of its own; names are unique by counting.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.contrib.auth.hashers import make_password
from django.test import Client

from accounts.models import Organization, User
from accounts.services import registration, sessions
from accounts.services.sessions import ClientInfo
from crm.core import db, outbox, tokens
from crm.core.actor import Actor
from crm.core.db.backend import pipeline
from crm.core.models import OutboxMessage
from tests.support.back_office import add_operator, signed_in
from tests.support.clients import ApiClient
from tests.support.mail_server import Mailbox

PASSWORD = "correct-horse-battery-9"
ROLES = ("owner", "manager", "staff", "customer_experience", "viewer", "customer")

_numbers = count(1)


@cache
def password_hash() -> str:
    """One real Argon2 hash of PASSWORD for all users of a run."""
    return make_password(PASSWORD)


@dataclass
class Tenant:
    """An organization of a test, and its users by role: `tenant.owner`, `tenant.staff` and so on."""

    organization: Organization
    users: dict[str, User] = field(default_factory=dict)

    def __getattr__(self, name: str) -> User:
        """Return the user of a role."""
        try:
            return self.__dict__["users"][name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def id(self) -> Any:
        """Return the organization's id."""
        return self.organization.pk

    @property
    def slug(self) -> str:
        """Return the organization's slug."""
        return self.organization.slug

    def inside(self) -> Any:
        """Open a transaction inside the organization."""
        return db.tenant(self.organization.pk)

    def add(self, role: str, **fields: Any) -> User:
        """Add one more user with a role, whose password is PASSWORD."""
        user = _user(role, **fields)
        user.organization = self.organization
        with self.inside():
            return registration.add_shopper(user) if role == "customer" else registration.join(user, role)

    def actor(self, user: User | str) -> Actor:
        """Return who a user (or the user of a role) acts as, as a signed-in request would."""
        return _actor(self.users[user] if isinstance(user, str) else user)


def _user(role: str, **fields: Any) -> User:
    number = next(_numbers)
    given = {
        "email": f"{role}.{number}.{uuid4().hex[:8]}@example.com",
        "first_name": role.replace("_", " ").title(),
        "last_name": f"Number{number}",
        "password": password_hash(),
        "email_verified_at": datetime.now(UTC),
    } | fields
    return User(**given)


def _actor(user: User) -> Actor:
    with db.tenant(user.organization_id):
        return sessions.load_actor(tokens.verify(sign_in(user, "team")))


def sign_in(user: User, surface: str) -> str:
    """Open a session without hashing and return its access token."""
    with db.tenant(user.organization_id):
        return sessions.open_session(user, ClientInfo(surface=surface, address="127.0.0.1")).access_token


@pytest.fixture(autouse=True)
def _limits_off(settings: Any) -> None:
    """Counting attempts is asked for by the tests that are about it (`limits`); crowds may all hash at once."""
    settings.RATE_LIMITS = False
    settings.PASSWORD_HASHING_QUEUE, settings.PASSWORD_HASHING_SECONDS = 100, 120


@pytest.fixture
def limits(settings: Any, _limits_off: None) -> Any:
    """Rate limits and lockout on, as in production; returns the settings to tune them."""
    settings.RATE_LIMITS = True
    return settings


@pytest.fixture
def organization() -> Callable[..., Tenant]:
    """Return the factory of organizations: one user of each role, or of `roles`; fields go to the organization."""

    def make(*, roles: tuple[str, ...] = ROLES, **fields: Any) -> Tenant:
        owner = _user("owner")
        with db.operator("register"):
            founded = registration.create_organization(owner=owner, **({"name": f"Acme {uuid4().hex[:8]}"} | fields))
        tenant = Tenant(founded, {"owner": owner})
        tenant.users |= {role: tenant.add(role) for role in roles if role != "owner"}
        return tenant

    return make


@pytest.fixture
def acme(organization: Callable[..., Tenant]) -> Tenant:
    """An organization with a user of each role."""
    return organization()


@pytest.fixture
def other(organization: Callable[..., Tenant]) -> Tenant:
    """Another organization, whose things `acme` must never see."""
    return organization()


@pytest.fixture
def client_for() -> Callable[..., ApiClient]:
    """Return what makes clients of a surface, signed in as a user; None for nobody."""

    def make(user: User | None, surface: str = "team", *, shop: str = "", address: str = "127.0.0.1") -> ApiClient:
        token = sign_in(user, surface) if user else ""
        if surface == "storefront" and user and not shop:
            shop = user.organization.slug
        return ApiClient(surface, shop=shop, token=token, address=address)

    return make


@pytest.fixture(scope="module")
def operator_email() -> str:
    """Return the address of an operator of the platform, whose password is PASSWORD."""
    return add_operator(PASSWORD)


@pytest.fixture
def back_office(operator_email: str) -> Client:
    """Return the operator's browser, signed in to the admin."""
    return signed_in(operator_email, PASSWORD)


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Return what tells how many messages went to the database since it was last asked."""
    sent = []
    exchange = pipeline.Pipeline._exchange

    def counting(self: Any, commands: Any) -> Any:
        sent.append(commands)
        return exchange(self, commands)

    monkeypatch.setattr(pipeline.Pipeline, "_exchange", counting)

    def since() -> int:
        number = len(sent)
        sent.clear()
        return number

    return since


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    """A real SMTP server that keeps what it receives; the site's mail goes there. What waited before goes elsewhere."""
    outbox.deliver_due()
    with Mailbox() as box:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = box.host, box.port
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        yield box


@pytest.fixture
def deliver() -> Callable[[], int]:
    """Return a function that does the worker's part: deliver what the outbox holds."""
    return outbox.deliver_due


@pytest.fixture
def waiting() -> Callable[[Tenant], list[OutboxMessage]]:
    """Return a function that lists an organization's undelivered messages."""

    def find(tenant: Tenant) -> list[OutboxMessage]:
        with tenant.inside():
            return list(OutboxMessage.objects.of(tenant.id).filter(done_at=None).order_by("id"))

    return find


@pytest.fixture
def time_after() -> Callable[..., Any]:
    """Return what lets our clock run ahead for a block, the time given; the database's stays."""

    def ahead(**delta: float) -> Any:
        return time_machine.travel(datetime.now(UTC) + timedelta(**delta))

    return ahead
