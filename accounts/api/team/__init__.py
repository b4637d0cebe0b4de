"""Identity on the Team surface."""

from accounts.api.team import auth, members

urlpatterns = [*auth.urlpatterns, *members.urlpatterns]
