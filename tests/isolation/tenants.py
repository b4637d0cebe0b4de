"""Two organizations, side by side: who works there, and a row in every table. All text of the second is a canary."""

import itertools
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.db import models

from accounts.models import Organization, Role, Session, User, UserRole
from accounts.permissions import CUSTOM_ROLE_RANK
from accounts.services import registration
from accounts.services.sessions import load_actor
from crm.core import clock, db, tokens
from crm.core.actor import Actor, system_actor
from crm.core.tokens import Claims

_numbers = itertools.count(1)


def number() -> int:
    """A number that no row had before in this run."""
    return next(_numbers)


@dataclass
class Tenant:
    """An organization, its people and its things. `mark` begins every text in it."""

    organization: Organization
    mark: str
    people: dict[str, User] = field(default_factory=dict)
    things: dict[type[models.Model], models.Model] = field(default_factory=dict)
    custom: dict[tuple[str, ...], User] = field(default_factory=dict)

    @property
    def id(self) -> Any:
        return self.organization.pk

    @property
    def slug(self) -> str:
        return self.organization.slug

    def scope(self) -> Any:
        """A transaction inside the organization."""
        return db.tenant(self.id)

    @cached_property
    def roles(self) -> dict[str, Role]:
        with self.scope():
            return {role.name: role for role in Role.objects.filter(organization_id=self.id, is_built_in=True)}

    @property
    def system(self) -> Actor:
        return system_actor(self.id)

    def person(self, name: str) -> User:
        """A user by persona; `staff_other` is a second member with the role staff."""
        if name not in self.people:
            role = self.roles[name.partition("_other")[0]]
            self.people[name] = self.join(name, [role])
        return self.people[name]

    def holder(self, *permissions: str) -> User:
        """A user whose only role is the organization's own, with exactly these permissions, and sight of everything."""
        if permissions not in self.custom:
            with self.scope():
                role = Role(
                    organization_id=self.id,
                    name=f"{self.mark} role {number()}",
                    scope="all",
                    rank=CUSTOM_ROLE_RANK,
                    permissions=list(permissions),
                )
                role.save(force_insert=True)
            self.custom[permissions] = self.join("custom", [role])
        return self.custom[permissions]

    def join(self, name: str, roles: Sequence[Role], **fields: Any) -> User:
        """A new active user with these roles."""
        user = _drafted(self.mark, name, organization=self.organization, **fields)
        with self.scope():
            registration.join(user, roles[0])
            UserRole.objects.bulk_create(UserRole(organization_id=self.id, user=user, role=role) for role in roles[1:])
        return user

    def session(self, user: User, **fields: Any) -> Session:
        """An open session of the user."""
        with self.scope():
            session = Session(
                organization_id=self.id,
                user=user,
                surface="team",
                expires_at=clock.now() + timedelta(days=1),
                **fields,
            )
            session.save(force_insert=True)
        return session

    def token(self, user: User, *, lifetime: timedelta = timedelta(minutes=15)) -> str:
        """A fresh access token of the user, of a session of its own."""
        session = self.session(user)
        return tokens.issue(user_id=user.pk, session_id=session.pk, organization_id=self.id, lifetime=lifetime)[0]

    def actor(self, user: User) -> Actor:
        """The user as services know them; call inside `scope()`."""
        session = self.session(user)
        return load_actor(Claims(user.pk, session.pk, self.id, 0))


def _drafted(mark: str, name: str, **fields: Any) -> User:
    email = f"{mark}-{name}-{number()}@example.com".replace("_", "-").lower()
    return User(email=email, first_name=mark, last_name=name, password="!", **fields)


def found(mark: str) -> Tenant:
    """A new organization with everything one starts with, its texts beginning with `mark`."""
    owner = _drafted(mark, "owner")
    slug = f"{mark}-{secrets.token_hex(4)}".lower()
    with db.operator("register"):
        organization = registration.create_organization(owner=owner, name=f"{mark} organization", slug=slug)
    return Tenant(organization, mark, {"owner": owner})
