"""The app, and the admin site in Unfold's theme."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class AgencyConfig(AppConfig):
    name = "agency"
    verbose_name = "Wayfarer Group Travel"


class ThemedAdminConfig(AdminConfig):
    default_site = "unfold.sites.UnfoldAdminSite"
