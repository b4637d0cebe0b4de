"""Commerce on the Platform surface."""

from commerce.api.platform import catalog, orders, terms

urlpatterns = [*catalog.urlpatterns, *orders.urlpatterns, *terms.urlpatterns]
