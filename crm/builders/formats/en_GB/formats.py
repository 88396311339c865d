"""How forms, filters and calendars take and show days: as the region of the business writes them.

Django asks this module by FORMAT_MODULE_PATH, whatever it does not have, its own.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings

from crm.fields.notation import date_input_formats


def __getattr__(name: str) -> Any:
    if name != "DATE_INPUT_FORMATS":
        raise AttributeError(name)
    return date_input_formats(apps.get_app_config(settings.BUSINESS_LOCATION.label).business)
