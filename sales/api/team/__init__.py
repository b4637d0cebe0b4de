"""Sales on the Team surface."""

from sales.api.team import activities, board, deals, pipelines

urlpatterns = [
    *pipelines.urlpatterns,
    *board.urlpatterns,
    *deals.urlpatterns,
    *activities.urlpatterns,
]
