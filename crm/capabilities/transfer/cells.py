"""Parses the cells of a file, column by column: the values of fields, and the records that links name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

from django.apps import apps
from django.utils.translation import gettext as _

from crm.blueprint.nodes import Field
from crm.capabilities.transfer.columns import ID, Column
from crm.capabilities.transfer.file_reader import ABSENT, Sheet
from crm.capabilities.transfer.formula_injection import unescape_null_word
from crm.capabilities.transfer.gc_pause import collect_errors
from crm.capabilities.transfer.keys import AMBIGUOUS, KeyResolver, is_own_link, plain_key, split_words
from crm.capabilities.transfer.notations import decide_notations
from crm.capabilities.transfer.preparation import ImportPlan, PendingTag, RowResult, Values
from crm.fields.cell_values import Share, Unreadable, text_of
from crm.fields.comparison import fold_text
from crm.fields.reading import Reading

Adjust = Callable[[Field, Any], Any]


def read_columns(plan: ImportPlan, sheet: Sheet, adjust: Adjust | None) -> Values:
    """Return what each column says; what cannot be read becomes an error of its row. The sheet is used up."""
    section = plan.entity.sections["transfer"]
    reading = Reading(frozenset({"", *section.nulls}), tuple(section.dates))
    combined = {column.heading: _combined_cells(column, sheet, reading) for column in plan.columns if column.parts}
    columns = [
        (column, combined[column.heading] if column.parts else sheet.take_column(column.position))
        for column in plan.columns
    ]
    texts = [(column.field, _without_nulls(cells, reading)) for column, cells in columns if column.field]
    notations = decide_notations(plan.entity, texts, chosen=plan.numbers, exact=sheet.exact)
    key = plain_key(plan.entity)
    values: Values = {}
    while columns:
        column, cells = columns.pop(0)
        if column.field is None:
            values[ID] = _read_ids(plan, cells)
        elif is_own_link(plan.entity, column.field):
            values[column.field.name] = _words_of(plan, column, cells, reading)
        elif column.field.type.reference(column.field) is not None:
            values[column.field.name] = _read_links(plan, column, cells, reading)
        else:
            numbers = notations.get(column.field.name)
            values[column.field.name] = _read_values(plan, column, cells, replace(reading, numbers=numbers), adjust)
            if column.field is key and not column.parts:
                plan.unreadable_keys = _unreadable(plan, column, cells)
    for row in plan.rows:
        row.unreadable = row.errors
    return values


def _unreadable(plan: ImportPlan, column: Column, cells: list[Any]) -> list[tuple[str, RowResult]]:
    """Return the cells of a column that are wrong, as they stand, with their rows."""
    wrong = [row for row in plan.rows if any(heading == column.heading for heading, _ in row.errors)]
    return [(str(cells[row.index]).strip(), row) for row in wrong]


def _without_nulls(cells: list[Any], reading: Reading) -> Iterator[Any]:
    return (cell for cell in cells if not _is_null(cell, reading))


def _combined_cells(column: Column, sheet: Sheet, reading: Reading) -> list[Any]:
    return [_combined_cell(column, row, reading) for _, row in sheet.rows]


def _combined_cell(column: Column, row: list[Any], reading: Reading) -> Any:
    cells = [row[part] for part in column.parts if isinstance(part, int)]
    if lost := [cell for cell in cells if isinstance(cell, Unreadable) and not _is_null(cell, reading)]:
        return lost[0]
    if any(cell is ABSENT for cell in cells):
        return ABSENT
    if all(_is_null(cell, reading) for cell in cells):
        return None
    words = (part if isinstance(part, str) else row[part] for part in column.parts)
    words = (word for word in words if word is not None and not isinstance(word, Unreadable))
    try:
        return "".join(word if isinstance(word, str) else text_of(word) for word in words)
    except ValueError as error:
        return Unreadable(str(error))


def _is_null(cell: Any, reading: Reading) -> bool:
    if isinstance(cell, Unreadable):
        return bool(cell.error) and cell.error in reading.nulls
    return cell is None or (isinstance(cell, str) and cell.strip() in reading.nulls)


def _read_ids(plan: ImportPlan, cells: list[Any]) -> list[Any]:
    values = []
    for row, cell in zip(plan.rows, cells, strict=True):
        if fault := _fault(cell):
            row.fail("id", fault)
        text = "" if cell is None or cell is ABSENT or fault else text_of(cell)
        if text and not (text.isdecimal() and len(text) <= 18):
            row.fail("id", _("%(text)s is no number.") % {"text": repr(text)})
            text = ""
        values.append(int(text) if text else None)
    return values


def _read_values(plan: ImportPlan, column: Column, cells: list[Any], reading: Reading, adjust: Adjust | None) -> list:
    """Read the cells of a column; equal ones of its more frequent cells are read once."""
    leaf, known, values, wrong = column.field, {}, [], 0
    for row, cell in zip(plan.rows, cells, strict=True):
        if cell is ABSENT:
            values.append(ABSENT)
            continue
        simple = cell.__class__ in (str, int)
        key = (cell.__class__, cell) if simple else None
        result = known.get(key) if simple else None
        if result is None:
            result = _read_value(leaf, cell, reading, adjust)
            if simple and len(known) < Sheet.SHARED:
                known[key] = result
        value, error = result
        if error:
            row.fail(column.heading, error)
            collect_errors(wrong := wrong + 1)
        values.append(value)
    return values


def _read_value(leaf: Field, cell: Any, reading: Reading, adjust: Adjust | None) -> tuple[Any, str]:
    if _is_null(cell, reading):
        return None, ""
    if isinstance(cell, Unreadable):
        return ABSENT, cell.reason
    try:
        value = leaf.type.validate(leaf.type.parse(unescape_null_word(cell, reading.nulls), leaf, reading), leaf)
    except ValueError as error:
        return ABSENT, str(error)
    return (adjust(leaf, value) if adjust else value), ""


def _read_links(plan: ImportPlan, column: Column, cells: list[Any], reading: Reading) -> list[Any]:
    """Find the records that a column's cells name: a primary key each, or a set of them."""
    book, named = KeyResolver(column.field), _words_of(plan, column, cells, reading)
    keys = book.look_up(word for words in named if words is not ABSENT for word in words)
    return find_targets(plan, column, named, keys, book)


