"""Validates the rows of a file before they are written: uniqueness, rules, and access."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError

from crm.capabilities.transfer.columns import Column
from crm.capabilities.transfer.keys import chunks, hashable, key_fields
from crm.capabilities.transfer.preparation import NEW, NOT_YOURS, UPDATED, ImportPlan, NewRow, RowResult, stored_records
from crm.kernel.events import guarded_value_given
from crm.records import access
from crm.records.identity import compared_column, is_unique, key_columns, set_keys
from crm.records.record import Record
from crm.records.rules import NOT_ASKED_MESSAGE, READ_ONLY_MESSAGE, broken_rules, is_shown, read_only_changes
from crm.records.soft_delete import not_deleted

CLOSED = "is not yours to {verb}."


def check_unique(found: ImportPlan) -> None:
    """Find values that must be unique and are taken, in the file or in the database."""
    if key_columns(found.model):
        for row in found.rows:
            if row.record is not None:
                set_keys(row.record)
    keys = {one.name for one in key_fields(found.entity)}
    for column in found.columns:
        leaf = column.field
        if leaf is None or leaf.type.many or not is_unique(found.model, leaf.name):
            continue
        if keys == {leaf.name}:
            continue
        _check_values(found, column, [leaf.name])
    names = {column.field.name: column for column in found.columns if column.field}
    for group in found.entity.section.unique:
        if set(group) <= set(names) and set(group) != keys:
            _check_values(found, names[group[0]], group)


def _check_values(found: ImportPlan, column: Column, names: list[str]) -> None:
    attributes = [found.model._meta.get_field(compared_column(found.model, name)).attname for name in names]
    touched = [
        row for row in found.rows if row.record is not None and (row.status == NEW or set(names) & set(row.changes))
    ]
    by_value: dict[tuple, list[RowResult]] = {}
    for row in touched:
        value = tuple(
            row.row_links.get(name) or getattr(row.record, attribute)
            for name, attribute in zip(names, attributes, strict=True)
        )
        if all(part not in (None, "") for part in value):
            by_value.setdefault(hashable(value), []).append(row)
    changing = {row.record.pk for row in touched if row.record.pk}
    stored = [value[0] for value in by_value if not any(isinstance(part, NewRow) for part in value)]
    for some in chunks(stored):
        rows = not_deleted(found.model).filter(**{f"{attributes[0]}__in": some})
        for pk, *value in rows.values_list("pk", *attributes):
            holders = by_value.get(hashable(tuple(value)), [])
            for row in holders:
                if row.record.pk != pk and pk not in changing:
                    what = _shown(found, names, row.record)
                    row.errors.append((column.heading, f"{what} belongs to another record."))
    for rows_of_value in by_value.values():
        for row in rows_of_value[1:]:
            row.errors.append((column.heading, f"is the same as in row {rows_of_value[0].number}."))


def _shown(found: ImportPlan, names: list[str], record: Record) -> str:
    """Return what is taken as people read it: the value, or of several fields and of links their labels."""
    leaves = [found.entity.find(name) for name in names]
    if len(leaves) == 1 and leaves[0].type.reference(leaves[0]) is None:
        return leaves[0].type.display(getattr(record, leaves[0].name), leaves[0])
    return f"this {' and '.join(leaf.label.lower() for leaf in leaves)}"


def check_rules(found: ImportPlan) -> None:
    """Hold new and changed records against the rules, as far as records that are not written yet can be."""
    rules = found.entity.rules
    if not rules.checks and not rules.showing and not found.entity.guarded:
        return
    headings = {column.field.name: column.heading for column in found.columns if column.field}
    written = [row for row in found.rows if row.record is not None and not row.errors and row.status in (NEW, UPDATED)]
    _read_targets(found, [row.record for row in written])
    before = found.model._base_manager.in_bulk([row.record.pk for row in written if row.record.pk])
    for row in written:
        old = before.get(row.record.pk)
        for rule, message in broken_rules(row.record):
            row.errors.append((headings.get(rule.field, rule.field), message))
        hidden = [
            name
            for name, one in rules.showing.items()
            if (name in row.changes if old else _is_filled(row, name)) and not is_shown(row.record, one)
        ]
        row.errors += [(headings[name], NOT_ASKED_MESSAGE) for name in hidden]
        closed = read_only_changes(row.record, old) if old else []
        row.errors += [(headings[name], READ_ONLY_MESSAGE) for name in closed if name not in hidden]
    _check_guarded(found, headings, [row for row in written if row.status == NEW])


def _check_guarded(found: ImportPlan, headings: dict[str, str], new: list[RowResult]) -> None:
    """Ask whether somebody may bring along what new records' guarded fields are to begin with."""
    known: dict[tuple[str, Any], list[str]] = {}
    for name in found.entity.guarded & set(headings) if found.user is not None else ():
        default = found.model._meta.get_field(name).get_default()
        for row in new:
            value = getattr(row.record, name)
            if value != default and (name, value) not in known:
                answers = guarded_value_given.send(found.model, field=name, value=value, user=found.user)
                known[name, value] = [text for _, text in answers if text]
            row.errors += [(headings[name], text) for text in known.get((name, value), ())]


def _read_targets(found: ImportPlan, records: list[Record]) -> None:
    """Read what the records link to, all at once, so that no rule costs a query a row."""
    links = [leaf for leaf in found.entity.leaves if leaf.target is not None and leaf.stored and not leaf.type.many]
    for link in links:
        key = found.model._meta.get_field(link.name)
        keys = {getattr(record, key.attname) for record in records} - {None}
        targets = key.related_model._base_manager.in_bulk(list(keys))
        if link.target is found.entity:  # as the file leaves them
            targets |= {one.pk: one for one in records if one.pk in keys}
        for record in records:
            target = targets.get(getattr(record, key.attname))
            if target is not None:
                setattr(record, link.name, target)


def _is_filled(row: RowResult, name: str) -> bool:
    """Say whether a new record's field was given anything but what it starts with."""
    if name in row.row_links:
        return True
    if row.record.definition.find(name).type.many:
        return bool(row.links.get(name))
    column = row.record._meta.get_field(name)
    return getattr(row.record, column.attname) not in (None, "", column.get_default())


def check_access(found: ImportPlan) -> None:
    """Hold the rows against what the viewer may add and change: which records, and which fields of them."""
    user = access.current_viewer()
    if user is None or user.is_superuser:
        return
    headings = {column.field.name: column.heading for column in found.columns if column.field}
    asked = {verb: access.editable_fields(user, found.entity, verb) for verb in ("add", "change")}
    for row in found.rows:
        if row.record is None or row.errors or row.status not in (NEW, UPDATED):
            continue
        verb = "add" if row.status == NEW else "change"
        if not access.has_perm(user, verb, found.model):
            continue  # then the file as a whole is refused
        given = row.changes if row.status == UPDATED else [name for name in headings if _is_filled(row, name)]
        row.errors += [(headings[name], CLOSED.format(verb=verb)) for name in given if name not in asked[verb]]
        try:
            if row.status == UPDATED and not access.has_perm(user, verb, found.model, _as_it_is(found, row.record)):
                raise ValidationError(NOT_YOURS)
            access.check_access(row.record)
        except ValidationError as error:
            row.errors += [("", text) for text in error.messages]


def _as_it_is(found: ImportPlan, record: Record) -> Record:
    """Return a record as the database has it, where it was changed at hand."""
    return stored_records(found, pk=record.pk).get()
