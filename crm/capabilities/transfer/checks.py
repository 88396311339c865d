"""Validates the rows of a file before they are written: the gate is asked, and answers in a file's words."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from crm.blueprint.nodes import Field
from crm.capabilities.transfer.file_reader import ABSENT
from crm.capabilities.transfer.own_rows import own_links
from crm.capabilities.transfer.preparation import NEW, UPDATED, ImportPlan, NewRow, PendingTag, RowResult
from crm.records.gate import check_writes
from crm.records.identity import compared_value, unique_groups
from crm.records.intended_write import IntendedWrite, Refusal
from crm.records.row_limits import parents_with_limit
from crm.records.uniqueness import hashable

IMPORT = "import"
"""The way in of files."""


def are_independent(plan: ImportPlan) -> bool:
    """Return whether each row can be checked without the others: none leads to another, or has a value of another."""
    if own_links(plan) or parents_with_limit(plan.entity):
        return False
    return not any(_may_repeat(plan, names) for names in unique_groups(plan.model))


def _may_repeat(plan: ImportPlan, names: tuple[str, ...]) -> bool:
    """Return whether two rows may come to have the same values in fields whose values may occur once together."""
    leaves = [plan.entity.find(name) for name in names]
    if any(leaf is None or leaf.computed is not None for leaf in leaves):
        return True
    are_free = [_starts_free(plan, leaf) for leaf in leaves]
    if not any(leaf.name in plan.values for leaf in leaves):
        return not any(are_free)
    if not all(leaf.name in plan.values for leaf in leaves):
        return True
    seen: set[int] = set()
    """Hashes: to hold the values themselves would take several times as much, and a false alarm costs memory alone."""
    for row in plan.rows:
        values = [plan.values[leaf.name][row.index] for leaf in leaves]
        nothing = [value is None or value is ABSENT for value in values]
        if any(nothing):
            if not any(is_free for is_nothing, is_free in zip(nothing, are_free, strict=True) if is_nothing):
                return True
            continue
        pairs = zip(leaves, values, strict=True)
        key = hash(hashable(tuple(compared_value(plan.model, leaf, value) for leaf, value in pairs)))
        if key in seen:
            return True
        seen.add(key)
    return False


def _starts_free(plan: ImportPlan, leaf: Field) -> bool:
    """Return whether new records start with nothing in a field, or with another value each: then none is taken."""
    column = plan.model._meta.get_field(leaf.name)
    value = column.get_default()
    return value in (None, "") or value != column.get_default()


def check_rows(plan: ImportPlan, part: list[RowResult]) -> set[str]:
    """Hold the new and changed records of a part against the gate, and put down what it says beside the cells.

    Returns the fields whose values belong to records that are not of this part.
    """
    rows = [row for row in part if row.record is not None and not row.errors and row.status in (NEW, UPDATED)]
    writes = [_write_of(plan, row) for row in rows]
    by_record = {id(row.record): row for row in rows}
    headings = {column.field.name: column.heading for column in plan.columns if column.field}
    taken: set[str] = set()
    for refusal in check_writes(writes):
        if refusal.lacks:
            plan.lacks.add(refusal.lacks)  # of the file as a whole
            continue
        row = by_record[id(refusal.write.record)]
        name = next((one for one in refusal.taken if one in headings), refusal.field)
        row.fail(headings.get(name, name), _in_words(plan, refusal, by_record))
        taken.update(refusal.taken if refusal.twin is None else ())
    return taken


def _write_of(plan: ImportPlan, row: RowResult) -> IntendedWrite:
    """Return what a row is about to write; links to what the import itself makes lead to nothing that is hidden."""
    made = (NewRow, PendingTag)
    links = {name: [key for key in keys if not isinstance(key, made)] for name, keys in row.links.items()}
    given = row.changes if row.status == UPDATED else _given(plan, row)
    return IntendedWrite(row.record, row.before, plan.user, IMPORT, links, given=frozenset(given))


def _given(plan: ImportPlan, row: RowResult) -> Iterator[str]:
    """Yield the fields that a new record is given anything else than what it starts with."""
    for leaf in (column.field for column in plan.columns if column.field):
        if leaf.type.many:
            if row.links.get(leaf.name):
                yield leaf.name
        elif leaf.name in row.row_links:
            yield leaf.name
        else:
            column = plan.model._meta.get_field(leaf.name)
            if getattr(row.record, column.attname) not in (None, "", column.get_default()):
                yield leaf.name


def _in_words(plan: ImportPlan, refusal: Refusal, by_record: dict[int, RowResult]) -> str:
    if not refusal.taken:
        return refusal.message
    if refusal.twin is not None:
        return _("is the same as in row %(row)s.") % {"row": by_record[id(refusal.twin.record)].number}
    return _("%(value)s belongs to another record.") % {"value": _shown(plan, refusal)}


def _shown(plan: ImportPlan, refusal: Refusal) -> str:
    """Return what is taken as people read it: the value, or of several fields and of links their labels."""
    leaves = [plan.entity.find(name) for name in refusal.taken]
    if len(leaves) == 1 and leaves[0].type.reference(leaves[0]) is None:
        return leaves[0].type.display(getattr(refusal.write.record, leaves[0].name), leaves[0])
    return _("this %(fields)s") % {"fields": _(" and ").join(leaf.label.lower() for leaf in leaves)}
