"""Matches the rows of a file with records by natural key or id, and compares them (diff)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from crm.blueprint.nodes import Entity, Field
from crm.capabilities.transfer.columns import Column
from crm.capabilities.transfer.file_reader import ABSENT
from crm.capabilities.transfer.keys import chunks, is_own_link, key_fields
from crm.capabilities.transfer.preparation import (
    NEW,
    NOT_YOURS,
    UNCHANGED,
    UPDATED,
    ImportPlan,
    NewRow,
    RowResult,
    Values,
    stored_records,
)
from crm.fields.base import NOTHING
from crm.records import access
from crm.records.identity import compared_column, compared_value
from crm.records.intended_write import as_before
from crm.records.record import Record
from crm.records.uniqueness import hashable

MISSING = "is missing: a new record needs it."


def missing_keys(entity: Entity, columns: list[Column]) -> str:
    """Return what is to be said where a column is missing by which rows are matched; else nothing."""
    names = {column.field.name if column.field else "id" for column in columns}
    missing = [one.name for one in key_fields(entity) if one.name not in names]
    if missing and "id" not in names:
        text = "rows are matched by it" if len(missing) == 1 else "rows are matched by them"
        given = [one for one in key_fields(entity) if one.name in missing and one.type.sets_on_save]
        hint = " Its cells stay empty where a record is new." if given else ""
        return f"The column {' and '.join(map(repr, missing))} is missing; {text}.{hint}"
    return ""


def match(found: ImportPlan, values: Values) -> None:
    """Find the record of each row: by `id`, by the natural key, or none."""
    keys = key_fields(found.entity)
    ids = values.get("id", [None] * len(found.rows))
    by_id = {one.pk: one for some in chunks([key for key in ids if key]) for one in stored_records(found, pk__in=some)}
    names = [one.name for one in keys]
    wanted = _wanted_keys(found, values, len(ids)) if _has(values, names) else [()] * len(ids)
    by_key = _by_key(found, keys, wanted) if _has(values, names) and names else {}
    first_row: dict[Any, int] = {}
    for index, row in enumerate(found.rows):
        key = (
            wanted[index]
            if ABSENT not in wanted[index] and any(part not in (None, "") for part in wanted[index])
            else ()
        )
        record = by_id.get(ids[index]) if ids[index] else None
        if ids[index] and record is None:
            row.errors.append(("id", f"there is no {found.entity.label.lower()} {ids[index]}."))
            continue
        matched = by_key.get(hashable(key), []) if key else []
        if record is None and len(matched) > 1:
            row.errors.append((_heading(found, names), f"{len(matched)} records have this key already."))
        elif record and matched and all(one.pk != record.pk for one in matched):
            row.errors.append(("id", f"the id means “{record}”, the key means “{matched[0]}”."))
        row.record = record or (matched[0] if matched else None)
        row.matched_by_key = record is None and bool(matched)
        if row.record is not None and access.is_hidden(row.record):
            row.errors.append((_heading(found, names), NOT_YOURS))
        mark = ("id", row.record.pk) if row.record else hashable(key) if key and None not in key else None
        if mark is not None and mark in first_row:
            row.errors.append((_heading(found, names), f"row {first_row[mark]} is the same record already."))
        elif mark is not None:
            first_row[mark] = row.number


def _has(values: Values, names: list[str]) -> bool:
    return all(name in values for name in names)


def _heading(found: ImportPlan, names: list[str]) -> str:
    return next((one.heading for one in found.columns if one.field and one.field.name in names), "id")


def _wanted_keys(found: ImportPlan, values: Values, count: int) -> list[tuple]:
    """Return the natural key of each row by the comparison forms of its parts."""
    columns = []
    for leaf in key_fields(found.entity):
        known: dict[Any, Any] = {}
        column = []
        for value in values[leaf.name]:
            if value is ABSENT or value.__class__.__hash__ is None:
                column.append(value)
                continue
            if value not in known:
                known[value] = compared_value(found.model, leaf, value)
            column.append(known[value])
        columns.append(column)
    return list(zip(*columns, strict=True)) if columns else [()] * count


def _by_key(found: ImportPlan, keys: list[Field], wanted: list[tuple]) -> dict[tuple, list[Record]]:
    first = max(range(len(keys)), key=lambda index: len({hashable((key[index],)) for key in wanted if key}))
    parts = {hashable((key[first],))[0]: key[first] for key in wanted if key and key[first] not in (None, "", ABSENT)}
    names = [found.model._meta.get_field(compared_column(found.model, one.name)).attname for one in keys]
    result: dict[tuple, list[Record]] = {}
    for some in chunks(list(parts.values())):
        for record in stored_records(found, **{f"{names[first]}__in": some}):
            key = tuple(getattr(record, name) for name in names)
            result.setdefault(hashable(tuple(None if part == "" else part for part in key)), []).append(record)
    return result


@dataclass
class _Cells:
    """A column of plain values on its way into the records."""

    leaf: Field
    heading: str
    attribute: str
    values: list[Any]
    empty: Any
    required: bool
    needed: bool
    """Whether a new record cannot do without: it is required, and has no default."""


def _cells(found: ImportPlan, column: Column, values: Values) -> _Cells:
    leaf = column.field
    attribute = found.model._meta.get_field(leaf.name).attname
    required = getattr(leaf.options, "required", False)
    return _Cells(leaf, column.heading, attribute, values[leaf.name], _when_empty(leaf), required, _is_needed(leaf))


def _is_needed(leaf: Field) -> bool:
    return getattr(leaf.options, "required", False) and leaf.type.default(leaf) is NOTHING


def compare(found: ImportPlan, values: Values, exact: bool) -> None:
    """Give each row its record and what changes in it; with `exact`, an empty cell leaves a new record no default.

    Links to records of the same entity come later (`compare_own_links`): they may lead to the records made here.
    """
    columns = [one for one in found.columns if one.field is not None and not is_own_link(found.entity, one.field)]
    plain = [_cells(found, one, values) for one in columns if not one.field.type.many]
    many = [(one.field, values[one.field.name]) for one in columns if one.field.type.many]
    there = {one.field.name for one in found.columns if one.field is not None}
    telling = {one.name for one in key_fields(found.entity) if one.type.folds}
    needed = [leaf for leaf in found.entity.leaves if leaf.stored and leaf.name not in there and _is_needed(leaf)]
    for index, row in enumerate(found.rows):
        is_new = row.record is None
        record = found.model() if is_new else row.record
        if is_new:
            row.errors += [(leaf.name, MISSING) for leaf in needed]
        for cells in plain:
            if row.matched_by_key and cells.leaf.name in telling:
                continue  # it is how the record was found: its spelling stays as it was first written
            _compare_cell(row, record, cells, cells.values[index], is_new, exact)
        for leaf, cells in many:
            _compare_links(row, record, leaf, cells[index], is_new)
        row.record = record
        row.status = NEW if is_new else UPDATED if row.changes else UNCHANGED


def compare_own_links(found: ImportPlan, column: Column, values: list[Any], exact: bool) -> None:
    """Compare a column of links that lead to records of the same entity, those that the file itself makes included."""
    leaf = column.field
    cells = None if leaf.type.many else _cells(found, column, {leaf.name: values})
    for row, value in zip(found.rows, values, strict=True):
        if row.record is None:
            continue
        is_new = row.status == NEW
        if cells is None:
            _compare_links(row, row.record, leaf, value, is_new)
        elif isinstance(value, NewRow):
            if not is_new:
                row.before = row.before or as_before(row.record)
                row.changes[leaf.name] = (getattr(row.record, cells.attribute), value)
            row.row_links[leaf.name] = value
            setattr(row.record, leaf.name, value.row.record)
        else:
            _compare_cell(row, row.record, cells, value, is_new, exact)
        row.status = UPDATED if row.changes else row.status


def _compare_cell(row: RowResult, record: Record, cells: _Cells, value: Any, is_new: bool, exact: bool) -> None:
    if value is ABSENT:
        if is_new and cells.needed and all(heading != cells.heading for heading, _ in row.errors):
            row.errors.append((cells.heading, MISSING))
        return
    if value is None:
        if not is_new and cells.leaf.target is not None and access.is_hidden(getattr(record, cells.leaf.name)):
            return  # the file could not name it: its writer does not see it
        if cells.needed or (cells.required and not is_new):
            row.errors.append((cells.heading, "is empty, but required."))
            return
        if is_new and (cells.required or not exact):
            return
        value = cells.empty
        if getattr(record, cells.attribute) in (None, "") and value in (None, ""):
            return
    if is_new:
        setattr(record, cells.attribute, value)
        return
    old = getattr(record, cells.attribute)
    if not (old == value or cells.leaf.type.equals(old, value)):
        row.before = row.before or as_before(record)
        row.changes[cells.leaf.name] = (old, value)
        setattr(record, cells.attribute, value)


def _when_empty(leaf: Field) -> Any:
    """Return what an empty cell makes of a record's value: nothing, or the default where there is no nothing."""
    if leaf.type.nullable(leaf):
        return None
    return "" if leaf.type.empty(leaf) is None else leaf.type.empty(leaf)


def _compare_links(row: RowResult, record: Record, leaf: Field, value: Any, is_new: bool) -> None:
    if value is ABSENT:
        return
    present = [] if is_new else list(getattr(record, leaf.name).all())
    before = {one.pk for one in present}
    value = value | {one.pk for one in present if access.is_hidden(one)}
    if before != value:
        row.links[leaf.name] = value
        if not is_new:
            row.before = row.before or as_before(record)
            row.changes[leaf.name] = (before, value)
