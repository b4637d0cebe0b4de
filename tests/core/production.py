"""Every variable of `.env.example`, and what production says to its values. One added there needs a line here."""

from collections.abc import Mapping
from dataclasses import dataclass, field

KEY = "q7Zr2vXw9LmN4bTyUiOpAsDfGhJkQe8R"
UNENCRYPTED = "would travel unencrypted"


@dataclass(frozen=True)
class Rule:
    """Values that production refuses, each with words of the refusal, and others that it takes; None leaves it unset.

    `beside` is set along with them. `reason` says why no value is refused.
    """

    refused: Mapping[str | None, str] = field(default_factory=dict)
    taken: tuple[str | None, ...] = ()
    beside: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


def switch(unsafe: str = "", words: str = "") -> Rule:
    """The rule of an on/off variable, one of whose values may be unsafe."""
    refused = {"": "must be on or off", "true": "must be on or off", "1": "must be on or off"}
    taken = tuple(value for value in ("on", "off", "ON") if value.lower() != unsafe)
    return Rule(refused | ({unsafe: words} if unsafe else {}), taken)


def number(most: str = "1000000001") -> Rule:
    """The rule of a limit."""
    bad = ("0", "-1", "", "many", "1.5", "1e3", "٣", most)
    return Rule(dict.fromkeys(bad, "must be a whole number from"), ("1", " 25 ", None))


def passed_by(whom: str) -> Rule:
    """The rule of a variable that the settings do not read."""
    return Rule(taken=("anything", ""), reason=f"read by {whom} alone")


GOOGLE = {"GOOGLE_CLIENT_ID": "id", "GOOGLE_CLIENT_SECRET": "of google's"}
GOOGLE_ADDRESS = Rule(
    {"http://accounts.example/x": "must begin with https://", "": "must begin with https://", "x": "must begin with"},
    ("https://accounts.example/x", None),
    GOOGLE,
)
REDIS_FORMS = {"http://redis:6379": "must be an address", "redis": "must be an address", "redis://redis:x": "REDIS_URL"}
POSTGRES = Rule(
    {
        "sqlite:///crm.db": "must be an address that begins with postgres://",
        "mysql://crm@db/crm": "must be an address that begins with postgres://",
        "": "must be an address",
        "postgres://crm_app:sl/ash@db/crm": "percent-encoded",
        "postgres://crm_app:x@db:port/crm": "percent-encoded",
    },
    ("postgres://crm_app:x@db/crm", "postgresql://crm_app@/crm?host=%2Frun", None),
)

