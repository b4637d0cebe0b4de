"""Who acts: the access token of a request, and the sessions and shops that `settings` names."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from importlib import import_module
from typing import Any, Protocol

from django.conf import settings
from django.http import HttpRequest

from crm.core import tokens
from crm.core.actor import Actor
from crm.core.tokens import Claims


class ActorCheck(Protocol):
    """Who acted when the session was last checked in this process (None: it was not), and who does now."""

    @property
    def cached(self) -> Actor | None:
        """Return who acted."""

    @property
    def load(self) -> Callable[[], Actor]:
        """Return a function of who acts now: the object that was cached where nothing has changed; it may raise."""


def bearer_claims(request: HttpRequest) -> Claims | None:
    """Return what the access token claims, None where there is none, or raise `Unauthenticated`."""
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return None
    return tokens.verify(token.strip())


def enter(claims: Claims) -> AbstractContextManager[Actor]:
    """Open a transaction in the organization, as who the token's session lets act now."""
    entered: AbstractContextManager[Actor] = _module("SESSION_BACKEND").enter(claims)
    return entered


def enter_read_only(claims: Claims) -> AbstractContextManager[ActorCheck]:
    """Open a transaction that cannot write; the session is checked by the message of its first statement."""
    entered: AbstractContextManager[ActorCheck] = _module("SESSION_BACKEND").enter_read_only(claims)
    return entered


def find_shop(slug: str) -> Any:
    """Return the organization whose shop is open under this slug, or raise `NotFound`."""
    return _module("SHOP_BACKEND").find_shop(slug)


@cache
def _module(setting: str) -> Any:
    return import_module(getattr(settings, setting))
