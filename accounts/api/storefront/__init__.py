"""Identity on the Storefront surface."""

from accounts.api.storefront import auth, members

urlpatterns = [*auth.urlpatterns, *members.urlpatterns]
