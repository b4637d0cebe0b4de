"""The shop itself: the Storefront surface."""

from typing import Any

from commerce.api.storefront import carts

urlpatterns: list[Any] = [*carts.urlpatterns]
