"""The tabs of a record's form: its fields, its rows, and the panels that are read when they are opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib.admin.utils import flatten
from django.http import HttpRequest
from django.utils.text import slugify

from crm.blueprint.layout import Tab
from crm.builders.panel_page import is_panel_open
from crm.kernel.contributions import Kind


def shown_tabs(admin: Any, request: HttpRequest, context: Mapping[str, Any], record: Any) -> Iterator[dict[str, Any]]:
    """Yield the tabs that hold anything: name, word in the address, parts, number of errors, address of a panel."""
    fieldsets = {fieldset.name: fieldset for fieldset in context["adminform"]}
    if None in fieldsets:  # the short form, whose fields stand below no heading
        parts = [{"heading": "", "fieldset": fieldsets[None]}]
        yield {"name": admin.definition.label, "id": "quick", "parts": parts, "errors": 0}
        return
    inlines = {inline.opts.table.name: inline for inline in context["inline_admin_formsets"]}
    panels = admin.contributions.by_kind(Kind.PANEL)
    taken: set[str] = set()
    for number, tab in enumerate(admin.tabs, 1):
        word = slugify(tab.name)
        word = word if word and word not in taken else f"tab-{number}"
        taken.add(word)
        parts = list(_parts(tab, fieldsets, inlines))
        shown = {"name": tab.name, "id": word, "parts": parts, "errors": sum(map(_count_errors, parts))}
        panel = tab.related or tab.panel
        if record is not None and is_panel_open(panels.get(panel), request.user, record):
            shown["panel_url"] = admin.url("panel", record.pk, panel)
        if parts or "panel_url" in shown:
            yield shown


def _parts(tab: Tab, fieldsets: Mapping[str, Any], inlines: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the fields of each heading of a tab, and the rows that stand there."""
    for part, heading, lines in tab.parts:
        fieldset = fieldsets.get(part)
        if fieldset is not None:
            yield {"heading": heading, "fieldset": fieldset}
        for name in (name for line in lines for name in line if name in inlines):
            yield {"heading": heading, "inline": inlines[name]}


def _count_errors(part: Mapping[str, Any]) -> int:
    if "fieldset" in part:
        return sum(name in part["fieldset"].form.errors for name in flatten(part["fieldset"].fields))
    formset = part["inline"].formset
    return sum(len(errors) for errors in formset.errors) + len(formset.non_form_errors()) if formset.is_bound else 0
