"""Bulk editing: one new value for a field of every ticked row, checked as the form would and kept in the history."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from crm.blueprint.nodes import Field
from crm.builders.forms import reason_field
from crm.kernel.capability import BulkAction
from crm.records import access
from crm.records.batches import BATCH, joins_of_checks, write_what_can_be
from crm.records.changes import REASON
from crm.records.display import field_value
from crm.records.record import Record
from crm.records.row_limits import tables_with_limit
from crm.records.rules import READ_ONLY_MESSAGE, broken_rules, read_only_changes, reset_hidden_fields
from crm.records.soft_delete import not_deleted
from crm.records.writes import write_records

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
    changed, refused = 0, list[str]()
    with transaction.atomic():
        keys = list(dict.fromkeys(rows.order_by("pk").values_list("pk", flat=True)))
        for start in range(0, len(keys), BATCH):
            writes = _intended(admin.model, keys[start : start + BATCH], field, value)
            allowed = list(_allowed(writes, field, refused))
            changed += write_what_can_be(allowed, partial(_save, admin.model, field), partial(_refuse, refused))
    if changed:
        text = f"{field.label} of {changed} {admin.opts.verbose_name_plural.lower()} changed."
        messages.success(request, text)
    if not changed and not refused:
        messages.info(request, "They all had that value already.")
    if refused:
        shown = "; ".join(refused[:MAX_NAMED])
        messages.warning(request, f"{len(refused)} were left as they are: {shown}{' …' if refused[MAX_NAMED:] else ''}")


@dataclass
class _Write:
    """One record of a batch: as it will be, as it was, and the new targets of a field that links to several."""

    record: Record
    before: Record
    targets: frozenset[Any] = frozenset()


def _intended(model: type[Record], keys: list[Any], field: Field, value: Any) -> list[_Write]:
    """Read a batch of records, locked, and set their new value; those that have it already are left out."""
    entity = model.definition
    joins, rows = joins_of_checks(entity), model._default_manager.filter(pk__in=keys).order_by("pk")
    records = list((rows.select_related(*joins) if joins else rows).select_for_update(of=("self",)))
    if field.type.many:
        models.prefetch_related_objects(records, field.name)
        held = {record.pk: frozenset(one.pk for one in field_value(record, field)) for record in records}
        new = {one.pk for one in value}
        return [_Write(one, one, held[one.pk] | new) for one in records if not new <= held[one.pk]]
    writes = [_Write(one, copy(one)) for one in records if not field.type.equals(getattr(one, field.name), value)]
    for write in writes:
        setattr(write.record, field.name, value)
    return writes


def _allowed(writes: list[_Write], field: Field, refused: list[str]) -> Iterator[_Write]:
    """Yield the writes that rules, access and uniqueness allow; put the others down with the reason."""
    taken, crowded = _taken(writes, field), _crowded(writes, field)
    for write in writes:
        complaints = [*_complaints(write, field), *taken(write.record), *crowded(write.record)]
        if complaints:
            refused.append(f"{write.record}: {' '.join(complaints)}")
        elif field.type.many or not field.type.equals(
            getattr(write.before, field.name), getattr(write.record, field.name)
        ):
            yield write


def _complaints(write: _Write, field: Field) -> Iterator[str]:
    record = write.record
    try:
        if not field.type.many:
            record.clean_fields(
                exclude=[one.name for one in record._meta.fields if one.name != field.name or one.remote_field]
            )
        access.check_access(record)
    except ValidationError as error:
        yield from error.messages
    if not field.type.many:
        reset_hidden_fields(record, write.before)
        yield from (message for _, message in broken_rules(record))
        yield from (READ_ONLY_MESSAGE for _ in read_only_changes(record, write.before))


def _crowded(writes: list[_Write], field: Field) -> Callable[[Record], Iterator[str]]:
    """Return what says that a record has more rows than its new value allows: counted once for the batch."""
    model = type(writes[0].record) if writes else None
    tables = [one for one in tables_with_limit(field.entity) if model and one.options.rows == field.name]
    held: dict[Field, dict[Any, int]] = {}
    for table in tables:
        child, link = apps.get_model(table.business.label, table.target.class_name), field.entity.name
        rows = not_deleted(child).filter(**{f"{link}__in": [write.record.pk for write in writes]}).order_by()
        held[table] = dict(rows.values_list(link).annotate(count=models.Count("pk")))

    def crowded(record: Record) -> Iterator[str]:
        most = getattr(record, field.name)
        for table, counts in held.items():
            if most is not None and counts.get(record.pk, 0) > most:
                yield f"There are {counts[record.pk]} {table.label.lower()} already."

    return crowded


def _taken(writes: list[_Write], field: Field) -> Callable[[Record], Iterator[str]]:
    """Return what says that a record's new value belongs to another one: asked once for the batch."""
    model = type(writes[0].record) if writes else None
    constraints = model._meta.constraints if model and not field.type.many else ()
    groups = [
        one.fields for one in constraints if isinstance(one, models.UniqueConstraint) and field.name in one.fields
    ]
    held: dict[tuple[str, ...], dict[tuple, Any]] = {}
    for group in groups:
        names = [model._meta.get_field(name).attname for name in group]
        values = {name: {getattr(write.record, name) for write in writes} for name in names}
        rows = not_deleted(model).filter(**{f"{name}__in": found for name, found in values.items()})
        held[group] = {tuple(value): pk for pk, *value in rows.values_list("pk", *names)}

    def taken(record: Record) -> Iterator[str]:
        for group in groups:
            value = tuple(getattr(record, model._meta.get_field(name).attname) for name in group)
            if None not in value and held[group].setdefault(value, record.pk) != record.pk:
                yield from record.unique_error_message(model, group).messages

    return taken


def _refuse(refused: list[str], write: _Write, error: Exception) -> None:
    said = " ".join(getattr(error, "messages", ["The value was taken meanwhile."]))
    refused.append(f"{write.record}: {said}")


def _save(model: type[Record], field: Field, writes: list[_Write]) -> None:
    records = [write.record for write in writes]
    if field.type.many:
        targets = {index: write.targets for index, write in enumerate(writes)}
        write_records(model, updated=records, links={field.name: targets})
    elif records:
        write_records(model, updated=records, columns=[field.name])


EDIT_SELECTED = BulkAction("Change a field of the selected rows", edit_selected)
