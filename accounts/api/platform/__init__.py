"""Identity on the Platform surface."""

from accounts.api.platform import auth, members

urlpatterns = [*auth.urlpatterns, *members.urlpatterns]
