"""Fixtures of identity."""

import pytest


@pytest.fixture
def shop(acme, client_for):
    """The owner's client on the Storefront."""
    return client_for(acme.owner, "storefront")
