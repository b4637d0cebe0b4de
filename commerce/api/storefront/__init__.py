"""The shop itself: the Storefront surface."""

from commerce.api.storefront import carts, catalog

urlpatterns = [*catalog.urlpatterns, *carts.urlpatterns]
