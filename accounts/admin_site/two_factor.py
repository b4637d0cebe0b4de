"""An operator's own second factor and password, once signed in."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from accounts.admin_site.forms import ChangePasswordForm, SetUpOwnForm, SwitchOffForm
from accounts.admin_site.pages import GuardedPage
from accounts.admin_site.site import SECOND_FACTOR
from accounts.backends import client_of
from accounts.models import OperatorEvent
from accounts.services import operator_events, operator_sign_in, operator_totp
from crm.core.db import operator


class OwnPage(GuardedPage):
    """A page about the signed-in operator."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Open for whom the site has let in."""
        self.user = request.user  # type: ignore[assignment]  # an operator, as the site has checked
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Take the form; where the account changed meanwhile, nothing is done."""
        try:
            return super().post(request, *args, **kwargs)
        except operator_sign_in.Changed as refusal:
            messages.warning(request, refusal.message)
            return HttpResponseRedirect(request.path)

    def keep_session(self, *, second_factor: bool) -> None:
        """Bind this session to the new state, under a new key; the operator's others end by it."""
        update_session_auth_hash(self.request, self.user)
        self.request.session[SECOND_FACTOR] = second_factor


class Overview(OwnPage):
    """Whether the second factor is on; switches it off."""

    title = "Two-factor authentication"
    form_class = SwitchOffForm
    template_name = "admin_site/two_factor.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Tell what there is."""
        totp = getattr(self.user, "totp", None)
        details = {"totp": totp, "codes_left": len(totp.recovery_hashes) if totp else 0}
        return {**super().get_context_data(**kwargs), **details, "is_required": settings.ADMIN_TOTP == "required"}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Take the form where there is something to switch off."""
        if settings.ADMIN_TOTP == "required" or not hasattr(self.user, "totp"):
            return HttpResponseRedirect(request.path)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: SwitchOffForm) -> HttpResponse:
        """Switch it off."""
        with operator("back_office"):
            operator_sign_in.lock_unchanged(self.user)
            operator_totp.switch_off(self.user)
            operator_events.note(OperatorEvent.Name.TOTP_OFF, client_of(self.request), user=self.user)
            self.keep_session(second_factor=False)
        messages.success(self.request, "Two-factor authentication is off. Your other sessions have ended.")
        return HttpResponseRedirect(self.request.path)


class SetUp(OwnPage):
    """Switches the second factor on, or moves it to another device."""

    title = "Set up two-factor authentication"
    form_class = SetUpOwnForm
    template_name = "admin_site/set_up.html"

    def form_valid(self, form: SetUpOwnForm) -> HttpResponse:
        """Store the new secret and show its recovery codes."""
        name = OperatorEvent.Name.TOTP_REPLACED if hasattr(self.user, "totp") else OperatorEvent.Name.TOTP_ON
        with operator("back_office"):
            operator_sign_in.lock_unchanged(self.user)
            codes = operator_totp.switch_on(form.setup, form.step)
            operator_events.note(name, client_of(self.request), user=self.user)
            self.keep_session(second_factor=True)
        context = self.site.context(self.request, "Recovery codes")
        context |= {"codes": codes, "leads_to": reverse(f"{self.site.name}:two_factor")}
        return render(self.request, "admin_site/codes.html", context)


class ChangePassword(OwnPage):
    """A new password for oneself."""

    title = "Password change"
    form_class = ChangePasswordForm
    template_name = "registration/password_change_form.html"

    def form_valid(self, form: ChangePasswordForm) -> HttpResponse:
        """Store it; the operator's other sessions end."""
        form.save()
        update_session_auth_hash(self.request, self.user)
        return HttpResponseRedirect(reverse(f"{self.site.name}:password_change_done"))
