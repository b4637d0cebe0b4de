"""Sales on the Team surface."""

from sales.api.team import board, deals, pipelines

urlpatterns = [*pipelines.urlpatterns, *board.urlpatterns, *deals.urlpatterns]
