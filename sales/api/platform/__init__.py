"""Sales on the Platform surface."""

from sales.api.platform import activities, deals, pipelines

urlpatterns = [*pipelines.urlpatterns, *deals.urlpatterns, *activities.urlpatterns]
