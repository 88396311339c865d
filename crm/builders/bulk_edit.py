"""Bulk editing: one new value for a field of every ticked row, checked as the form would and kept in the history."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from crm.builders.forms import reason_field
from crm.kernel.capability import BulkAction
from crm.records import access
from crm.records.changes import REASON
from crm.records.display import field_value
from crm.records.record import Record

MAX_NAMED = 5


def editable(admin: Any, user: Any) -> dict[str, str]:
    """Return the fields that the user can give one value for many rows: name → label."""
    asked = access.editable_fields(user, admin.definition, "change")
    leaves = [leaf for leaf in admin.definition.leaves if leaf.stored and not leaf.read_only and leaf.name in asked]
    fit = [leaf for leaf in leaves if not (getattr(leaf.options, "unique", False) or leaf.type.sets_on_save)]
    return {leaf.name: leaf.full_label for leaf in fit}


def edit_selected(admin: Any, request: HttpRequest, rows: models.QuerySet) -> HttpResponse | None:
    """Ask for a field and its new value, and write it to the ticked rows."""
    choices = editable(admin, request.user)
    name = request.POST.get("crm_field", "")
    form = _value_form(admin, request, name) if name in choices else None
    if form is not None and "crm_save" in request.POST and form.is_valid():
        return _write(admin, request, rows, name, form.cleaned_data[name])
    context = {
        **admin.admin_site.each_context(request),
        "title": f"Change {rows.count()} {admin.opts.verbose_name_plural.lower()}",
        "opts": admin.opts,
        "choices": choices,
        "name": name,
        "form": form,
        "selected": request.POST.getlist("_selected_action"),
        "across": request.POST.get("select_across", "0"),
        "media": admin.media + (form.media if form else forms.Media()),
    }
    return TemplateResponse(request, "crm/bulk_edit.html", context)


def _value_form(admin: Any, request: HttpRequest, name: str) -> forms.Form:
    made = admin.formfield_for_dbfield(admin.model._meta.get_field(name), request)
    inputs = {name: made, REASON: reason_field(admin.form.reason_required)}
    form_class = type("ValueForm", (forms.Form,), inputs)
    return form_class(request.POST, request.FILES) if "crm_save" in request.POST else form_class()


def _write(admin: Any, request: HttpRequest, rows: models.QuerySet, name: str, value: Any) -> None:
    field = admin.definition.find(name)
    changed, refused = 0, []
    with transaction.atomic():
        for record in rows.select_for_update(of=("self",)).iterator(chunk_size=500):
            try:
                changed += _set(record, field, value)
            except ValidationError as error:
                refused.append(f"{record}: {' '.join(error.messages)}")
    if changed:
        text = f"{field.label} of {changed} {admin.opts.verbose_name_plural.lower()} changed."
        messages.success(request, text)
    if not changed and not refused:
        messages.info(request, "They all had that value already.")
    if refused:
        shown = "; ".join(refused[:MAX_NAMED])
        messages.warning(request, f"{len(refused)} were left as they are: {shown}{' …' if refused[MAX_NAMED:] else ''}")


def _set(record: Record, field: Any, value: Any) -> bool:
    """Set one field of one record; tags and links are added to those there. Returns whether anything changed."""
    if field.type.many:
        before = {one.pk for one in field_value(record, field)}
        new = [one for one in value if one.pk not in before]
        if new:
            getattr(record, field.name).add(*new)
        return bool(new)
    before = getattr(record, field.name)
    if field.type.equals(before, value):
        return False
    setattr(record, field.name, value)
    record.clean_fields(exclude=[leaf.name for leaf in record.definition.leaves if leaf.name != field.name])
    record.clean()
    record.validate_unique()
    record.validate_constraints()
    record.save()
    return True


EDIT_SELECTED = BulkAction("Change a field of the selected rows", edit_selected)
