"""Bulk editing: one new value for a field of every ticked row, checked as the form would and kept in the history."""

from __future__ import annotations

from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.blueprint.nodes import Field
from crm.builders.record_form import reason_field
from crm.kernel.capability import BulkAction
from crm.records import access
from crm.records.batches import BATCH, joins_of_checks, write_what_can_be
from crm.records.changes import REASON
from crm.records.chunks import chunks
from crm.records.display import field_value
from crm.records.gate import check_each
from crm.records.intended_write import IntendedWrite, as_before
from crm.records.record import Record
from crm.records.stored import as_stored
from crm.records.writes import write_records

WAY_IN = "bulk edit"
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
    count = rows.count()
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Change %(count)s %(records)s") % {"count": count, "records": admin.definition.noun(count)},
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
    changed, refused = 0, list[str]()
    with transaction.atomic():
        keys = list(dict.fromkeys(rows.order_by("pk").values_list("pk", flat=True)))
        for batch in chunks(keys, BATCH):
            allowed, others = check_each(_intended(admin.model, batch, field, value, request.user))
            for write, refusals in others:
                refused.append(f"{write.before}: {' '.join(refusal.message for refusal in refusals)}")
            changed += write_what_can_be(allowed, partial(_save, admin.model, field), partial(_refuse, refused))
    if changed:
        words = {"field": field.full_label, "count": changed, "records": admin.definition.noun(changed)}
        messages.success(request, _("%(field)s of %(count)s %(records)s changed.") % words)
    if not changed and not refused:
        messages.info(request, _("They all had that value already."))
    if refused:
        shown = "; ".join(refused[:MAX_NAMED]) + (" …" if refused[MAX_NAMED:] else "")
        words = {"count": len(refused), "reasons": shown}
        messages.warning(request, _("%(count)s were left as they are: %(reasons)s") % words)


def _intended(model: type[Record], keys: list[Any], field: Field, value: Any, user: Any) -> list[IntendedWrite]:
    """Read a batch of records, locked, and return the writes that give them their new value.

    Tags and links are added to those there.
    """
    befores = list(as_stored(model, keys, user, joins_of_checks(model.definition)).values())
    if not field.type.many:
        writes = [IntendedWrite(as_before(record), record, user, WAY_IN) for record in befores]
        for write in writes:
            setattr(write.record, field.name, value)
        return writes
    models.prefetch_related_objects(befores, field.name)
    held = {record.pk: frozenset(target.pk for target in field_value(record, field)) for record in befores}
    new = {target.pk for target in value}
    return [
        IntendedWrite(as_before(record), record, user, WAY_IN, {field.name: held[record.pk] | new})
        for record in befores
        if not new <= held[record.pk]
    ]


def _refuse(refused: list[str], write: IntendedWrite, error: Exception) -> None:
    why = " ".join(getattr(error, "messages", [_("The value was taken meanwhile.")]))
    refused.append(f"{write.before}: {why}")


def _save(model: type[Record], field: Field, writes: list[IntendedWrite]) -> None:
    records = [write.record for write in writes]
    if field.type.many:
        targets = {index: write.links[field.name] for index, write in enumerate(writes)}
        write_records(model, updated=records, links={field.name: targets})
    elif records:
        write_records(model, updated=records, columns=[field.name])


EDIT_SELECTED = BulkAction(gettext_lazy("Change a field of the selected rows"), edit_selected)
