"""The settings: everything comes from the environment, and what is left out is safe.

docs/settings.md lists every variable.
"""

from __future__ import annotations

import gc
import os
import sys
from datetime import timedelta
from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static

from crm.business import applied_app, install_package, locate
from crm.hardening import GENERATE, make_private_file, make_private_folder, what_is_wrong_with_secret

COLLECTS_GARBAGE = gc.isenabled()
gc.disable()  # What is made until all apps are ready stays, and is a seventh faster unsearched; BusinessConfig ends it.
BASE_DIR = Path(__file__).resolve().parent.parent
DEMO_SECRET = "demo-secret-for-your-own-machine-only"


def flag(name: str, default: bool = False) -> bool:
    """Read a yes/no variable. Raises ImproperlyConfigured for any other word."""
    value = os.environ.get(name, "").strip().lower()
    if value in {"", "1", "true", "yes", "on", "0", "false", "no", "off"}:
        return default if not value else value in {"1", "true", "yes", "on"}
    raise ImproperlyConfigured(f"{name}={value}: use 1 or 0.")


def words(name: str) -> list[str]:
    """Read a variable that holds several words, separated by commas."""
    return [word.strip() for word in os.environ.get(name, "").split(",") if word.strip()]


def whole_number(name: str, default: int, least: int) -> int:
    """Read a variable that holds a whole number. Raises ImproperlyConfigured for anything else, or less."""
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    if not value.isdecimal() or len(value) > 9 or int(value) < least:
        raise ImproperlyConfigured(f"{name}={value}: use a whole number, {least} or more.")
    return int(value)


DEBUG = flag("DEBUG")
SECRET_KEY = os.environ.get("SECRET_KEY") or (DEMO_SECRET if DEBUG else "")
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY is not set. Set it, or DEBUG=1 to try things out on your own machine.")
if SECRET_KEY == DEMO_SECRET and not DEBUG:
    raise ImproperlyConfigured("SECRET_KEY is the demo's. Set a secret of your own for production.")
if not DEBUG and (weakness := what_is_wrong_with_secret(SECRET_KEY)):
    raise ImproperlyConfigured(f"SECRET_KEY is too weak: {weakness}. Make a new one: {GENERATE}")
ALLOWED_HOSTS = words("ALLOWED_HOSTS") or (["localhost", "127.0.0.1", "[::1]"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = words("CSRF_TRUSTED_ORIGINS")

try:
    BUSINESS_LOCATION = locate(os.environ.get("BUSINESS") or "travel", BASE_DIR / "definitions")
except ValueError as error:
    raise ImproperlyConfigured(str(error)) from None
SNAPSHOT = Path(os.environ["SNAPSHOT"]) if os.environ.get("SNAPSHOT") else None
RELEASING = sys.argv[1:2] in (["plan"], ["apply"])
"""Whether this process brings definitions into force, and so must start even where those in force are of no use."""
install_package(BUSINESS_LOCATION)
APPLIED_APP = applied_app(
    SNAPSHOT or BUSINESS_LOCATION.snapshot, SNAPSHOT.parent if SNAPSHOT else BUSINESS_LOCATION.folder
)

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "crm.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_filters",
    "simple_history",
    "phonenumber_field",
    "django_countries",
    "axes",
    "crm.apps.EngineConfig",
    "crm.apps.BusinessConfig",
]
MIDDLEWARE = [
    "crm.builders.content_security.ContentSecurityPolicyMiddleware",
    "crm.records.uploads.UploadMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "crm.builders.refusals.RefusalMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "crm.records.changes.ChangeMiddleware",
    "axes.middleware.AxesMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "crm/templates", *sorted((BASE_DIR / "crm/capabilities").glob("*/templates"))],
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
ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"

VAR_DIR = Path(os.environ.get("VAR_DIR") or BASE_DIR / "var")
"""What this machine keeps: the embedded database, uploads, collected static files."""
make_private_folder(VAR_DIR)
SQLITE = f"sqlite:///{VAR_DIR / f'{BUSINESS_LOCATION.label}.sqlite3'}"
DATABASES = {"default": dj_database_url.parse(os.environ.get("DATABASE_URL") or SQLITE, conn_max_age=60)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # WAL and immediate transactions: with SQLite's own defaults, concurrent saves fail with "database is locked".
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000;",
    }
    make_private_file(Path(DATABASES["default"]["NAME"]))
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if os.environ.get("REDIS_URL"):
    CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": os.environ["REDIS_URL"]}
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "crm.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_HANDLER = "crm.builders.sign_in.SignInHandler"
AXES_CLIENT_IP_CALLABLE = "crm.builders.sign_in.client_address"
AXES_LOCKOUT_CALLABLE = "crm.builders.sign_in.lockout_response"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(days=1)
"""For how long failed attempts count; how long the next one must wait, says crm/builders/sign_in.py."""
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_SENSITIVE_PARAMETERS = ["username"]  # People type passwords there; the address may be logged, for fail2ban.
AXES_ENABLE_ADMIN = False
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

LANGUAGE_CODE = "en-gb"
FORMAT_MODULE_PATH = "crm.builders.formats"
USE_I18N = True
USE_TZ = True
TIME_ZONE = APPLIED_APP.get("time_zone", "UTC")

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
MEDIA_ROOT = Path(os.environ.get("MEDIA_ROOT") or VAR_DIR / "files")
MEDIA_URL = "files/"
FILE_UPLOAD_PERMISSIONS, FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o600, 0o700
STATICFILES_DIRS = [BASE_DIR / "crm/static"]
STORAGES = {
    "default": {"BACKEND": "crm.records.uploads.TransactionalStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"
        if not DEBUG
        else "django.contrib.staticfiles.storage.StaticFilesStorage",
        "OPTIONS": {"file_permissions_mode": 0o644, "directory_permissions_mode": 0o755},
    },
}
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000

HTTPS = flag("HTTPS", default=not DEBUG)
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = flag("HSTS_SUBDOMAINS")
# Other names below the same domain are for their owner to promise HTTPS for: HSTS_SUBDOMAINS does. A link that may be
# unique is a link nevertheless, whether it is or not: W342 would have it be another field.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021", "fields.W342"]
SECURE_REFERRER_POLICY = "same-origin"
BEHIND_PROXY = flag("BEHIND_PROXY")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
PROXY_COUNT = whole_number("PROXY_COUNT", 1, least=1) if BEHIND_PROXY else 0
"""How many web servers stand in front, each of which appends to `X-Forwarded-For` whom it answers."""
SESSION_COOKIE_HTTPONLY = True

UNFOLD = {
    "SITE_URL": None,
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {"show_search": True},
    "SHOW_BACK_BUTTON": True,
    "STYLES": [lambda request: static("crm/crm.css")],
    "SCRIPTS": [lambda request: static("crm/crm.js")],
    "SITE_FAVICONS": [{"rel": "icon", "href": lambda request: static("crm/icon.svg"), "type": "image/svg+xml"}],
}
SIMPLE_HISTORY_DATE_INDEX = False
RELOAD_PID_FILE = os.environ.get("RELOAD_PID_FILE", "")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"crm": {"level": (os.environ.get("LOG_LEVEL") or "WARNING").upper()}},
}
