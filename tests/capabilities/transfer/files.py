"""Files made in a test, taken in, and what is told of them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import openpyxl

from crm.capabilities.transfer.preparation import ImportPlan
from crm.capabilities.transfer.runs import import_file
from tests.support.records import entity


def csv_file(*rows: Sequence[Any], delimiter: str = ",") -> bytes:
    """Return a CSV file; the first row holds the headings."""
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows(rows)
    return file.getvalue().encode()


def xlsx_file(*rows: Iterable[Any]) -> bytes:
    """Return a workbook with one sheet; the first row holds the headings."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def json_file(*records: Mapping[str, Any]) -> bytes:
    return json.dumps(records).encode()


def take_in(name: str, data: bytes, format: str = "csv", **options: Any) -> ImportPlan:
    """Import a file of an entity, as the command does."""
    return import_file(entity(name), f"{name}.{format}", data, **options)[1]


def told(found: ImportPlan) -> list[str]:
    """Return what is wrong with a file: as a whole, and by row and column."""
    return [*found.refusals, *(f"{row} {column}: {text}" for row, column, text in found.errors)]
