"""Validates the rows of a file before they are written: the gate is asked, and answers in a file's words."""

from __future__ import annotations

from collections.abc import Iterator

from crm.capabilities.transfer.preparation import NEW, UPDATED, ImportPlan, NewRow, PendingTag, RowResult
from crm.records.gate import check_writes
from crm.records.intended_write import IntendedWrite, Refusal

IMPORT = "import"
"""The way in of files."""


def check_rows(found: ImportPlan) -> None:
    """Hold the new and changed records of all rows against the gate, and put down what it says beside the cells."""
    rows = [row for row in found.rows if row.record is not None and not row.errors and row.status in (NEW, UPDATED)]
    writes = [_write_of(found, row) for row in rows]
    by_record = {id(row.record): row for row in rows}
    headings = {column.field.name: column.heading for column in found.columns if column.field}
    for refusal in check_writes(writes):
        if refusal.lacks:
            found.lacks.add(refusal.lacks)  # of the file as a whole
            continue
        row = by_record[id(refusal.write.record)]
        name = next((one for one in refusal.taken if one in headings), refusal.field)
        row.errors.append((headings.get(name, name), _in_words(found, refusal, by_record)))


def _write_of(found: ImportPlan, row: RowResult) -> IntendedWrite:
    """Return what a row is about to write; links to what the import itself makes lead to nothing that is hidden."""
    made = (NewRow, PendingTag)
    links = {name: [key for key in keys if not isinstance(key, made)] for name, keys in row.links.items()}
    given = row.changes if row.status == UPDATED else _given(found, row)
    return IntendedWrite(row.record, row.before, found.user, IMPORT, links, given=frozenset(given))


def _given(found: ImportPlan, row: RowResult) -> Iterator[str]:
    """Yield the fields that a new record is given anything else than what it starts with."""
    for leaf in (column.field for column in found.columns if column.field):
        if leaf.type.many:
            if row.links.get(leaf.name):
                yield leaf.name
        elif leaf.name in row.row_links:
            yield leaf.name
        else:
            column = found.model._meta.get_field(leaf.name)
            if getattr(row.record, column.attname) not in (None, "", column.get_default()):
                yield leaf.name


def _in_words(found: ImportPlan, refusal: Refusal, by_record: dict[int, RowResult]) -> str:
    if not refusal.taken:
        return refusal.message
    if refusal.twin is not None:
        return f"is the same as in row {by_record[id(refusal.twin.record)].number}."
    return f"{_shown(found, refusal)} belongs to another record."


def _shown(found: ImportPlan, refusal: Refusal) -> str:
    """Return what is taken as people read it: the value, or of several fields and of links their labels."""
    leaves = [found.entity.find(name) for name in refusal.taken]
    if len(leaves) == 1 and leaves[0].type.reference(leaves[0]) is None:
        return leaves[0].type.display(getattr(refusal.write.record, leaves[0].name), leaves[0])
    return f"this {' and '.join(leaf.label.lower() for leaf in leaves)}"
