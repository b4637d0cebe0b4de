"""An organization to attack. Passwords hash quickly here: it is not their strength that is tried."""

from typing import Any

import pytest

from tests.isolation import tenants
from tests.isolation.tenants import Tenant


@pytest.fixture(autouse=True)
def _quick_hashes(settings: Any) -> None:
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        "django.contrib.auth.hashers.Argon2PasswordHasher",
    ]


@pytest.fixture
def tenant() -> Tenant:
    """A fresh organization."""
    return tenants.found("NASTY")
