"""What production must not be started with. Each refusal names the variable, the reason, and what to set instead."""

from collections.abc import Callable, Iterator, Mapping
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

Settings = Mapping[str, Any]
SMTP = "django.core.mail.backends.smtp.EmailBackend"
PLACEHOLDERS = ("change", "django-insecure", "example", "insecure", "placeholder", "secret", "your")
SCHEMES = ("http", "https")
LEAST_SECRET, LEAST_VARIETY = 32, 10
ENCRYPT = "Use https://, or set ALLOW_UNENCRYPTED=on in a private network."


def refuse_unsafe(settings: Settings) -> None:
    """Raise `ImproperlyConfigured` with a line for each unsafe value."""
    if lines := [line for rule in RULES for line in rule(settings)]:
        raise ImproperlyConfigured("\n".join(lines))


def _secret(settings: Settings) -> Iterator[str]:
    key = settings["SECRET_KEY"]
    is_weak = len(key) < LEAST_SECRET or len(set(key)) < LEAST_VARIETY or key.lower().startswith(PLACEHOLDERS)
    if is_weak:
        yield "SECRET_KEY is missing or a placeholder: set it to at least 32 random characters."


def _hosts(settings: Settings) -> Iterator[str]:
    hosts = settings["ALLOWED_HOSTS"]
    if not hosts:
        yield "ALLOWED_HOSTS is missing: name the hosts this site answers for."
    for host in hosts:
        if "*" in host:
            yield (
                f"ALLOWED_HOSTS must not contain {host!r}: mailed links and redirects would follow any Host header. "
                "Name each host; .example.com stands for all below it."
            )
        elif "/" in host:
            yield f"ALLOWED_HOSTS takes names without a scheme or path, not {host!r}."


def _addresses(settings: Settings) -> Iterator[str]:
    for name in ("PUBLIC_URL", "FRONTEND_URL"):
        if not settings[name]:
            yield f"{name} is missing: mails, redirects and cookies depend on it."
        else:
            yield from _web_address(name, settings[name], settings, is_origin=name == "PUBLIC_URL")


def _origins(settings: Settings) -> Iterator[str]:
    name = "CORS_ALLOWED_ORIGINS"
    for origin in settings[name]:
        if "*" in origin or origin == "null":
            yield f"{name} must not contain {origin!r}: any site could call the API from its visitors' browsers."
        elif not settings["FRONTEND_URL"].startswith(origin):  # the default is made of that one
            yield from _web_address(name, origin, settings, is_origin=True)


def _mail(settings: Settings) -> Iterator[str]:
    if settings["EMAIL_BACKEND"] != SMTP:
        yield "EMAIL_URL is missing or sends nothing: mails with sign-in links must reach people. Use smtp+tls://."
    elif settings["EMAIL_HOST_PASSWORD"] and not (settings.get("EMAIL_USE_TLS") or settings.get("EMAIL_USE_SSL")):
        yield from _unless_allowed(
            settings,
            "EMAIL_URL sends the mail server's password unencrypted. "
            "Use smtp+tls:// or smtp+ssl://, or set ALLOW_UNENCRYPTED=on in a private network.",
        )
    try:
        validate_email(parseaddr(settings["DEFAULT_FROM_EMAIL"])[1])
        is_sender = settings["DEFAULT_FROM_EMAIL"].isprintable()
    except ValidationError:
        is_sender = False
    if not is_sender:
        yield "DEFAULT_FROM_EMAIL is missing or no sender: use an address as in CRM <no-reply@crm.example.com>."


def _protections(settings: Settings) -> Iterator[str]:
    if not settings["RATE_LIMITS"]:
        yield "RATE_LIMITS is off: passwords could be guessed without end. Raise single limits instead."
    if settings["OUTBOUND_ALLOW_PRIVATE"]:
        yield "OUTBOUND_ALLOW_PRIVATE is on: requests made for customers would reach the private network."


def _google(settings: Settings) -> Iterator[str]:
    google = settings["GOOGLE"]
    if bool(google["client_id"]) != bool(google["client_secret"]):
        yield "GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET are only of use together: set both or neither."
    for key in ("authorize_url", "token_url", "jwks_url"):
        if not google[key].startswith("https://"):
            yield f"GOOGLE_{key.upper()} must begin with https://: whoever answers there says who signs in."
    if not google["redirect_url"].startswith(settings["PUBLIC_URL"]):  # by default it is made of that one
        yield from _web_address("GOOGLE_REDIRECT_URL", google["redirect_url"], settings)


def _errors(settings: Settings) -> Iterator[str]:
    if settings["SENTRY_DSN"]:
        yield from _web_address("SENTRY_DSN", settings["SENTRY_DSN"], settings, takes_user=True)


RULES: tuple[Callable[[Settings], Iterator[str]], ...] = (
    _secret,
    _hosts,
    _addresses,
    _origins,
    _mail,
    _protections,
    _google,
    _errors,
)


def _web_address(
    name: str, value: str, settings: Settings, *, is_origin: bool = False, takes_user: bool = False
) -> Iterator[str]:
    if not _is_web_address(value, is_origin=is_origin, takes_user=takes_user):
        form = "scheme, host and port alone" if is_origin else "a web address"
        yield f"{name} must be {form}, as in https://crm.example.com."
    elif value.startswith("http://"):
        line = f"{name} begins with http://: passwords and tokens would travel unencrypted. {ENCRYPT}"
        yield from _unless_allowed(settings, line)


def _is_web_address(value: str, *, is_origin: bool, takes_user: bool) -> bool:
    try:
        parts = urlsplit(value)
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    is_bare = not (is_origin and (parts.path or parts.query or parts.fragment))
    is_printable = value.isprintable() and " " not in value
    return parts.scheme in SCHEMES and has_host and is_bare and is_printable and ("@" not in value or takes_user)


def _unless_allowed(settings: Settings, line: str) -> Iterator[str]:
    if not settings["ALLOW_UNENCRYPTED"]:
        yield line
