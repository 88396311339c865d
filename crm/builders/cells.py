"""The cells of a list: one callable for each column, made once and called for every row."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy

from crm.blueprint.nodes import Entity, Field
from crm.builders.ordering import order_of
from crm.records import access
from crm.records.display import field_value, is_empty

GIVEN_LATER = gettext_lazy("Given when saved")
DASH = mark_safe('<span class="crm-empty" aria-label="empty">–</span>')


def make_cell(entity: Entity, path: str) -> Callable[[models.Model], Any]:
    """Return the function that Django's list calls for the column of a path."""
    if path == "id":
        return _described(lambda record: record.pk, Heading("ID"), "id", "id")
    chain = entity.follow(path)
    end, steps = chain[-1], [step.name for step in chain[:-1] if not step.parts]

    def cell(record: models.Model) -> Any:
        for step in steps:
            record = getattr(record, step)
            if record is None or access.is_hidden(record):
                return dash(end)
        return show(record, end, CELL)

    label = end.distinct_label if len(chain) == 1 or end.whole else f"{chain[-2].label}: {end.label.lower()}"
    order = order_of(chain) if end.type.sortable and not any(step.type.many for step in chain) else None
    return _described(cell, Heading(label, end.type.align == "right"), order, path.replace(".", "_"))


@dataclass(frozen=True)
class Heading:
    """The heading of a column, and whether it stands at the right, above numbers."""

    label: str
    is_number: bool = False


def _described(cell: Callable, heading: Heading, order: Any, name: str) -> Callable:
    cell.heading = heading  # type: ignore[attr-defined]
    cell.short_description = heading.label  # type: ignore[attr-defined]
    cell.admin_order_field = order  # type: ignore[attr-defined]
    # The name becomes a class of the column's heading, by which crm.css sets the heading right, above its numbers.
    cell.__name__ = f"cell_{name}{'__number' if heading.is_number else ''}"
    return cell


SWATCH = '<svg class="crm-swatch" viewBox="0 0 1 1" aria-hidden="true"><rect width="1" height="1" fill="{}"/></svg> {}'
CELL = 120
"""The most letters that a cell of a list shows."""
SIGNS = re.compile(r"(?<=[@/])")
"""Where an address may be broken into lines."""


def show(record: models.Model, field: Field, most: int = 0) -> Any:
    """Return a field's value as HTML: text (cut after `most` letters), a label, a tick, a number set right."""
    value = field_value(record, field) if access.viewer_can_view_field(field) else None
    kind = field.type
    if is_empty(value):
        return dash(field)
    badges = kind.badges(value, field)
    if badges:
        return SafeString(" ".join(badge(text, color) for text, color in badges))
    text = kind.display(value, field)
    ticked = kind.icon(value, field)
    if ticked is not None:
        return _icon(ticked, text)
    swatch = kind.picture(value, field)
    if swatch:
        return format_html(SWATCH, swatch, text)
    if kind.align == "right":
        return format_html('<span class="crm-number">{}</span>', text)
    if not most:
        return text
    if not kind.breaks:
        return format_html('<span class="crm-line">{}</span>', text)
    return _breakable(f"{text[: most - 1].rstrip()}…" if len(text) > most else text)


def dash(field: Field) -> SafeString:
    """Return what stands where there is no value: at the right in a column of numbers, as these do."""
    return format_html('<span class="crm-number">{}</span>', DASH) if field.type.align == "right" else DASH


def _breakable(text: str) -> SafeString:
    return format_html_join(mark_safe("<wbr>"), "{}", ([part] for part in SIGNS.split(text)))


def badge(text: str, color: str) -> SafeString:
    """Return text as a coloured label."""
    return format_html('<span class="crm-badge crm-{}">{}</span>', color, text)


def _icon(ticked: bool, text: str) -> SafeString:
    name, tone = ("check_circle", "green") if ticked else ("remove", "gray")
    return format_html(
        '<span class="material-symbols-outlined crm-tone-{}" aria-hidden="true">{}</span>'
        '<span class="sr-only">{}</span>',
        tone,
        name,
        text,
    )


DISPLAY_FUNCTIONS = "shown_"
"""What the name of a field is led by where its value is shown in a form instead of its input."""


def make_shown(leaf: Field) -> Callable[[Any, models.Model], Any]:
    """Return the method of an admin class that shows a field's value in a form, as the list does; links lead on."""

    def shown(admin: Any, record: models.Model) -> Any:
        target = getattr(record, leaf.name) if leaf.target is not None and not leaf.type.many else None
        if target is None:
            value = field_value(record, leaf)
            if is_empty(value) and leaf.type.sets_on_save and record._state.adding:
                return format_html('<span class="crm-empty">{}</span>', GIVEN_LATER)
            address = "" if is_empty(value) else leaf.type.address(value, leaf)
            text = show(record, leaf)
            if leaf.computed is not None:  # The form's script writes here what the value would be.
                return format_html('<span data-shown="{}">{}</span>', leaf.name, text)
            return format_html('<a class="crm-link" href="{}">{}</a>', address, text) if address else text
        if access.is_hidden(target):
            return str(target)
        name = f"admin:{target._meta.app_label}_{target._meta.model_name}_change"
        return format_html('<a class="crm-link" href="{}">{}</a>', reverse(name, args=[target.pk]), target)

    shown.short_description = leaf.distinct_label  # type: ignore[attr-defined]
    return shown


def shown_instead(fieldsets: Any, names: Any) -> tuple:
    """Return fieldsets in which the named fields are shown instead of asked for."""
    return tuple((heading, {**rest, "fields": _instead(rest["fields"], set(names))}) for heading, rest in fieldsets)


def _instead(lines: Any, names: set[str]) -> tuple:
    return tuple(
        _instead(line, names)
        if isinstance(line, tuple | list)
        else f"{DISPLAY_FUNCTIONS}{line}"
        if line in names
        else line
        for line in lines
    )
