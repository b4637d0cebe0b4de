"""The forms of the admin's sign-in and of an operator's second factor."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.forms import AdminOwnPasswordChangeForm, AuthenticationForm
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from accounts.models import OperatorEvent, User
from accounts.services import operator_events, operator_sign_in
from accounts.services.operator_events import Client
from accounts.services.operator_totp import Setup
from crm.core import sealing
from crm.core.db import operator
from crm.core.errors import DomainError, RateLimited


def code_field(label: str, help_text: str) -> forms.CharField:
    """Return a field for a code."""
    attributes = {"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"}
    widget = UnfoldAdminTextInputWidget(attributes)
    return forms.CharField(max_length=40, label=label, help_text=help_text, widget=widget)


def password_field() -> forms.CharField:
    """Return a field for the present password."""
    widget = UnfoldAdminPasswordWidget({"autocomplete": "current-password"})
    return forms.CharField(label="Password", help_text="The one you sign in with.", strip=False, widget=widget)


class GuardedForm(forms.Form):
    """A form whose answers are compared with secrets. `retry_after`: seconds to wait after too many attempts, or 0."""

    retry_after = 0

    def compare(self, field: str | None, comparison: Callable[..., Any], *values: Any) -> bool:
        """Tell whether the comparison accepts; its refusal becomes the field's error, a limit the form's."""
        try:
            comparison(*values)
        except RateLimited as refusal:
            self.retry_after = refusal.extra["retry_after"]
            self.add_error(None, refusal.message)
        except DomainError as refusal:
            self.add_error(field, refusal.message)
        else:
            return True
        return False


class PasswordForm(GuardedForm, AuthenticationForm):
    """The first step: address and password."""

    def clean(self) -> Any:
        """Compare them."""
        self.compare(None, super().clean)
        return self.cleaned_data


class OperatorForm(GuardedForm):
    """A form of a known operator."""

    def __init__(self, user: User, client: Client, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.client = user, client


class CodeForm(OperatorForm):
    """The second step: a code."""

    code = code_field("Code", "Six digits from your authenticator app, or one of your recovery codes.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs["autofocus"] = True

    def clean(self) -> Any:
        """Use the code up."""
        if not self.errors:
            self.compare("code", operator_sign_in.confirm_code, self.user, self.cleaned_data["code"], self.client)
        return self.cleaned_data


class SwitchOffForm(OperatorForm):
    """Password and code, for switching the second factor off."""

    password = password_field()
    code = code_field("Code", "From your authenticator app, or a recovery code.")

    def clean(self) -> Any:
        """Compare the password, then use the code up."""
        given = self.cleaned_data
        if not self.errors and self.compare(
            "password", operator_sign_in.confirm_password, self.user, given["password"], self.client
        ):
            self.compare("code", operator_sign_in.confirm_code, self.user, given["code"], self.client)
        return given


class SetUpForm(OperatorForm):
    """The first code of a new secret: `setup` is the secret, `step` the time step of the right code."""

    sealed = forms.CharField(max_length=500, widget=forms.HiddenInput)
    new_code = code_field("Code of the app", "The six digits that the app shows now.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.setup, self.step = self._resumed(), 0

    def _resumed(self) -> Setup:
        """Go on with the secret that the page showed; begin anew where that is too old or another operator's."""
        try:
            return Setup.resume(self.user, self.data.get("sealed", ""))
        except sealing.Unreadable:
            setup = Setup.begin(self.user)
            self.initial["sealed"] = setup.sealed
            self.data = {**self.data.dict(), "sealed": setup.sealed} if self.is_bound else self.data  # type: ignore[attr-defined]  # a QueryDict
            return setup

    def clean_new_code(self) -> str:
        """Compare the code with the new secret."""
        code: str = self.cleaned_data["new_code"]
        step = self.setup.step_of(code)
        if step is None:
            raise ValidationError("The app shows another code. Is the clock of its device right?")
        self.step = step
        return code


class SetUpOwnForm(SetUpForm):
    """The same for an operator who is signed in: with the password, and a present code where there is one."""

    password = password_field()
    code = code_field("Present code", "From the device that you use until now, or a recovery code.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not hasattr(self.user, "totp"):
            del self.fields["code"]

    def clean(self) -> Any:
        """Compare the password, then use the present code up."""
        given = self.cleaned_data
        is_right = not self.errors and self.compare(
            "password", operator_sign_in.confirm_password, self.user, given["password"], self.client
        )
        if is_right and "code" in self.fields:
            self.compare("code", operator_sign_in.confirm_code, self.user, given["code"], self.client)
        return given


class ChangePasswordForm(OperatorForm, AdminOwnPasswordChangeForm):
    """A new password, given the present one, whose attempts are counted."""

    def __init__(self, user: User, client: Client, *args: Any, **kwargs: Any) -> None:
        AdminOwnPasswordChangeForm.__init__(self, user, *args, **kwargs)
        self.client = client

    def clean_old_password(self) -> str:
        """Compare the present password."""
        password: str = self.cleaned_data["old_password"]
        self.compare("old_password", operator_sign_in.confirm_password, self.user, password, self.client)
        return password

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - Django's signature
        """Store it; the operator's other sessions are bound to the former one."""
        self.user.set_password(self.cleaned_data["new_password1"])
        with operator("back_office"):
            self.user.save(update_fields=["password", "updated_at"])
            operator_events.note(OperatorEvent.Name.PASSWORD_CHANGED, self.client, user=self.user)
        return self.user
