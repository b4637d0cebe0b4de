"""Fixtures of identity."""

from uuid import uuid4

import pytest

from tests.conftest import PASSWORD
from tests.support.oauth_server import OAuthServer
from tests.support.operators import Operator


@pytest.fixture
def shop(acme, client_for):
    """The owner's client on the Storefront."""
    return client_for(acme.owner, "storefront")


@pytest.fixture
def google(settings):
    """A stand-in for Google that vouches for Ada."""
    with OAuthServer() as server:
        settings.GOOGLE = server.settings
        server.claims = {"email": f"{uuid4().hex}@gmail.com", "given_name": "Ada", "family_name": "Lovelace"}
        yield server


@pytest.fixture
def quick_hashes(settings):
    """Passwords hashed at no cost, where sign-ins are many and hashing is not the matter."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]


@pytest.fixture
def ada():
    """An operator without a second factor, signed in."""
    operator = Operator(PASSWORD)
    operator.give_password()
    return operator


@pytest.fixture
def grace(ada):
    """An operator with a second factor, signed in."""
    assert ada.set_up().status_code == 200
    return ada
