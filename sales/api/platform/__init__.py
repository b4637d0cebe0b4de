"""Sales on the Platform surface."""

from sales.api.platform import deals, pipelines

urlpatterns = [*pipelines.urlpatterns, *deals.urlpatterns]
