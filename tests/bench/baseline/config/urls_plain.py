"""Addresses of the baseline with Django's own admin."""

from agency.plain_admin import site
from django.urls import path

urlpatterns = [path("admin/", site.urls)]
