"""Reads CSV, XLSX and JSON files into rows, within limits that are checked before anything is unpacked."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import PurePath
from typing import Any

from crm.capabilities.transfer.formula_injection import decode, unescape
from crm.capabilities.transfer.unpacking import is_bomb
from crm.capabilities.transfer.workbook import read_rows
from crm.fields.base import Unreadable

MAX_BYTES = 64 * 1024 * 1024
MAX_ROWS = 250_000
MAX_COLUMNS = 300
MAX_CELLS = 6_000_000
MAX_CELL = 1_100_000
LAST_ROW = 2**20
FORMATS = ("csv", "xlsx", "json")


class FileRefused(Exception):
    """The file as a whole cannot be read; the message says why and what to do."""


@dataclass
class Sheet:
    """A file's content: its headings, and its rows with the number that people see beside them."""

    headings: list[str]
    rows: list[tuple[int, list[Any]]] = field(default_factory=list)
    exact: bool = False
    """Whether an empty cell says "nothing", as JSON's null does, and not only nothing of the field."""


def format_of(name: str, given: str | None = None) -> str:
    """Return the format of a file by its ending. Raises FileRefused for an unknown one."""
    found = (given or PurePath(name).suffix.lstrip(".")).lower()
    if found not in FORMATS:
        raise FileRefused(f"{PurePath(name).name}: the format is not known; use a .csv, .xlsx or .json file.")
    return found


def read_sheet(data: bytes, format: str, encoding: str = "") -> Sheet:
    """Read a file; `encoding` is that of a CSV file. Raises FileRefused where it is too large, damaged, or no table."""
    if len(data) > MAX_BYTES:
        raise FileRefused(f"The file has {len(data) / 1e6:.0f} MB; at most {MAX_BYTES // 2**20} MB are read.")
    sheet = _read_csv(data, encoding) if format == "csv" else {"xlsx": _read_xlsx, "json": _read_json}[format](data)
    if not sheet.headings:
        raise FileRefused("The file is empty: the first row holds the names of the columns.")
    if len(sheet.headings) > MAX_COLUMNS:
        raise FileRefused(f"The file has {len(sheet.headings)} columns; at most {MAX_COLUMNS} are read.")
    return sheet


def _read_csv(data: bytes, encoding: str) -> Sheet:
    text = _decode(data, encoding)
    if "\0" in text:
        raise FileRefused("The file holds NUL characters: it is no text.")
    hint = SEPARATOR_HINT.match(text)
    text = text[hint.end() :] if hint else text
    lines = (line for line in text[:100_000].split("\n") if any(mark in line for mark in DELIMITERS))
    delimiter = hint[1] if hint else max(DELIMITERS, key=next(lines, "").count)
    _check_cells(text.count(delimiter))
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    return _table(_csv_rows(reader), is_csv=True)


DELIMITERS = ",;\t"
SEPARATOR_HINT = re.compile(r'"?sep=([,;\t|:])"?\r?\n', re.IGNORECASE)
"""A line that tells spreadsheets what stands between cells; it is no row."""


def _decode(data: bytes, encoding: str) -> str:
    """Return a file's text, in the encoding that was named; else in UTF-8, or UTF-16 where it says so itself."""
    if not encoding or encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        encoding = "utf-16" if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        if encoding != "utf-8-sig":
            raise FileRefused(f"Row {line}: the file is not in {encoding}. Choose another encoding.") from None
        hint = "Save it as “CSV UTF-8”, or say its encoding (`encoding`; a spreadsheet often writes cp1252)."
        raise FileRefused(f"Row {line}: the file is not UTF-8. {hint}") from None


def _check_cells(count: int, rows: int = 0) -> None:
    if count > MAX_CELLS or rows > MAX_ROWS:
        raise FileRefused(f"The file has more than {MAX_ROWS:,} rows or {MAX_CELLS:,} cells; split it.")


def _csv_rows(reader: Any) -> Iterator[tuple[int, list[str]]]:
    number = 0
    try:
        for number, row in enumerate(reader, 1):
            yield number, row
    except csv.Error as error:
        raise FileRefused(f"Row {number + 1}: {error}. Check the quotes.") from None


def _read_xlsx(data: bytes) -> Sheet:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if is_bomb(archive, len(data)):
                raise FileRefused("The file unpacks to far more than it should; it was not opened.")
            import openpyxl  # not at the top: its 180 modules would be a tenth of every start

            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            sheet = book.worksheets[0]
            sheet.reset_dimensions()
            return _table(_xlsx_rows(read_rows(sheet, archive)))
    except FileRefused:
        raise
    except Exception as error:  # A damaged workbook makes the libraries below raise whatever there is.
        raise FileRefused(f"This is no Excel workbook that can be read ({type(error).__name__}).") from None


def _xlsx_rows(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[int, list[Any]]]:
    for number, row in enumerate(rows, 1):
        _check_cells(len(row), number if number > LAST_ROW else 0)
        yield number, [decode(cell) if cell.__class__ is str and "_x" in cell else cell for cell in row]


def _read_json(data: bytes) -> Sheet:
    _check_cells(sum(map(data.count, (b",", b"{", b"["))))
    try:
        text = data.decode("utf-8-sig")
        found = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise FileRefused(f"This is not JSON: {error}") from None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise FileRefused('The JSON must be a list of objects: [{"name": "Ann"}, …].')
    if "\\u" in text:
        _check_texts(cell for one in found for cell in one.values())
    headings = list(dict.fromkeys(key for one in found for key in one))
    _check_cells(len(found) * len(headings), len(found))
    rows = [(number, [one.get(key, ABSENT) for key in headings]) for number, one in enumerate(found, 1)]
    return Sheet(headings, rows, exact=True)


def _check_texts(cells: Iterable[Any]) -> None:
    """Refuse what JSON can write and no database keeps: NUL, and halves of characters."""
    try:
        held = any("\0" in str(cell) for cell in cells if str(cell).encode())
    except UnicodeEncodeError:
        held = True
    if held:
        raise FileRefused("The file holds NUL characters or halves of characters: it is no text.")


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
            sheet.headings = ["" if isinstance(cell, Unreadable) else str(cell or "").strip() for cell in row]
            continue
        while len(row) > len(sheet.headings) and isinstance(row[-1], Unreadable):
            row.pop()
        if len(row) > len(sheet.headings):
            raise FileRefused(_too_wide(number, len(row), sheet.headings))
        row += [None] * (len(sheet.headings) - len(row))
        sheet.rows.append((number, [unescape(cell, is_csv) for cell in row]))
        _check_cells(cells, len(sheet.rows))
    sheet.headings = [unescape(heading, is_csv) for heading in sheet.headings]
    return sheet


def _too_wide(number: int, cells: int, headings: list[str]) -> str:
    text = f"Row {number} has {cells} cells, but there are {len(headings)} columns."
    if len(headings) == 1:
        return f"{text} Is {headings[0]!r} a title? Take what stands above the row of headings away."
    return f"{text} Check the quotes."


def _trimmed(cells: list[Any]) -> list[Any]:
    """Take the blank cells off the end of a row: spreadsheets write as many as were ever used."""
    while cells and (cells[-1] is None or (cells[-1].__class__ is str and not cells[-1].strip())):
        cells.pop()
    return cells