def _words_of(plan: ImportPlan, column: Column, cells: list[Any], reading: Reading) -> list[Any]:
    """Return the words by which each cell names records: a list, empty where it says nothing on purpose, or ABSENT."""
    reference, named = column.field.type.reference(column.field), []
    key = plain_key(column.field.target) if reference.entity else None
    for row, cell in zip(plan.rows, cells, strict=True):
        cell = _as_key(cell, key) if key is not None else cell
        if _is_null(cell, reading):
            named.append([])
        elif (fault := _fault(cell)) or cell is ABSENT:
            named.append(ABSENT)
            if fault:
                row.fail(column.heading, fault)
        else:
            cell = unescape_null_word(cell, reading.nulls)
            named.append(split_words(cell) if reference.many else [text_of(cell)])
    return named


def _as_key(cell: Any, key: Field) -> Any:
    """Return a date or a percentage of a workbook as files write the key that it is; other cells as they are."""
    if not isinstance(cell, date | time | timedelta | Share):
        return cell
    try:
        return str(key.type.serialize(key.type.parse(cell, key, Reading()), key))
    except ValueError as error:
        return Unreadable(str(error))


def find_targets(
    plan: ImportPlan, column: Column, named: list[Any], keys: Mapping[str, Any], book: KeyResolver
) -> list:
    """Return what the words of each row mean by `keys`; what means nothing, or several, is an error of its row."""
    values: list[Any] = []
    for row, words in zip(plan.rows, named, strict=True):
        if words is ABSENT:
            values.append(ABSENT)
            continue
        targets = [_target(plan, column, row, word, keys, book) for word in words]
        fine = [one for one in targets if one is not None]
        values.append(set(fine) if book.reference.many else (fine[0] if fine else None if not words else ABSENT))
    return values


def _fault(cell: Any) -> str:
    """Return why a cell names no record: its content, or a part of its digits, is not in the file."""
    if isinstance(cell, Unreadable):
        return cell.reason
    try:
        text_of(cell)
    except ValueError as error:
        return str(error)
    return ""


def _target(plan: ImportPlan, column: Column, row: RowResult, word: str, keys: Mapping, book: KeyResolver) -> Any:
    key = keys.get(word)
    if key is AMBIGUOUS:
        words = {"word": repr(word), "record": _target_name(column.field)}
        row.fail(column.heading, _("%(word)s means more than one %(record)s.") % words)
        return None
    if key is not None:
        return key
    if book.reference.create:
        try:
            name = column.field.type.parse(word, column.field, Reading())
        except ValueError as error:
            row.fail(column.heading, str(error))
            return None
        waiting = plan.new_words.setdefault(column.field.name, {})
        return PendingTag(waiting.setdefault(fold_text(name), name))
    words = {"word": repr(word), "record": _target_name(column.field)}
    row.fail(column.heading, _("there is no %(record)s %(word)s.") % words)
    return None


def _target_name(leaf: Field) -> str:
    return str(apps.get_model(leaf.type.reference(leaf).model)._meta.verbose_name)
