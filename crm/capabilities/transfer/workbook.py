"""What a workbook shows beside its plain values: leading zeros, percentages, merged cells, formulas without a value."""

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
UNUSUAL = re.compile(rb"<(?:\w+:)?(?:f|mergeCell)[ />]")
BLOCK = 1024 * 1024


def read_rows(sheet: Any, data: zipfile.ZipFile) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a worksheet, each cell as people see it; what cannot be told is Unreadable, with the reason."""
    faults = _faults(data, sheet._worksheet_path)
    if not faults and not FORMATS.search(data.read("xl/styles.xml")):
        for values in sheet.iter_rows(values_only=True):
            yield tuple(Inexact(value) if _is_inexact(value) else value for value in values)
        return
    for number, row in enumerate(sheet.iter_rows(), 1):
        told = faults.get(number, {})
        cells = [told[index] if index in told else _shown(cell) for index, cell in enumerate(row, 1)]
        last = max((index for index in told if isinstance(told[index], Unreadable)), default=0)
        cells += [told.get(index) for index in range(len(cells) + 1, last + 1)]
        yield tuple(cells)


def _is_inexact(value: Any) -> bool:
    return value.__class__ in (int, float) and abs(value) >= 10**DIGITS


def _shown(cell: Any) -> Any:
    value = cell.value
    if isinstance(value, datetime | time):
        return with_format(value, cell.number_format)
    if value is None or cell.data_type != "n" or not isinstance(value, int | float):
        return value
    form = cell.number_format
    if "%" in form:
        return with_format(value, form)
    if _is_inexact(value):
        return Inexact(value)
    text = format_number(value, form) if form not in PLAIN else ""
    return ShownNumber(value, text) if text else value


def _faults(data: zipfile.ZipFile, path: str) -> dict[int, dict[int, Unreadable]]:
    """Return the cells that hold nothing though they show something: row → column → why."""
    if not _is_unusual(data, path):
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
                if _keeps_nothing(element):
                    row, column = coordinate_to_tuple(element.get("r"))
                    faults.setdefault(row, {})[column] = Unreadable(no_value)
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


def _is_unusual(data: zipfile.ZipFile, path: str) -> bool:
    with data.open(path) as file:
        rest = b""
        while block := file.read(BLOCK):
            if UNUSUAL.search(rest + block):
                return True
            rest = block[-40:]
    return False


def _keeps_nothing(element: Any) -> bool:
    """Return whether a cell has a formula and no value; a formula whose text is empty keeps that."""
    formula = value = None
    for child in element:
        tag = child.tag.rpartition("}")[2]
        formula, value = (child if tag == "f" else formula), (child if tag == "v" else value)
    return formula is not None and (value is None or (not value.text and element.get("t") != "str"))
