"""Django's own sign-in, for the admin: platform operators alone."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from accounts.models import User
from accounts.services import operator_sign_in
from accounts.services.operator_events import Client
from crm.api.client_address import client_address


class OperatorBackend(BaseBackend):
    """Checks an operator's e-mail address and password; a second factor is the sign-in pages' to ask for."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **_: Any
    ) -> User | None:
        """Return the operator, or None; raise `RateLimited` after too many failures."""
        if not username or password is None:
            return None
        return operator_sign_in.authenticate(username, password, client_of(request))

    def get_user(self, user_id: Any) -> User | None:
        """Return the operator of a session."""
        return operator_sign_in.find(user_id)


def client_of(request: HttpRequest | None) -> Client:
    """Return where a request comes from."""
    if request is None:
        return Client()
    return Client(client_address(request), request.headers.get("User-Agent", "").replace("\0", ""))
