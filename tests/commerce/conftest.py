"""Fixtures of the shop: who buys, who runs it, and what is on sale."""

import pytest

from tests.commerce.shop import sell


@pytest.fixture
def shopper(acme, client_for):
    """The shopper of acme in its shop."""
    return client_for(acme.customer, "storefront")


@pytest.fixture
def seller(acme, client_for):
    """The owner of acme on the Platform."""
    return client_for(acme.owner, "platform")


@pytest.fixture
def laptop(acme):
    """Five of the document's laptop."""
    return sell(acme, "LAPTOP-001", 99999, units=5, name="Professional Laptop")
