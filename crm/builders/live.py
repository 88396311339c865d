"""What changes in a form while it is filled in: computed values, and which fields are asked for or required."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.admin.utils import unquote
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponseNotAllowed, JsonResponse

from crm.blueprint.nodes import Entity
from crm.builders.record_form import VERSION_TOKEN
from crm.expressions.evaluate import EvalContext, holds
from crm.records.access import viewer_can_view_field
from crm.records.computed import compute, set_generated_values
from crm.records.dependencies import computing_order
from crm.records.display import display
from crm.records.intended_write import as_before
from crm.records.rules import is_shown, reset_hidden_fields


def has_live_parts(entity: Entity) -> bool:
    """Say whether anything in the entity's form depends on what else is in it."""
    return bool(entity.computed or entity.rules.showing)


def live_state(record: Any, rows: Mapping[str, Sequence[Any]] | None = None) -> dict[str, Any]:
    """Return what a form shows for a record at hand, with the rows that it holds unsaved, by table field.

    `hidden` and `required` are names of fields, `values` the computed ones as people read them.
    """
    entity, values = record.definition, {}
    scope = EvalContext(record, rows=rows or {})
    for leaf in computing_order(entity) if rows is not None else ():
        value = compute(record, leaf, scope)
        if leaf.stored:
            setattr(record, leaf.name, value)
        else:
            record.__dict__[f"_live_{leaf.name}"] = value
        if viewer_can_view_field(leaf):
            values[leaf.name] = display(record, leaf)
    showing = {name: one for name, one in entity.rules.showing.items() if viewer_can_view_field(entity.fields[name])}
    return {
        "hidden": [name for name, one in showing.items() if not is_shown(record, one)],
        "required": [name for name, one in showing.items() if one.required_if and holds(one.required_if, scope)],
        "conditional": list(showing),
        "values": values,
    }


def live_page(admin: Any, request: HttpRequest, object_id: str = "") -> Any:
    """Answer what a form would show with what was typed so far; nothing is saved, not even a tag that was made up."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    with transaction.atomic():
        state = _state_of(admin, request, object_id)
        transaction.set_rollback(True)
    return JsonResponse(state)


def _state_of(admin: Any, request: HttpRequest, object_id: str) -> dict[str, Any]:
    record = admin.get_object(request, unquote(object_id)) if object_id else None
    if object_id and record is None:
        raise Http404
    typed = request.POST.copy()
    typed.pop(VERSION_TOKEN, None)  # whoever saved meanwhile is told when this is saved
    before = as_before(record) if record is not None else None
    form = admin.get_form(request, record, change=record is not None)(typed, instance=record)
    form.way_in = None
    form.full_clean()
    reset_hidden_fields(form.instance, before)
    formsets, _ = admin._create_formsets(request, form.instance, change=record is not None)
    rows = {}
    for formset in formsets:
        kept = [row_form for row_form in formset.forms if row_form.has_changed() or row_form.instance.pk]
        for row_form in kept:
            row_form.full_clean()
            set_generated_values(row_form.instance)
        rows[formset.table] = [row_form.instance for row_form in kept if not formset._should_delete_form(row_form)]
        rows[formset.table] += formset.rows_on_other_pages
    return live_state(form.instance, rows)
