"""All settings, in sections. The only module that reads the environment; `.env.example` lists every variable."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.templatetags.static import static
from django.urls import reverse_lazy

from crm import production
from crm.environment import choice, env, header, number, parsed, service, switch
from crm.schedule import BEAT_SCHEDULE

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "1.0.0"


# --- Deployment -----------------------------------------------------------------------------------------------------

CRM_ENV = choice("CRM_ENV", ("production", "demo", "development", "test"), default="production")
IS_PRODUCTION = CRM_ENV == "production"
DEBUG = False
SECRET_KEY = env.str("SECRET_KEY", default="") or (
    "" if IS_PRODUCTION else "insecure-outside-production-only-0123456789"
)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if IS_PRODUCTION else ["localhost", "127.0.0.1", "testserver"])
PORT = number("PORT", default=8000, most=65535)
PUBLIC_URL = env.str("PUBLIC_URL", default="" if IS_PRODUCTION else f"http://localhost:{PORT}").rstrip("/")
FRONTEND_URL = env.str("FRONTEND_URL", default="" if IS_PRODUCTION else "http://localhost:3000").rstrip("/")
ALLOW_UNENCRYPTED = switch("ALLOW_UNENCRYPTED", default="off")
CRM_DATA_DIR = Path(env.str("CRM_DATA_DIR", default=str(BASE_DIR / ".data")))
TRUSTED_PROXIES = number("TRUSTED_PROXIES", default=0, least=0, most=20)
CLIENT_ADDRESS_HEADER = header("CLIENT_ADDRESS_HEADER")
REGISTRATION = switch("REGISTRATION", default="off" if IS_PRODUCTION else "on")
OUTBOUND_ALLOW_PRIVATE = switch("OUTBOUND_ALLOW_PRIVATE", default="off")

# --- Web server -----------------------------------------------------------------------------------------------------
# `python -m crm.server`. At most WEB_WORKERS * WEB_THREADS requests are worked on, each with a database connection.

WEB_WORKERS = number("WEB_WORKERS", default=2)
WEB_THREADS = number("WEB_THREADS", default=8, least=3)
WEB_QUEUE = number("WEB_QUEUE", default=256)
WEB_BODY_SECONDS = number("WEB_BODY_SECONDS", default=30)
WEB_BODY_MEMORY = 64 * 1024 * 1024  # of bodies larger than 64 KB, in each worker
WEB_READER_SECONDS = number("WEB_READER_SECONDS", default=60)
WEB_STOP_SECONDS = number("WEB_STOP_SECONDS", default=20)

# --- Application ----------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "accounts.admin_site.apps.BackOffice",  # django.contrib.admin with our site
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "crm.core",
    "crm.api",
    "crm.admin",
    "accounts",
    "contacts",
    "commerce",
    "sales",
    "reporting",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "crm.api.middleware.Cors",
    "crm.api.middleware.ApiMiddleware",  # API requests go no further down
    "crm.api.content_security.ContentSecurityPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "crm.admin.middleware.SessionLimits",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "crm.admin.middleware.OperatorScope",
]
ROOT_URLCONF = "crm.urls"
WSGI_APPLICATION = "crm.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = CRM_DATA_DIR / "static"
WHITENOISE_USE_FINDERS = not IS_PRODUCTION
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# --- Database -------------------------------------------------------------------------------------------------------
# `default` is the role crm_app: it owns nothing and is held by row-level security. `owner` owns the tables and serves
# `manage.py migrate` alone.

PREPARED_STATEMENTS = switch("PREPARED_STATEMENTS", default="on")  # off behind a pooler that hands out connections


def database(variable: str, fallback: str) -> dict[str, Any]:
    """Connection settings from a URL, on our back end, with deadlines on every statement and lock."""
    config = parsed(variable, service(variable, ("postgres", "postgresql"), default=fallback), env.db_url_config)
    config["ENGINE"] = "crm.core.db.backend"
    config["CONN_MAX_AGE"] = 600
    session = {
        "lock_timeout": 3000,
        "statement_timeout": 15000,
        "idle_in_transaction_session_timeout": 60000,
        # Only `crm.core.db.backend.pipeline` prepares, and planning anew for each value would cost more than running.
        "plan_cache_mode": "force_generic_plan",
    }
    options = {"connect_timeout": 2, "application_name": "crm"}
    options["options"] = " ".join(f"-c {name}={value}" for name, value in session.items())
    config.setdefault("OPTIONS", {}).update(options)
    return config


DATABASES = {
    "default": database("DATABASE_URL", "postgres://crm_app@127.0.0.1:5432/crm"),
    "owner": database("DATABASE_OWNER_URL", env.str("DATABASE_URL", default="postgres://crm_owner@127.0.0.1:5432/crm")),
}
# Migrations may take their time; a socket's directory stays with the connection.
DATABASES["owner"]["OPTIONS"] = {
    key: value for key, value in DATABASES["owner"]["OPTIONS"].items() if key in {"host", "connect_timeout"}
}
DATABASE_ROUTERS = ["crm.core.db.router.OneDatabase"]

# --- Redis, Celery --------------------------------------------------------------------------------------------------
# Redis is disposable: limits, wakeups and caches. What must not be lost is in PostgreSQL.

REDIS_URL = service("REDIS_URL", ("redis", "rediss", "unix"), default="redis://127.0.0.1:6379/1")
CELERY_BROKER_URL = service(
    "CELERY_BROKER_URL",
    ("redis", "rediss", "redis+socket", "sentinel", "amqp", "amqps"),
    default=REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host="),
)

CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 300
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
}

# --- Identity -------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.OperatorBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
# How many may wait while one password is hashed, in each process: two request threads stay free of them.
PASSWORD_HASHING_QUEUE = number("PASSWORD_HASHING_QUEUE", default=WEB_THREADS - 3, least=0, most=WEB_THREADS - 3)
PASSWORD_HASHING_SECONDS = 5  # the longest wait
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        ("UserAttributeSimilarityValidator", {"user_attributes": ("email", "first_name", "last_name")}),
        ("MinimumLengthValidator", {"min_length": 8}),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
    )
]
# Modules that check sessions (`enter`, `enter_read_only`) and find shops (`find_shop`) for `crm.api`.
SESSION_BACKEND = "accounts.services.sessions"
SHOP_BACKEND = "accounts.services.shops"
# The module that keeps the contacts which stand for shoppers.
SHOPPER_BACKEND = "contacts.services.shoppers"
# Modules that invent each app's part of the demo (`contacts.demo.chapters.Chapter`), in this order.
DEMO_CHAPTERS = ("contacts.demo.chapter", "commerce.demo.chapter", "sales.demo.chapter")
# Who acts on what an app below does (`crm.core.subscribers`).
SUBSCRIBERS: dict[str, dict[str, tuple[str, ...]]] = {
    "in_transaction": {
        # (owner's actor)
        "create_organization": ("commerce.services.shop_config.set_up", "sales.services.pipelines.set_up"),
        # (actor, id of the contact that goes, id of the one that stays)
        "merge_contacts": (
            "sales.services.associations.reassign_contact",
            "commerce.services.customers.reassign_orders",
        ),
        # (actor, contact_id= or company_id=)
        "rename_party": ("sales.services.search_index.reindex",),
    },
    "after_commit": {
        "user.updated": ("sales.clock",),
        "organization.updated": ("sales.clock",),
    },
}
OUTBOX_HANDLERS = {
    "mail.invitation": "accounts.mails.send_invitation",
    "mail.verify_email": "accounts.mails.send_verification",
    "mail.reset_password": "accounts.mails.send_reset",
    "mail.account_notice": "accounts.mails.send_notice",
    "mail.daily_reminder": "sales.mails.send_daily_reminder",
    "sales.clock": "sales.services.schedule.follow_clock",
}
SESSION_LIFETIME = timedelta(days=30)
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": SECRET_KEY,
    "ISSUER": "crm",
    "AUDIENCE": "crm-api",
    "USER_ID_CLAIM": "sub",
    "LEEWAY": 0,
}
GOOGLE = {
    "client_id": env.str("GOOGLE_CLIENT_ID", default=""),
    "client_secret": env.str("GOOGLE_CLIENT_SECRET", default=""),
    "authorize_url": env.str("GOOGLE_AUTHORIZE_URL", default="https://accounts.google.com/o/oauth2/v2/auth"),
    "token_url": env.str("GOOGLE_TOKEN_URL", default="https://oauth2.googleapis.com/token"),
    "jwks_url": env.str("GOOGLE_JWKS_URL", default="https://www.googleapis.com/oauth2/v3/certs"),
    # Where Google sends the browser back to: the shop's own front end, or the API itself. {shop} is the slug.
    "redirect_url": env.str("GOOGLE_REDIRECT_URL", default=f"{PUBLIC_URL}/shop/{{shop}}/api/v1/auth/google/callback"),
    "issuers": ("https://accounts.google.com", "accounts.google.com"),
}

# --- API ------------------------------------------------------------------------------------------------------------

SURFACE_APPS = ("accounts", "contacts", "commerce", "sales", "reporting")
REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "crm.api.schema.SurfaceSchema",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
    "COERCE_DECIMAL_TO_STRING": False,
}
SPECTACULAR_SETTINGS = {
    "VERSION": VERSION,
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_COERCE_PATH_PK_SUFFIX": True,
    "POSTPROCESSING_HOOKS": [],
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
RATE_LIMITS = switch("RATE_LIMITS", default="on")
RATE_LIMIT_AUTH = (number("RATE_LIMIT_AUTH", default=5), 300)
# Failed sign-ins of one account, from all addresses it has not been used from lately.
RATE_LIMIT_ACCOUNT = (number("RATE_LIMIT_ACCOUNT", default=10), 900)
# What anybody may start, and what is refused to them, by one client address: sign-ins at Google, refresh tokens.
RATE_LIMIT_PUBLIC = (number("RATE_LIMIT_PUBLIC", default=30), 300)
RATE_LIMIT_GENERAL = (number("RATE_LIMIT_GENERAL", default=100), 3600)
RATE_LIMIT_BULK = (number("RATE_LIMIT_BULK", default=10), 60)
# Mails that somebody asked for: by organization and day, also while no owner has proven their address; by recipient.
RATE_LIMIT_MAILS_ORGANIZATION = (number("RATE_LIMIT_MAILS_ORGANIZATION", default=500), 86_400)
RATE_LIMIT_MAILS_UNPROVEN = (number("RATE_LIMIT_MAILS_UNPROVEN", default=50), 86_400)
RATE_LIMIT_MAILS_RECIPIENT = (number("RATE_LIMIT_MAILS_RECIPIENT", default=10), 3600)
# An origin is scheme, host and port; the front end itself may lie below a path.
_FRONTEND = urlsplit(FRONTEND_URL)
CORS_ALLOWED_ORIGINS = env.list(
    "CORS_ALLOWED_ORIGINS", default=[f"{_FRONTEND.scheme}://{_FRONTEND.netloc}"] if _FRONTEND.netloc else []
)
CORS_EXPOSE_HEADERS = ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After"]
CORS_ALLOW_HEADERS = ["authorization", "content-type", "idempotency-key", "accept"]

# --- Mail -----------------------------------------------------------------------------------------------------------

EMAIL_URL = env.str("EMAIL_URL", default="dummymail://" if IS_PRODUCTION else f"filemail:///{CRM_DATA_DIR / 'mail'}")
EMAIL_CONFIG = parsed("EMAIL_URL", EMAIL_URL, env.email_url_config)
vars().update({key: value for key, value in EMAIL_CONFIG.items() if key.startswith("EMAIL_")})
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="" if IS_PRODUCTION else "CRM <no-reply@localhost>")

# --- Back office ----------------------------------------------------------------------------------------------------

UNFOLD = {
    "SITE_TITLE": "CRM back office",
    "SITE_HEADER": "CRM back office",
    "SITE_SYMBOL": "storefront",
    "ACCOUNT": {
        "navigation": [
            {"title": "Change password", "link": reverse_lazy("admin:password_change")},
            {"title": "Two-factor authentication", "link": reverse_lazy("admin:two_factor")},
        ]
    },
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _: static("core/favicon.svg")}],
}
ADMIN_TOTP = choice("ADMIN_TOTP", ("optional", "required"), default="optional")
ADMIN_SESSION_AGE = timedelta(hours=12)
ADMIN_SESSION_IDLE = timedelta(hours=2)
SESSION_COOKIE_AGE = int(ADMIN_SESSION_AGE.total_seconds())
# An e-mail address is unique within its organization; operators, who alone sign in to the admin, have their own.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]

# --- Security headers -----------------------------------------------------------------------------------------------

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
if PUBLIC_URL.startswith("https://"):
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 31536000
    CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
    if TRUSTED_PROXIES or CLIENT_ADDRESS_HEADER:
        # TLS ends at the proxy, which alone knows how the client came. Without a proxy nothing may claim to know.
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
        SECURE_SSL_REDIRECT = True
        # What load balancers ask, from within and without TLS.
        SECURE_REDIRECT_EXEMPT = [r"^health$", r"^api/v1/(ping|health)$", r"^shop/[^/]+/api/v1/health$"]

# --- Logs and errors ------------------------------------------------------------------------------------------------

LOG_LEVEL = choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "crm.core.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django.security": {"level": "ERROR"},
    },
}
SENTRY_DSN = env.str("SENTRY_DSN", default="")

if IS_PRODUCTION:
    production.refuse_unsafe(globals())
if SENTRY_DSN:
    import sentry_sdk

    sentry_sdk.init(SENTRY_DSN, release=VERSION, environment=CRM_ENV, send_default_pii=False)
