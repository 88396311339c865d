"""Reads a sheet of a workbook, also what is no plain value: number formats, merged cells, errors, empty formulas."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from datetime import datetime, time
from itertools import islice, product
from typing import Any

from django.utils.translation import gettext as _

from crm.capabilities.transfer.shown_cells import format_number, with_format
from crm.fields.cell_values import Inexact, ShownNumber, Unreadable

DIGITS = 15
"""Spreadsheets calculate with 15 digits: what a number had beyond them is not in the file."""
PLAIN = {"General", "0", "@", "#", "#,##0"}
FORMATS = re.compile(rb"""%|formatCode=["'][^"']*[0ymdhsYMDHS]|<(?:\w+:)?xf [^>]*numFmtId=["'](?:2|9|10)["']""")
"""What says in a workbook's styles that some cells are shown as another text than their value."""
UNUSUAL = re.compile(rb"""<(?:\w+:)?(?:f|mergeCell)[ />]""")
ERRORS = (b't="e"', b"t='e'")
"""The type of a cell that holds an error value, of a formula or by itself."""
FILLED = re.compile(rb"<(?:\w+:)?(?:v|is)>")
BLOCK = 1024 * 1024
OVERLAP = 40
NAMED = 5
"""As many sheets that are not read are named."""


def choose_sheet(book: Any, data: zipfile.ZipFile) -> tuple[Any, str]:
    """Return the first visible worksheet, and which other visible ones hold something; ValueError where none is."""
    visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if not visible:
        raise ValueError("no visible sheet")
    chosen, *others = visible
    titles = [_("“%(sheet)s”") % {"sheet": sheet.title} for sheet in others if _is_filled(data, sheet._worksheet_path)]
    if not titles:
        return chosen, ""
    more = _(" and %(count)s more") % {"count": len(titles) - NAMED} if len(titles) > NAMED else ""
    words = {"sheet": chosen.title, "others": ", ".join(titles[:NAMED]) + more}
    return chosen, _("The sheet “%(sheet)s” was read; not read: %(others)s.") % words


def read_rows(sheet: Any, data: zipfile.ZipFile) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a worksheet, each cell as people see it; what cannot be told is Unreadable, with the reason."""
    faults = _faults(data, sheet._worksheet_path)
    if not faults and not FORMATS.search(data.read("xl/styles.xml")):
        for values in sheet.iter_rows(values_only=True):
            yield tuple(_as_number(value) if value.__class__ in NUMBERS else value for value in values)
        return
    for number, row in enumerate(sheet.iter_rows(), 1):
        told = faults.get(number, {})
        cells = [told[index] if index in told else _shown(cell) for index, cell in enumerate(row, 1)]
        last = max((index for index in told if isinstance(told[index], Unreadable)), default=0)
        cells += [told.get(index) for index in range(len(cells) + 1, last + 1)]
        yield tuple(cells)


NUMBERS = (int, float)


def _as_number(value: float) -> float:
    """Return a number as the spreadsheet calculated it: with 15 digits, where the file may hold 17 of a binary one."""
    if abs(value) >= 10**DIGITS:
        return Inexact(value)
    return float(f"{value:.{DIGITS}g}") if value.__class__ is float else value


def _shown(cell: Any) -> Any:
    value = cell.value
    if cell.data_type == "e":  # Errors that the file holds are among the faults; this is one that openpyxl made.
        return Unreadable(_("is shown as a date, but its number is none."))
    if isinstance(value, datetime | time):
        return with_format(value, cell.number_format)
    if value is None or cell.data_type != "n" or not isinstance(value, int | float):
        return value
    form, value = cell.number_format, _as_number(value)
    if "%" in form:
        return with_format(value, form)
    if isinstance(value, Inexact):
        return value
    text = format_number(value, form) if form not in PLAIN else ""
    return ShownNumber(value, text) if text else value


def _faults(data: zipfile.ZipFile, path: str) -> dict[int, dict[int, Unreadable]]:
    """Return the cells that hold no value though they show something: row → column → why."""
    if not _has_faults(data, path):
        return {}
    from openpyxl.utils.cell import coordinate_to_tuple, range_boundaries
    from openpyxl.xml.functions import iterparse

    no_value = _("is a formula whose value the file does not keep: open it in a spreadsheet, and save it.")
    merged = _("is merged with %(cell)s: a file gives merged cells one value. Split them, and fill each.")
    faults: dict[int, dict[int, Unreadable]] = {}
    with data.open(path) as file:
        for _event, element in iterparse(file):
            tag = element.tag.rpartition("}")[2]
            if tag == "c":
                fault = _error_of(element) or (Unreadable(no_value) if _keeps_nothing(element) else None)
                if fault:
                    row, column = coordinate_to_tuple(element.get("r"))
                    faults.setdefault(row, {})[column] = fault
                element.clear()
            elif tag == "mergeCell":
                left, top, right, bottom = range_boundaries(element.get("ref"))
                first = element.get("ref").partition(":")[0]
                inside = product(range(top, bottom + 1), range(left, min(right, LAST_COLUMN) + 1))
                for row, column in islice(inside, 1, MERGED):
                    faults.setdefault(row, {})[column] = Unreadable(merged % {"cell": first})
                if len(faults) > MERGED:
                    return faults
            elif tag == "row":
                element.clear()
    return faults


MERGED = 20_000
"""As many cells are told; one is enough to refuse the file."""
LAST_COLUMN = 300


def _has_faults(data: zipfile.ZipFile, path: str) -> bool:
    return any(UNUSUAL.search(block) or any(mark in block for mark in ERRORS) for block in _blocks(data, path))


def _is_filled(data: zipfile.ZipFile, path: str) -> bool:
    return any(FILLED.search(block) for block in _blocks(data, path))


def _blocks(data: zipfile.ZipFile, path: str) -> Iterator[bytes]:
    """Yield the XML of a sheet in blocks; each begins with the end of the one before."""
    with data.open(path) as file:
        rest = b""
        while block := file.read(BLOCK):
            yield rest + block
            rest = block[-OVERLAP:]


def _error_of(element: Any) -> Unreadable | None:
    """Return the error value that a cell holds; a text that reads like one is of another type."""
    if element.get("t") != "e":
        return None
    error = next((child.text for child in element if child.tag.rpartition("}")[2] == "v" and child.text), "#N/A")
    why = _("shows the error %(error)s: mend the formula, or empty the cell.")
    return Unreadable(why % {"error": error}, error)


def _keeps_nothing(element: Any) -> bool:
    """Return whether a cell has a formula and no value; a formula whose text is empty keeps that."""
    formula = value = None
    for child in element:
        tag = child.tag.rpartition("}")[2]
        formula, value = (child if tag == "f" else formula), (child if tag == "v" else value)
    return formula is not None and (value is None or (not value.text and element.get("t") != "str"))
