"""Template filters of the engine's own pages."""

from __future__ import annotations

import json
from typing import Any

from django import template
from django.utils.html import escapejs
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def tab_ids(tabs: list[dict[str, Any]]) -> SafeString:
    """Return the tabs' ids as a JavaScript list that may stand in a double-quoted attribute."""
    return SafeString(json.dumps([tab["id"] for tab in tabs]).replace('"', "'"))


@register.filter
def first_with_errors(tabs: list[dict[str, Any]]) -> str:
    """Return the id of the first tab where something must be mended, or nothing."""
    return escapejs(next((tab["id"] for tab in tabs if tab["errors"]), ""))
