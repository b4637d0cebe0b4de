"""Commerce on the Platform surface."""

from commerce.api.platform import catalog, terms

urlpatterns = [*catalog.urlpatterns, *terms.urlpatterns]
