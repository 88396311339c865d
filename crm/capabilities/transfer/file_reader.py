"""Reads CSV, XLSX and JSON files into rows, within limits that are checked before anything is unpacked."""

from __future__ import annotations

import codecs
import csv
import io
import json
import logging
import re
import zipfile
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import PurePath
from typing import Any

from django.utils.translation import gettext as _

from crm.capabilities.transfer.formula_injection import decode, unescape
from crm.capabilities.transfer.unpacking import is_bomb
from crm.capabilities.transfer.workbook import choose_sheet, read_rows
from crm.fields.cell_values import Unreadable

logger = logging.getLogger(__name__)

MAX_BYTES = 64 * 1024 * 1024
MAX_ROWS = 250_000
MAX_COLUMNS = 300
MAX_CELLS = 6_000_000
MAX_CELL = 1_100_000
LAST_ROW = 2**20
FORMATS = ("csv", "xlsx", "json")


class FileRefused(Exception):
    """The file as a whole cannot be read; the message says why and what to do."""


class Sheet:
    """A file's content: its headings, and its cells by column, each row with the number that people see beside it.

    Equal texts of a column are one object, as far as the first of them reach: files repeat most of what they hold.
    """

    SHARED = 5_000
    """How many texts of a column are looked out for."""

    def __init__(self, headings: list[str], rows: Iterable[tuple[int, list[Any]]] = (), exact: bool = False):
        self.headings = headings
        self.numbers: list[int] = []
        self.columns: list[list[Any]] = [[] for _ in headings]
        self.exact = exact
        """Whether an empty cell says "nothing", as JSON's null does, and not only nothing of the field."""
        self.warning = ""
        """What of the file was not read."""
        self._texts: list[dict[str, str]] = [{} for _ in headings]
        for number, cells in rows:
            self.add_row(number, cells)

    def add_row(self, number: int, cells: list[Any]) -> None:
        """Add a row, which has as many cells as there are headings."""
        self.numbers.append(number)
        for column, texts, cell in zip(self.columns, self._texts, cells, strict=True):
            if cell.__class__ is str:
                known = texts.get(cell)
                if known is not None:
                    cell = known
                elif len(texts) < self.SHARED:
                    texts[cell] = cell
            column.append(cell)

    def take_column(self, position: int) -> list[Any]:
        """Return the cells of a column, and let go of them: what was read needs no room beside what it means."""
        cells, self.columns[position] = self.columns[position], []
        return cells

    @property
    def rows(self) -> Iterator[tuple[int, list[Any]]]:
        """Yield the number and the cells of each row."""
        for number, *cells in zip(self.numbers, *self.columns, strict=True):
            yield number, cells


def format_of(name: str, given: str | None = None) -> str:
    """Return the format of a file by its ending. Raises FileRefused for an unknown one."""
    format_name = (given or PurePath(name).suffix.lstrip(".")).lower()
    if format_name not in FORMATS:
        text = _("%(file)s: the format is not known; use a .csv, .xlsx or .json file.")
        raise FileRefused(text % {"file": PurePath(name).name})
    return format_name


