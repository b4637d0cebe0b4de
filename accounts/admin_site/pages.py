"""What the pages of the sign-in and of the second factor have in common."""

from typing import Any, ClassVar

import segno
from django.http import HttpResponse
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView

from accounts.admin_site.forms import GuardedForm
from accounts.backends import client_of
from accounts.models import User
from accounts.services.operator_totp import Setup


def qr_code(setup: Setup) -> SafeString:
    """Return the secret as an SVG image, for scanning."""
    code = segno.make(setup.uri, micro=False, error="m")
    return mark_safe(code.svg_inline(scale=4, border=2, light="#fff"))  # noqa: S308 - segno draws, nothing is quoted


@method_decorator([sensitive_post_parameters(), csrf_protect, never_cache], name="dispatch")
class GuardedPage(FormView):
    """A page of the admin's site with a form that compares secrets; too many attempts answer 429."""

    site: Any = None
    title: ClassVar[str] = ""
    user: User

    def get_form_kwargs(self) -> dict[str, Any]:
        """Tell the form whose secrets it compares, and who asks."""
        return {**super().get_form_kwargs(), "user": self.user, "client": client_of(self.request)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add what every page of the site needs, and what a set-up shows."""
        context = {**self.site.context(self.request, self.title), **super().get_context_data(**kwargs)}
        setup = getattr(context.get("form"), "setup", None)
        return context | ({"setup": setup, "qr_code": qr_code(setup)} if setup else {})

    def form_invalid(self, form: GuardedForm) -> HttpResponse:
        """Show the page again; say when to come back after too many attempts."""
        response = super().form_invalid(form)
        if form.retry_after:
            response.status_code = 429
            response["Retry-After"] = str(form.retry_after)
        return response
