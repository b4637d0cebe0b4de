"""Commerce on the Platform surface."""

from commerce.api.platform import catalog, customers, orders, terms

urlpatterns = [*catalog.urlpatterns, *customers.urlpatterns, *orders.urlpatterns, *terms.urlpatterns]
