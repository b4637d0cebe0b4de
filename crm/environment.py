"""Readers of single variables for `crm.settings`: what cannot be read stops the start, named by its variable."""

from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()


def switch(name: str, *, default: str) -> bool:
    """Read an `on`/`off` variable."""
    value = env.str(name, default=default).lower()
    if value not in {"on", "off"}:
        raise ImproperlyConfigured(f"{name} must be on or off, not {value!r}.")
    return value == "on"


def choice(name: str, allowed: Collection[str], *, default: str) -> str:
    """Read one of a few words."""
    value = str(env.str(name, default=default))
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
    return value


def number(name: str, *, default: int, least: int = 1, most: int = 1_000_000_000) -> int:
    """Read a whole number within bounds."""
    value = env.str(name, default=str(default)).strip()
    if not (value.isascii() and value.isdigit()) or not least <= int(value) <= most:
        raise ImproperlyConfigured(f"{name} must be a whole number from {least} to {most}, not {value!r}.")
    return int(value)


def header(name: str) -> str:
    """Read the name of a request header and return its WSGI key; empty where it is not set."""
    value = env.str(name, default="").strip()
    if not value:
        return ""
    if not value.isascii() or not value.replace("-", "").isalnum():
        raise ImproperlyConfigured(f"{name} must be a header's name of letters, digits and hyphens, not {value!r}.")
    if value.lower() in {"x-forwarded-for", "forwarded"}:
        raise ImproperlyConfigured(f"{name} must hold one address; for lists as in {value} set TRUSTED_PROXIES.")
    return f"HTTP_{value.upper().replace('-', '_')}"


def service(name: str, schemes: Collection[str], *, default: str) -> str:
    """Read the address of a service; the message about a wrong one does not repeat it, for it may hold a password."""
    value = str(env.str(name, default=default))
    try:
        parts = urlsplit(value)
        is_known = parts.scheme in schemes and (parts.port is None or parts.port > 0)
    except ValueError:
        is_known = False
    if not is_known:
        raise ImproperlyConfigured(
            f"{name} must be an address that begins with {', '.join(f'{scheme}://' for scheme in schemes)}; "
            "special characters in its password are percent-encoded."
        )
    return value


def parsed(name: str, value: str, parse: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """Return what `parse` makes of a service's address."""
    try:
        return parse(value)
    except (ValueError, ImproperlyConfigured):
        raise ImproperlyConfigured(f"{name} cannot be read.") from None
