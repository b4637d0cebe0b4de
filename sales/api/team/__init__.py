"""Sales on the Team surface."""

from sales.api.team import deals, pipelines

urlpatterns = [*pipelines.urlpatterns, *deals.urlpatterns]
