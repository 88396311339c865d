"""Compares the rows of a file with their records, column by column (diff), and makes the records as they will be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import NOT_PROVIDED
from django.utils.translation import gettext as _

from crm.blueprint.nodes import Field
from crm.capabilities.transfer.columns import Column
from crm.capabilities.transfer.file_reader import ABSENT
from crm.capabilities.transfer.keys import is_own_link, key_fields
from crm.capabilities.transfer.preparation import (
    NEW,
    UNCHANGED,
    UPDATED,
    ImportPlan,
    NewRow,
    RowResult,
    stored_records,
)
from crm.records import access
from crm.records.chunks import chunks
from crm.records.intended_write import as_before
from crm.records.record import Record


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


class RowComparer:
    """Compares rows with their records, and gives these the values of the file.

    Links to records of the same entity come later (`compare_own_links`): they may lead to the records made here.
    """

    def __init__(self, plan: ImportPlan):
        self.plan = plan
        columns = [one for one in plan.columns if one.field is not None and not is_own_link(plan.entity, one.field)]
        self.plain = [_cells(plan, one, plan.values[one.field.name]) for one in columns if not one.field.type.many]
        self.many = [(one.field, plan.values[one.field.name]) for one in columns if one.field.type.many]
        present = {one.field.name for one in plan.columns if one.field is not None}
        self.telling = {field.name for field in key_fields(plan.entity) if field.type.folds}
        stored = [leaf for leaf in plan.entity.leaves if leaf.stored and leaf.name not in present]
        self.needed = [leaf for leaf in stored if _is_needed(leaf)]

    def compare(self, part: list[RowResult]) -> None:
        """Give each row its record as it will be, and note what changes in it."""
        for row in part:
            is_new = row.record is None
            if is_new:
                for leaf in self.needed:
                    row.fail(leaf.name, _("is missing: a new record needs it."))
            row.record = self._fill(row, self.plan.model() if is_new else row.record, is_new)
            for leaf, values in self.many:
                _compare_links(row, row.record, leaf, values[row.index], is_new)
            row.status = NEW if is_new else UPDATED if row.changes else UNCHANGED

    def _fill(self, row: RowResult, record: Record, is_new: bool) -> Record:
        for cells in self.plain:
            if row.matched_by_key and cells.leaf.name in self.telling:
                continue  # it is how the record was found: its spelling stays as it was first written
            _compare_cell(row, record, cells, cells.values[row.index], is_new, self.plan.exact)
        return record

    def restore(self, part: list[RowResult]) -> list[RowResult]:
        """Return the rows that write something, with the records that were let go when they had been checked.

        A row whose record was deleted meanwhile is left out; records that are locked cannot be.
        """
        writing = [row for row in part if row.status in (NEW, UPDATED)]
        keys = [row.key for row in writing if row.record is None and row.status == UPDATED]
        stored = {record.pk: record for batch in chunks(keys) for record in stored_records(self.plan, "pk", batch)}
        for row in writing:
            if row.record is None and row.status == NEW:
                row.record = self._fill(row, self.plan.model(), is_new=True)
            elif row.record is None:
                row.record = stored.get(row.key)
                for name, (_old, new) in row.changes.items() if row.record else ():
                    if not self.plan.entity.find(name).type.many:
                        setattr(row.record, self.plan.model._meta.get_field(name).attname, new)
        return [row for row in writing if row.record is not None]


def compare_own_links(plan: ImportPlan, column: Column, values: list[Any]) -> None:
    """Compare a column of links that lead to records of the same entity, those that the file itself makes included."""
    leaf = column.field
    cells = None if leaf.type.many else _cells(plan, column, values)
    for row, value in zip(plan.rows, values, strict=True):
        if row.record is None:
            continue
        is_new = row.status == NEW
        if cells is None:
            _compare_links(row, row.record, leaf, value, is_new)
        elif isinstance(value, NewRow):
            if not is_new:
                row.before = row.before or as_before(row.record)
                row.change(leaf.name, getattr(row.record, cells.attribute), value)
            row.link_to_row(leaf.name, value)
            setattr(row.record, leaf.name, value.row.record)
        else:
            _compare_cell(row, row.record, cells, value, is_new, plan.exact)
        row.status = UPDATED if row.changes else row.status


def _cells(plan: ImportPlan, column: Column, values: list[Any]) -> _Cells:
    leaf = column.field
    attribute = plan.model._meta.get_field(leaf.name).attname
    required = getattr(leaf.options, "required", False)
    return _Cells(leaf, column.heading, attribute, values, _when_empty(leaf), required, _is_needed(leaf))


def _is_needed(leaf: Field) -> bool:
    return getattr(leaf.options, "required", False) and leaf.type.default(leaf) is NOT_PROVIDED


def _compare_cell(row: RowResult, record: Record, cells: _Cells, value: Any, is_new: bool, exact: bool) -> None:
    if value is ABSENT:
        if is_new and cells.needed and all(heading != cells.heading for heading, _ in row.errors):
            row.fail(cells.heading, _("is missing: a new record needs it."))
        return
    if value is None:
        if not is_new and cells.leaf.target is not None and access.is_hidden(getattr(record, cells.leaf.name)):
            return  # the file could not name it: its writer does not see it
        if cells.needed or (cells.required and not is_new):
            row.fail(cells.heading, _("is empty, but required."))
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
        row.change(cells.leaf.name, old, value)
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
    before = {target.pk for target in present}
    value = value | {target.pk for target in present if access.is_hidden(target)}
    if before != value:
        row.link(leaf.name, value)
        if not is_new:
            row.before = row.before or as_before(record)
            row.change(leaf.name, before, value)
