"""The cookie by which a browser that begins a sign-in at Google is known when it comes back. It opens nothing."""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse

NAME = "google_sign_in"
LONGEST_SECRET = 64


def secret_of(request: HttpRequest) -> str:
    """Return what the browser's cookie holds, or nothing."""
    secret = request.COOKIES.get(_name(), "")
    return secret if len(secret) <= LONGEST_SECRET else ""


def secret_to_show(request: HttpRequest) -> str | None:
    """Return what the request shows of the browser that began, "" where it shows nothing, None where it need not.

    A browser shows it in its address bar and from pages of the shop's own origin: these send no `Origin`. From pages of
    other origins it may keep the cookie back, and programs that are no browsers keep none.
    """
    if secret := secret_of(request):
        return secret
    is_browser = "Sec-Fetch-Site" in request.headers or request.headers.get("User-Agent", "").startswith("Mozilla/")
    return "" if is_browser and "Origin" not in request.headers else None


def remember(response: HttpResponse, secret: str, lifetime: timedelta) -> None:
    """Mark the browser, for every sign-in that it begins meanwhile."""
    response.set_cookie(_name(), secret, max_age=lifetime, path="/", secure=_is_secure(), httponly=True, samesite="Lax")


def _is_secure() -> bool:
    return str(settings.PUBLIC_URL).startswith("https://")


def _name() -> str:
    """Return the cookie's name; a browser takes one with this prefix from this very host alone, over TLS."""
    return f"__Host-{NAME}" if _is_secure() else NAME