def check_size(size: int) -> None:
    """Raise FileRefused for a file of too many bytes."""
    if size > MAX_BYTES:
        words = {"size": f"{size / 1e6:.0f}", "most": MAX_BYTES // 2**20}
        raise FileRefused(_("The file has %(size)s MB; at most %(most)s MB are read.") % words)


def read_sheet(data: bytes, format: str, encoding: str = "") -> Sheet:
    """Read a file; `encoding` is that of a CSV file. Raises FileRefused where it is too large, damaged, or no table."""
    check_size(len(data))
    sheet = _read_csv(data, encoding) if format == "csv" else {"xlsx": _read_xlsx, "json": _read_json}[format](data)
    if not sheet.headings:
        raise FileRefused(_("The file is empty: the first row holds the names of the columns."))
    if len(sheet.headings) > MAX_COLUMNS:
        words = {"count": len(sheet.headings), "most": MAX_COLUMNS}
        raise FileRefused(_("The file has %(count)s columns; at most %(most)s are read.") % words)
    return sheet


def _read_csv(data: bytes, encoding: str) -> Sheet:
    encoding = _encoding_of(data, encoding)
    text = io.TextIOWrapper(io.BytesIO(data), encoding, newline="")
    try:
        head = text.read(100_000)
        text.seek(0)
        hint = SEPARATOR_HINT.match(head)
        if hint:
            text.readline()
        lines = (line for line in head.split("\n") if any(mark in line for mark in DELIMITERS))
        delimiter = hint[1] if hint else max(DELIMITERS, key=next(lines, "").count)
        csv.field_size_limit(MAX_CELL)
        reader = csv.reader(_checked(text, delimiter), delimiter=delimiter, strict=True)
        return _table(_csv_rows(reader), is_csv=True)
    except UnicodeDecodeError:
        raise FileRefused(_undecodable(data, encoding)) from None


def _checked(lines: Iterable[str], delimiter: str) -> Iterator[str]:
    """Yield lines that may be taken apart: they hold no NUL, and not too many cells."""
    cells = 0
    for line in lines:
        cells += line.count(delimiter)
        _check_cells(cells)
        if "\0" in line:
            raise FileRefused(_("The file holds NUL characters: it is no text."))
        yield line


DELIMITERS = ",;\t"
SEPARATOR_HINT = re.compile(r'"?sep=([,;\t|:])"?\r?\n', re.IGNORECASE)
"""A line that tells spreadsheets what stands between cells; it is no row."""


def _encoding_of(data: bytes, encoding: str) -> str:
    """Return the encoding that was named; else UTF-8, or UTF-16 where the file says so itself."""
    if encoding and encoding.lower().replace("_", "-") not in ("utf-8", "utf8"):
        return encoding
    return "utf-16" if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def _undecodable(data: bytes, encoding: str) -> str:
    """Return what is said of a file that is not in an encoding: in which line, and what to do."""
    try:
        data.decode(encoding)
        line = 1
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
    if encoding != "utf-8-sig":
        words = {"row": line, "encoding": encoding}
        return _("Row %(row)s: the file is not in %(encoding)s. Choose another encoding.") % words
    text = _(
        "Row %(row)s: the file is not UTF-8. Save it as “CSV UTF-8”, or say its encoding (`encoding`; a spreadsheet "
        "often writes cp1252)."
    )
    return text % {"row": line}


def _check_cells(count: int, rows: int = 0) -> None:
    if count > MAX_CELLS or rows > MAX_ROWS:
        words = {"rows": f"{MAX_ROWS:,}", "cells": f"{MAX_CELLS:,}"}
        raise FileRefused(_("The file has more than %(rows)s rows or %(cells)s cells; split it.") % words)


def _csv_rows(reader: Any) -> Iterator[tuple[int, list[str]]]:
    number = 0
    try:
        for number, row in enumerate(reader, 1):
            yield number, row
    except csv.Error as error:
        words = {"row": number + 1, "error": error}
        raise FileRefused(_("Row %(row)s: %(error)s. Check the quotes.") % words) from None


def _read_xlsx(data: bytes) -> Sheet:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if is_bomb(archive, len(data)):
                raise FileRefused(_("The file unpacks to far more than it should; it was not opened."))
            import openpyxl  # not at the top: its 180 modules would be a tenth of every start

            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            worksheet, warning = choose_sheet(book, archive)
            worksheet.reset_dimensions()
            sheet = _table(_xlsx_rows(read_rows(worksheet, archive)))
            sheet.warning = warning
            return sheet
    except FileRefused:
        raise
    except Exception as error:  # A damaged workbook makes the libraries below raise whatever there is.
        logger.info("A workbook could not be read", exc_info=error)
        text = _("This is no Excel workbook that can be read (%(error)s).") % {"error": type(error).__name__}
        raise FileRefused(text) from None


def _xlsx_rows(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[int, list[Any]]]:
    for number, row in enumerate(rows, 1):
        _check_cells(len(row), number if number > LAST_ROW else 0)
        yield number, [decode(cell) if cell.__class__ is str and "_x" in cell else cell for cell in row]


def _read_json(data: bytes) -> Sheet:
    _check_cells(sum(map(data.count, (b",", b"{", b"["))))
    try:
        text = data.decode("utf-8-sig")
        records = json.loads(text, parse_float=Decimal, parse_constant=_no_value)
    except (ValueError, RecursionError) as error:
        raise FileRefused(_("This is not JSON: %(error)s") % {"error": error}) from None
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise FileRefused(_('The JSON must be a list of objects: [{"name": "Ann"}, …].'))
    if "\\u" in text:
        _check_texts(cell for record in records for cell in record.values())
    headings = list(dict.fromkeys(key for record in records for key in record))
    _check_cells(len(records) * len(headings), len(records))
    rows = ((number, [row.get(key, ABSENT) for key in headings]) for number, row in enumerate(records, 1))
    if any(name in text for name in NO_VALUES):
        rows = ((number, [_unreadable_in(cell) or cell for cell in row]) for number, row in rows)
    return Sheet(headings, rows, exact=True)


NO_VALUES = ("NaN", "Infinity")
"""What programs write for numbers that JSON does not have."""


def _no_value(name: str) -> Unreadable:
    return Unreadable(_("holds %(name)s, which is no value of JSON.") % {"name": name}, name)


def _unreadable_in(cell: Any) -> Unreadable | None:
    """Return what cannot be read in a cell of JSON, however deep it is in lists and objects."""
    pending = [cell]
    while pending:
        part = pending.pop()
        if isinstance(part, Unreadable):
            return part
        pending += part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return None


def _check_texts(cells: Iterable[Any]) -> None:
    """Refuse what JSON can write and no database keeps: NUL, and halves of characters."""
    try:
        held = any("\0" in str(cell) for cell in cells if str(cell).encode())
    except UnicodeEncodeError:
        held = True
    if held:
        raise FileRefused(_("The file holds NUL characters or halves of characters: it is no text."))


ABSENT = object()
"""A cell that is not there at all, as in JSON: it leaves its field alone."""


def _table(rows: Iterator[tuple[int, list[Any]]], is_csv: bool = False) -> Sheet:
    sheet, cells = Sheet([]), 0
    for number, raw in rows:
        cells += len(raw)
        _check_cells(cells)
        row = _trimmed(raw)
        if not row:
            continue
        if not sheet.headings:
            sheet = Sheet([cell.error if isinstance(cell, Unreadable) else str(cell or "").strip() for cell in row])
            continue
        while len(row) > len(sheet.headings) and isinstance(row[-1], Unreadable):
            row.pop()
        if len(row) > len(sheet.headings):
            raise FileRefused(_too_wide(number, len(row), sheet.headings))
        row += [None] * (len(sheet.headings) - len(row))
        sheet.add_row(number, [unescape(cell, is_csv) for cell in row])
        _check_cells(cells, len(sheet.numbers))
    sheet.headings = [unescape(heading, is_csv) for heading in sheet.headings]
    return sheet


def _too_wide(number: int, cells: int, headings: list[str]) -> str:
    words = {"row": number, "cells": cells, "columns": len(headings), "title": repr(headings[0])}
    text = _("Row %(row)s has %(cells)s cells, but there are %(columns)s columns.") % words
    if len(headings) == 1:
        hint = _("Is %(title)s a title? Take what stands above the row of headings away.") % words
    else:
        hint = _("Check the quotes.")
    return f"{text} {hint}"


def _trimmed(cells: list[Any]) -> list[Any]:
    """Take the blank cells off the end of a row: spreadsheets write as many as were ever used."""
    while cells and (cells[-1] is None or (cells[-1].__class__ is str and not cells[-1].strip())):
        cells.pop()
    return cells
