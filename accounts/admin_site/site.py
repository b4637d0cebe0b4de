"""The admin's site: Unfold's, with our sign-in and the pages of the second factor."""

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from unfold.sites import UnfoldAdminSite

SECOND_FACTOR = "second_factor"


class BackOfficeSite(UnfoldAdminSite):
    """Lets operators in, where the deployment demands it only with a second factor."""

    def has_permission(self, request: HttpRequest) -> bool:
        """Tell whether the request may see the admin."""
        is_operator: bool = super().has_permission(request)
        return is_operator and (settings.ADMIN_TOTP != "required" or bool(request.session.get(SECOND_FACTOR)))

    def extra_urls(self) -> list[Any]:
        """Add the second step of the sign-in and the pages of the second factor."""
        from accounts.admin_site import sign_in, two_factor  # noqa: PLC0415 - models are not loaded when sites are made

        return [
            path("login/code/", sign_in.EnterCode.as_view(site=self), name="login_code"),
            path("login/set-up/", sign_in.SetUpAtSignIn.as_view(site=self), name="login_set_up"),
            path("two-factor/", self.admin_view(two_factor.Overview.as_view(site=self)), name="two_factor"),
            path("two-factor/set-up/", self.admin_view(two_factor.SetUp.as_view(site=self)), name="two_factor_set_up"),
        ]

    @method_decorator(never_cache)
    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """Ask for address and password."""
        from accounts.admin_site import sign_in  # noqa: PLC0415 - the same

        if request.method == "GET" and self.has_permission(request):
            return HttpResponseRedirect(reverse(f"{self.name}:index"))
        request.current_app = self.name
        return sign_in.EnterPassword.as_view(site=self, extra_context=extra_context)(request)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """Change the operator's own password, whose attempts are counted."""
        from accounts.admin_site import two_factor  # noqa: PLC0415 - the same

        request.current_app = self.name
        context = {**self.each_context(request), **(extra_context or {})}
        return two_factor.ChangePassword.as_view(site=self, extra_context=context)(request)

    def context(self, request: HttpRequest, title: str) -> dict[str, Any]:
        """Return what every page of the site needs."""
        return {**self.each_context(request), "title": title, "subtitle": None}
