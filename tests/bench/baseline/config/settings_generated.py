"""For the section `plan`: the generated models of the package `generated` in place of the agency's."""

from __future__ import annotations

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS as AGENCY_APPS

INSTALLED_APPS = [one for one in AGENCY_APPS if one != "agency.apps.AgencyConfig"] + ["generated"]
AUTH_USER_MODEL = "auth.User"
