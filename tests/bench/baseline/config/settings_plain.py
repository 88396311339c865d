"""The same project with Django's own admin: no Unfold, no filters of Unfold's, the same tables."""

from __future__ import annotations

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS as THEMED_APPS

ADMINS = {"agency.apps.ThemedAdminConfig": "django.contrib.admin.apps.SimpleAdminConfig"}
INSTALLED_APPS = [ADMINS.get(one, one) for one in THEMED_APPS if not one.startswith("unfold")]
ROOT_URLCONF = "config.urls_plain"
