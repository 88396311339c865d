"""Template filters of the engine's own pages."""

from __future__ import annotations

import json
from typing import Any

from django import template
from django.utils.html import escapejs
from django.utils.safestring import SafeString

from crm.blueprint.nodes import Entity
from crm.builders.cells import DISPLAY_FUNCTIONS

register = template.Library()


@register.filter
def tab_ids(tabs: list[dict[str, Any]]) -> SafeString:
    """Return the tabs' ids as a JavaScript list that may stand in a double-quoted attribute."""
    return SafeString(json.dumps([tab["id"] for tab in tabs]).replace('"', "'"))


@register.filter
def first_with_errors(tabs: list[dict[str, Any]]) -> str:
    """Return the id of the first tab where something must be mended, or nothing."""
    return escapejs(next((tab["id"] for tab in tabs if tab["errors"]), ""))


@register.filter
def is_number_of(name: str, entity: Entity | None) -> bool:
    """Return whether an input of a form, or a value shown in it, is a number of this entity and is set right."""
    field = next(
        (leaf for leaf in getattr(entity, "leaves", ()) if leaf.name == name.removeprefix(DISPLAY_FUNCTIONS)), None
    )
    return field is not None and field.type.align == "right"
