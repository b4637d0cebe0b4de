"""The shop itself: the Storefront surface."""

from typing import Any

urlpatterns: list[Any] = []
