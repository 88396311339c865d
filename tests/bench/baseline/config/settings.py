"""Settings of the baseline: what `project/settings.py` has, written for one project by hand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import dj_database_url
from django.urls import reverse_lazy


def _link(title: str, icon: str) -> dict[str, Any]:
    """Return an entry of the sidebar: a model's list."""
    name = f"admin:agency_{title[:-1].lower()}_changelist"
    return {"title": title, "icon": icon, "link": reverse_lazy(name)}


VAR_DIR = Path(os.environ["VAR_DIR"])
SECRET_KEY = os.environ["SECRET_KEY"]
DEBUG = False
ALLOWED_HOSTS = ["testserver"]

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "agency.apps.ThemedAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "import_export",
    "simple_history",
    "phonenumber_field",
    "django_countries",
    "agency.apps.AgencyConfig",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).resolve().parents[1] / "templates"],
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
ROOT_URLCONF = "config.urls"

DATABASES = {
    "default": dj_database_url.parse(
        os.environ.get("DATABASE_URL") or f"sqlite:///{VAR_DIR / 'agency.sqlite3'}", conn_max_age=60
    )
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32000;",
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "agency.User"
LANGUAGE_CODE = "en-gb"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Europe/London"
PHONENUMBER_DEFAULT_REGION = "GB"

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
MEDIA_ROOT = VAR_DIR / "files"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "SAMEORIGIN"
SIMPLE_HISTORY_DATE_INDEX = False
UNFOLD = {
    "SITE_TITLE": "Wayfarer Group Travel",
    "SITE_HEADER": "Wayfarer Group Travel",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "DASHBOARD_CALLBACK": "agency.dashboard.fill_dashboard",
    "SIDEBAR": {
        "show_search": True,
        "navigation": [
            {"title": "Selling", "items": [_link("Customers", "groups"), _link("Bookings", "luggage")]},
            {"title": "Trips", "items": [_link("Trips", "travel_explore")]},
            {"title": "Money", "items": [_link("Invoices", "receipt_long")]},
            {"title": "Office", "items": [_link("Tasks", "task_alt")]},
            {"title": "Administration", "items": [_link("Users", "person"), _link("Tags", "sell")]},
        ],
    },
}
