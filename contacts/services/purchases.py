"""What a customer has bought, as SQL over a contact, from the app above that keeps orders.

Every list and page of customers reads these two, for the rows of the page alone, and nothing else counts orders per
contact.
"""

from functools import cache
from importlib import import_module
from typing import Any, Protocol

from django.conf import settings


class Purchases(Protocol):
    """What the module that `settings.PURCHASES` names tells of a contact."""

    def total_orders(self) -> Any:
        """Return the SQL of how many orders count."""

    def total_value(self) -> Any:
        """Return the SQL of what they come to, in major units of the organization's currency."""


@cache
def purchases() -> Purchases:
    """Return the module that keeps orders."""
    return import_module(settings.PURCHASES)
