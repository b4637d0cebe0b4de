"""The shop itself: the Storefront surface."""

from commerce.api.storefront import carts, catalog, orders

urlpatterns = [*catalog.urlpatterns, *carts.urlpatterns, *orders.urlpatterns]
