"""Django's own sign-in, for the admin: platform operators alone."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from accounts.models import User, normalize_email
from crm.core.tenancy import operator


class OperatorBackend(BaseBackend):
    """Checks an operator's e-mail address and password."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **_: Any
    ) -> User | None:
        """Return the operator, or None; a missing one takes as long as a wrong password."""
        if not username or password is None:
            return None
        with operator("back_office"):
            user = User.objects.filter(
                email_normalized=normalize_email(username), organization=None, is_active=True, is_superuser=True
            ).first()
        if user is None:
            make_password(password)
            return None
        return user if user.check_password(password) else None

    def get_user(self, user_id: Any) -> User | None:
        """Return the operator of a session."""
        with operator("back_office"):
            return User.objects.filter(pk=user_id, organization=None, is_active=True, is_superuser=True).first()