RULES: Mapping[str, Rule] = {
    "CRM_ENV": Rule(
        {"": "must be one of production", "prod": "must be one of production"},
        ("production", None),
    ),
    "SECRET_KEY": Rule(
        dict.fromkeys(
            (
                None,
                "",
                "change-me",
                "short-but-random-9xQ",
                f"changeme-{KEY}",
                f"django-insecure-{KEY}",
                f"Your-{KEY}",
                "insecure-outside-production-only-0123456789",
                "a" * 64,
                "abcabcabcabcabcabcabcabcabcabcabcabc",
            ),
            "SECRET_KEY is missing or a placeholder",
        ),
        (KEY, "0123456789abcdef" * 4),
    ),
    "ALLOWED_HOSTS": Rule(
        {
            None: "ALLOWED_HOSTS is missing",
            "": "ALLOWED_HOSTS is missing",
            "*": "must not contain '*'",
            "crm.example.com,*": "must not contain '*'",
            "*.example.com": "must not contain",
            "https://crm.example.com": "without a scheme",
        },
        ("crm.example.com", ".example.com,10.0.0.5"),
    ),
    "PUBLIC_URL": Rule(
        {
            None: "PUBLIC_URL is missing",
            "": "PUBLIC_URL is missing",
            "http://crm.example.com": UNENCRYPTED,
            "http://localhost:8000": UNENCRYPTED,
            "crm.example.com": "must be scheme, host and port alone",
            "ftp://crm.example.com": "must be scheme, host",
            "https://crm.example.com/crm": "must be scheme, host",
            "https://crm.example.com?x=1": "must be scheme, host",
            "https://user:x@crm.example.com": "must be scheme, host",
            "https://crm.example.com:port": "must be scheme, host",
            "https://": "must be scheme, host",
            "https://[::1": "must be scheme, host",
            "https://crm.example.com x": "must be scheme, host",
        },
        ("https://crm.example.com", "https://crm.example.com/", "https://[2001:db8::1]:8443"),
    ),
    "FRONTEND_URL": Rule(
        {
            None: "FRONTEND_URL is missing",
            "http://app.example.com": UNENCRYPTED,
            "javascript:alert(1)": "must be a web address",
            "app.example.com": "must be a web address",
        },
        ("https://app.example.com", "https://example.com/app", "https://example.com/#"),
    ),
    "CORS_ALLOWED_ORIGINS": Rule(
        {
            "*": "any site could call the API",
            "null": "any site could call the API",
            "https://app.example.com,*": "any site could call the API",
            "https://*.example.com": "any site could call the API",
            "http://app.example.com": UNENCRYPTED,
            "https://app.example.com/shop": "must be scheme, host",
            "app.example.com": "must be scheme, host",
        },
        (None, "", "https://app.example.com,https://admin.example.com"),
    ),
    "ALLOW_UNENCRYPTED": switch(),
    "TRUSTED_PROXIES": Rule(
        dict.fromkeys(("-1", "21", "", "one", "1.5", "all"), "must be a whole number from 0 to 20"),
        ("0", "1", "3", None),
    ),
    "CLIENT_ADDRESS_HEADER": Rule(
        {
            "X_Real_IP": "letters, digits and hyphens",
            "X-Real-IP, X-Other": "letters, digits and hyphens",
            "X-Real-IP:": "letters, digits and hyphens",
            "X-Forwarded-For": "set TRUSTED_PROXIES",
            "forwarded": "set TRUSTED_PROXIES",
        },
        (None, "", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP"),
    ),
    "PORT": number("65536"),
    "CRM_DATA_DIR": Rule(taken=("/srv/crm/data", None), reason="any directory will do"),
    "DATABASE_URL": POSTGRES,
    "DATABASE_OWNER_URL": POSTGRES,
    "DATABASE_ADMIN_URL": passed_by("provisioning"),
    "CRM_APP_PASSWORD": passed_by("provisioning and docker-compose"),
    "CRM_OWNER_PASSWORD": passed_by("provisioning and docker-compose"),
    "POSTGRES_PASSWORD": passed_by("docker-compose"),
    "CRM_PG_SHARED_BUFFERS": passed_by("the embedded PostgreSQL"),
    "PREPARED_STATEMENTS": switch(),
    "REDIS_URL": Rule(
        REDIS_FORMS, ("redis://redis:6379/1", "rediss://:x@redis/0", "unix:///run/redis.sock?db=1", None)
    ),
    "CELERY_BROKER_URL": Rule(
        {"memory://": "must be an address", "filesystem:///x": "must be an address", "": "must be an address"},
        ("redis://redis:6379/0", "redis+socket:///run/redis.sock?virtual_host=0", None),
    ),
    "EMAIL_URL": Rule(
        {
            None: "EMAIL_URL is missing or sends nothing",
            "consolemail://": "EMAIL_URL is missing or sends nothing",
            "filemail:///srv/mail": "EMAIL_URL is missing or sends nothing",
            "memorymail://": "EMAIL_URL is missing or sends nothing",
            "dummymail://": "EMAIL_URL is missing or sends nothing",
            "smtp://user:x@smtp.example.com:25": "sends the mail server's password unencrypted",
            "smtp+tls://user:x@smtp.example.com:port": "EMAIL_URL cannot be read",
            "pigeon://smtp.example.com": "EMAIL_URL cannot be read",
            "": "EMAIL_URL",
        },
        ("smtp+tls://user:x@smtp.example.com:587", "smtp+ssl://user:x@smtp.example.com", "smtp://mail:25"),
    ),
    "DEFAULT_FROM_EMAIL": Rule(
        dict.fromkeys(
            (
                None,
                "",
                "CRM",
                "CRM <no-reply>",
                "no-reply@localhost@example.com",
                "CRM <a@example.com>\nBcc: b@example.com",
            ),
            "DEFAULT_FROM_EMAIL is missing or no sender",
        ),
        ("CRM <no-reply@crm.example.com>", "no-reply@crm.example.com", "Zoë's CRM <no-reply@crm.example.com>"),
    ),
    "REGISTRATION": switch(),
    "RATE_LIMITS": switch("off", "passwords could be guessed without end"),
    "RATE_LIMIT_AUTH": number(),
    "RATE_LIMIT_GENERAL": number(),
    "RATE_LIMIT_BULK": number(),
    "RATE_LIMIT_ACCOUNT": number(),
    "RATE_LIMIT_PUBLIC": number(),
    "RATE_LIMIT_MAILS_ORGANIZATION": number(),
    "RATE_LIMIT_MAILS_UNPROVEN": number(),
    "RATE_LIMIT_MAILS_RECIPIENT": number(),
    "ADMIN_TOTP": Rule(dict.fromkeys(("on", "off", ""), "must be one of optional, required"), ("required", None)),
    "PASSWORD_HASHING_QUEUE": Rule(
        dict.fromkeys(("-1", "6", "many", ""), "must be a whole number from 0 to 5"), ("0", "5", None)
    ),
    "WEB_WORKERS": number(),
    "WEB_THREADS": Rule(dict.fromkeys(("0", "2", "many", ""), "must be a whole number from 3"), ("3", "64", None)),
    "WEB_QUEUE": number(),
    "WEB_BODY_SECONDS": number(),
    "WEB_READER_SECONDS": number(),
    "WEB_STOP_SECONDS": number(),
    "OUTBOUND_ALLOW_PRIVATE": switch("on", "would reach the private network"),
    "GOOGLE_CLIENT_ID": Rule({"id": "set both or neither"}, ("", None)),
    "GOOGLE_CLIENT_SECRET": Rule({"of google's": "set both or neither"}, ("", None)),
    "GOOGLE_AUTHORIZE_URL": GOOGLE_ADDRESS,
    "GOOGLE_TOKEN_URL": GOOGLE_ADDRESS,
    "GOOGLE_JWKS_URL": GOOGLE_ADDRESS,
    "GOOGLE_REDIRECT_URL": Rule(
        {
            "http://app.example.com/{shop}": UNENCRYPTED,
            "app.example.com/{shop}": "must be a web address",
            "": "must be a",
        },
        ("https://app.example.com/{shop}/google", None),
        GOOGLE,
    ),
    "LOG_LEVEL": Rule(dict.fromkeys(("", "debug", "ALL", "10"), "must be one of DEBUG"), ("DEBUG", "WARNING", None)),
    "SENTRY_DSN": Rule(
        {"http://key@sentry.example.com/1": UNENCRYPTED, "sentry": "must be a web address"},
        ("", "https://key@sentry.example.com/1", None),
    ),
}
