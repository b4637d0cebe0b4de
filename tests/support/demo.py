"""A demo organization as `manage.py seed_demo` leaves it, for the tests of each chapter."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command

from accounts.models import Organization, User
from accounts.services import sessions
from accounts.services.sessions import ClientInfo
from contacts.demo.founding import find_organization
from crm.core import db, tokens
from crm.core.actor import Actor
from tests.support.clients import ApiClient


@dataclass
class Demo:
    """The organization, and who works there."""

    organization: Organization

    def inside(self) -> Any:
        """Open a transaction inside the organization."""
        return db.tenant(self.organization.pk)

    def user(self, mailbox: str) -> User:
        """Return a user by what stands before the @."""
        with self.inside():
            return User.objects.of(self.organization.pk).get(email=f"{mailbox}@{self.organization.slug}.example")

    def actor(self, mailbox: str) -> Actor:
        """Return who a user acts as."""
        token = self._token(mailbox)
        with self.inside():
            return sessions.load_actor(tokens.verify(token))

    def client(self, mailbox: str, surface: str = "team") -> ApiClient:
        """Return a client signed in on a surface."""
        return ApiClient(surface, shop=self.organization.slug, token=self._token(mailbox, surface))

    def _token(self, mailbox: str, surface: str = "team") -> str:
        user = self.user(mailbox)
        with self.inside():
            return sessions.open_session(user, ClientInfo(surface=surface, address="127.0.0.1")).access_token


def seeded(data: Path, *options: str) -> Demo:
    """Run the command for an organization of its own."""
    slug = f"demo-{uuid4().hex[:8]}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.CRM_DATA_DIR", data)
        call_command("seed_demo", "--organization", slug, *options)
    organization = find_organization(slug)
    assert organization is not None
    return Demo(organization)
