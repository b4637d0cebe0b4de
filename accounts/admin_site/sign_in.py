"""The admin's sign-in: address and password, then a code or, where a deployment demands one, its set-up.

Between the steps a signed cookie says who gave the right password; a session begins after the last step alone.
"""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth import login as begin_session
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import RedirectURLMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator

from accounts.admin_site.forms import CodeForm, PasswordForm, SetUpForm
from accounts.admin_site.pages import GuardedPage
from accounts.admin_site.site import SECOND_FACTOR
from accounts.backends import client_of
from accounts.models import OperatorEvent, User
from accounts.services import operator_events, operator_sign_in, operator_totp
from crm.admin.middleware import start_session
from crm.core.db import operator

COOKIE = "admin_sign_in"


@method_decorator(login_not_required, name="dispatch")
class SignInPage(RedirectURLMixin, GuardedPage):
    """A step of the sign-in, which takes the page asked for along."""

    redirect_field_name = REDIRECT_FIELD_NAME

    def get_default_redirect_url(self) -> str:
        """Return where the sign-in leads unless a page was asked for."""
        return reverse(f"{self.site.name}:index")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Let the form come back to this page."""
        context = super().get_context_data(**kwargs)
        return {**context, "app_path": self.request.get_full_path(), "next": self.get_redirect_url()}

    def go_to(self, step: str) -> HttpResponse:
        """Go to another step."""
        wanted = self.get_redirect_url()
        query = f"?{urlencode({REDIRECT_FIELD_NAME: wanted}, safe='/')}" if wanted else ""
        return HttpResponseRedirect(reverse(f"{self.site.name}:{step}") + query)

    def enter(self, user: User, *, second_factor: bool) -> None:
        """Begin the operator's session, under a new key; raise `Changed` where the account changed meanwhile."""
        with operator("back_office"):
            row = operator_sign_in.lock_unchanged(user)
            self.request.session.flush()  # Django would go on with one of the same operator
            begin_session(self.request, row, backend="accounts.backends.OperatorBackend")
            self.request.session[SECOND_FACTOR] = second_factor
            start_session(self.request.session)
            operator_events.note(OperatorEvent.Name.SUCCEEDED, client_of(self.request), user=row)

    def started_over(self, reason: str) -> HttpResponse:
        """Ask for the password again."""
        messages.warning(self.request, reason)
        return _without_cookie(self.go_to("login"))


class EnterPassword(SignInPage):
    """The first step."""

    title = "Log in"
    form_class = PasswordForm
    template_name = "admin/login.html"

    def get_form_kwargs(self) -> dict[str, Any]:
        """Let the form ask Django's own sign-in."""
        return {**super(GuardedPage, self).get_form_kwargs(), "request": self.request}

    def form_valid(self, form: PasswordForm) -> HttpResponse:
        """Begin the session, or ask for the second factor."""
        user: User = form.get_user()
        if hasattr(user, "totp") or settings.ADMIN_TOTP == "required":
            operator_events.note(OperatorEvent.Name.PASSWORD_ACCEPTED, client_of(self.request), user=user)
            response = self.go_to("login_code" if hasattr(user, "totp") else "login_set_up")
            response.set_cookie(
                COOKIE,
                operator_sign_in.pending(user),
                max_age=operator_sign_in.PENDING_FOR,
                path=reverse(f"{self.site.name}:login"),
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Strict",
            )
            return response
        try:
            self.enter(user, second_factor=False)
        except operator_sign_in.Changed as refusal:
            return self.started_over(refusal.message)
        return HttpResponseRedirect(self.get_success_url())


class SecondStep(SignInPage):
    """A step for somebody who has given the right password."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Ask for the password again where that was too long ago."""
        user = operator_sign_in.pending_user(request.COOKIES.get(COOKIE, ""))
        if user is None:
            return self.started_over("The sign-in took too long. Start again.")
        self.user = user
        if hasattr(user, "totp") is not self.wants_totp:
            return self.go_to("login_set_up" if self.wants_totp else "login_code")
        return super().dispatch(request, *args, **kwargs)

    wants_totp = True


class EnterCode(SecondStep):
    """The second step of an operator who has a second factor."""

    title = "Two-factor authentication"
    form_class = CodeForm
    template_name = "admin_site/code.html"

    def form_valid(self, form: CodeForm) -> HttpResponse:
        """Begin the session."""
        try:
            self.enter(self.user, second_factor=True)
        except operator_sign_in.Changed as refusal:
            return self.started_over(refusal.message)
        return _without_cookie(HttpResponseRedirect(self.get_success_url()))


class SetUpAtSignIn(SecondStep):
    """The second step of an operator who has none yet, where the deployment demands one."""

    title = "Set up two-factor authentication"
    form_class = SetUpForm
    template_name = "admin_site/set_up_at_sign_in.html"
    wants_totp = False

    def form_valid(self, form: SetUpForm) -> HttpResponse:
        """Switch it on, begin the session, and show the recovery codes."""
        try:
            with operator("back_office"):
                operator_sign_in.lock_unchanged(self.user)
                codes = operator_totp.switch_on(form.setup, form.step)
                operator_events.note(OperatorEvent.Name.TOTP_ON, client_of(self.request), user=self.user)
                self.enter(self.user, second_factor=True)
        except operator_sign_in.Changed as refusal:
            return self.started_over(refusal.message)
        context = self.site.context(self.request, "Recovery codes")
        context |= {"codes": codes, "leads_to": self.get_success_url()}
        return _without_cookie(render(self.request, "admin_site/codes_at_sign_in.html", context))


def _without_cookie(response: HttpResponse) -> HttpResponse:
    response.delete_cookie(COOKIE, path=reverse("admin:login"), samesite="Strict")
    return response
