"""Files that are too large, damaged, or something else: each is refused with a reason, quickly, and in little memory."""

from __future__ import annotations

import io
import random
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from crm.capabilities.transfer import file_reader
from crm.capabilities.transfer.file_reader import FileRefused, format_of, read_sheet
from tests.capabilities.transfer.files import csv_file, json_file, xlsx_file
from tests.support.records import PIXEL

HEAD = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
TAIL = "</sheetData></worksheet>"


def workbook(sheet: str, **more: bytes) -> bytes:
    """Return a workbook whose only sheet holds this XML; `more` are other parts of the archive."""
    source, file = zipfile.ZipFile(io.BytesIO(xlsx_file(["name"]))), io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for one in source.namelist():
            made.writestr(one, sheet if one.endswith("sheet1.xml") else source.read(one))
        for name, data in more.items():
            made.writestr(name, data)
    return file.getvalue()


def peak() -> int:
    """Return the most memory that this process had at a time since its peak was reset, in MB."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) // 1024


@contextmanager
def within(seconds: float, megabytes: int) -> Iterator[None]:
    """Check that something takes no longer and no more memory than this."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew; that of getrusage never does
    before, start = peak(), time.process_time()
    yield
    took, grew = time.process_time() - start, peak() - before
    assert took < seconds, f"it took {took:.1f} s"
    assert grew < megabytes, f"it took {grew} MB"


def refused(data: bytes, format: str) -> str:
    with pytest.raises(FileRefused) as caught:
        read_sheet(data, format)
    return str(caught.value)


# Too large


def test_a_large_file_is_not_read(monkeypatch):
    monkeypatch.setattr(file_reader, "MAX_BYTES", 1_000_000)
    assert refused(b"x" * 1_000_001, "csv") == "The file has 1 MB; at most 0 MB are read."


@pytest.mark.parametrize(("format", "make"), [("csv", csv_file), ("xlsx", xlsx_file)])
def test_as_many_rows_as_the_limit_are_read_and_no_more(monkeypatch, format, make):
    monkeypatch.setattr(file_reader, "MAX_ROWS", 10)
    rows = [["name"], *([f"n{n}"] for n in range(11))]
    assert len(read_sheet(make(*rows[:-1]), format).numbers) == 10
    assert "more than 10 rows" in refused(make(*rows), format)


def test_as_many_records_of_json_as_the_limit_are_read(monkeypatch):
    monkeypatch.setattr(file_reader, "MAX_ROWS", 10)
    assert len(read_sheet(json_file(*[{"name": "x"}] * 10), "json").numbers) == 10
    assert "more than 10 rows" in refused(json_file(*[{"name": "x"}] * 11), "json")


@pytest.mark.parametrize(("format", "make"), [("csv", csv_file), ("xlsx", xlsx_file)])
def test_too_many_cells_are_refused(monkeypatch, format, make):
    monkeypatch.setattr(file_reader, "MAX_CELLS", 50)
    assert "50 cells" in refused(make(*[["a", "b", "c"]] * 20), format)


def test_too_many_columns_are_refused():
    names = [f"c{n}" for n in range(301)]
    for data, format in ((csv_file(names, names), "csv"), (xlsx_file(names, names), "xlsx")):
        assert refused(data, format) == "The file has 301 columns; at most 300 are read."
    assert "301 columns" in refused(json_file(dict.fromkeys(names, 1)), "json")


def test_json_records_of_ever_new_keys_are_refused_before_they_are_a_table():
    data = json_file(*({f"k{n}": 1} for n in range(100_000)))
    with within(5, 200):
        assert "cells" in refused(data, "json") or "columns" in refused(data, "json")


def test_json_of_nothing_but_brackets_is_refused_before_it_is_read():
    with within(3, 200):
        assert "cells" in refused(b"[" + b"{}," * 7_000_000 + b"{}]", "json")


def test_csv_of_nothing_but_commas_is_refused_before_it_is_read():
    with within(3, 200):
        assert "cells" in refused(b"," * 60_000_000, "csv")


# Workbooks that are bombs: small files that unpack to much


BOMBS: dict[str, Callable[[], bytes]] = {
    "many cells": lambda: workbook(HEAD + "<row>" + "<c/>" * 1_150_000 + "</row>" + TAIL),
    "many cells in a padded file": lambda: workbook(
        HEAD + "<row>" + "<c/>" * 4_000_000 + "</row>" + TAIL, padding=random.Random(7).randbytes(300_000)
    ),
    "many strings": lambda: workbook(HEAD + TAIL, **{"xl/sharedStrings.xml": b"<sst>" + b"<si/>" * 9_000_000 + b"</sst>"}),
    "wide rows": lambda: workbook(HEAD + '<row><c r="XFD1"/></row>' * 150_000 + TAIL),
    "a row far down": lambda: workbook(HEAD + '<row r="1"/><row r="99999999999"><c t="n"><v>1</v></c></row>' + TAIL),
    "a cell far to the right": lambda: workbook(HEAD + '<row><c r="ZZZZZZ1"><v>1</v></c></row>' + TAIL),
    "zeros": lambda: workbook(HEAD + TAIL, zeros=b"\0" * 300_000_000),
    "entities": lambda: workbook(
        "<!DOCTYPE x [" + '<!ENTITY a0 "x">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
        + f"]>{HEAD}<row><c t='str'><v>&a11;</v></c></row>{TAIL}"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_workbook_that_unpacks_to_much_is_refused(name):
    data = BOMBS[name]()
    assert len(data) < 400_000
    with within(6, 400):
        assert refused(data, "xlsx")


# Something else


@pytest.mark.parametrize(
    ("name", "data", "format", "reason"),
    [
        ("a picture that is called a workbook", PIXEL, "xlsx", "no Excel workbook"),
        ("a workbook of old Excel", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500, "xlsx", "no Excel workbook"),
        ("a truncated workbook", xlsx_file(["name"], ["Ann"])[:-200], "xlsx", "no Excel workbook"),
        ("an archive of something else", workbook(HEAD)[:30] + b"PK", "xlsx", "no Excel workbook"),
        ("a workbook with a broken sheet", workbook(HEAD + "<row><c>"), "xlsx", "no Excel workbook"),
        ("a workbook that is called CSV", xlsx_file(["name"]), "csv", "not UTF-8"),
        ("a quote that is not closed", b'name,email\n"Ann,a@b.c\n', "csv", r"Row 2: .* Check the quotes"),
        ("text behind a quote", b'name,email\nx,y\n"Ann"x,a@b.c\n', "csv", r"Row 3: .* Check the quotes"),
        ("text of western Windows", "name\nAnn\nRené\n".encode("latin-1"), "csv", "Row 3: the file is not UTF-8"),
        ("half a text in UTF-16", "name\nAnn\n".encode("utf-16")[:-1], "csv", "not in utf-16"),
        ("NUL characters", b"name\n\0\n", "csv", "NUL"),
        ("no rows at all", b"", "csv", "empty"),
        ("blank rows", b"\n,,\n\n", "csv", "empty"),
        ("an empty workbook", xlsx_file(), "xlsx", "empty"),
        ("one object", b'{"name": "Ann"}', "json", "list of objects"),
        ("a list of texts", b'["Ann"]', "json", "list of objects"),
        ("half a list", b'[{"name": ', "json", "not JSON"),
        ("lists in lists", b"[" * 100_000, "json", "not JSON"),
        ("a number of many digits", b'[{"a": 1' + b"0" * 5_000 + b"}]", "json", "not JSON"),
        ("NUL in JSON", b'[{"name": "a\\u0000"}]', "json", "NUL"),
        ("half a character in JSON", b'[{"name": "\\ud800"}]', "json", "halves of characters"),
        ("JSON of western Windows", '[{"name": "René"}]'.encode("latin-1"), "json", "not JSON"),
    ],
    ids=lambda one: one if isinstance(one, str) and len(one) < 40 else "data",
)
def test_a_file_of_another_kind_is_refused_with_the_reason(name, data, format, reason):
    with pytest.raises(FileRefused, match=reason):
        read_sheet(data, format)


@pytest.mark.parametrize("name", ["list.pdf", "list", "list.xls", "csv", "list.csv.exe"])
def test_the_name_says_the_format(name):
    with pytest.raises(FileRefused, match="the format is not known; use a .csv, .xlsx or .json file"):
        format_of(name)
    assert format_of("List.CSV") == "csv" and format_of("list.pdf", "json") == "json"


def test_whatever_is_wrong_with_a_workbook_it_is_refused():
    """A workbook with changed bytes is read or refused, whatever the libraries below make of it."""
    whole, chance = xlsx_file(["name", "day"], ["Ann", 1.5], ["Bob", True]), random.Random(7)
    parts = {one: zipfile.ZipFile(io.BytesIO(whole)).read(one) for one in zipfile.ZipFile(io.BytesIO(whole)).namelist()}
    outcomes = set()
    for _ in range(300):
        name = chance.choice(sorted(parts))
        inner = bytearray(parts[name])
        for _ in range(chance.randint(1, 6)):
            inner[chance.randrange(len(inner))] = chance.randrange(256)
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as made:
            for one, data in parts.items():
                made.writestr(one, bytes(inner) if one == name else data)
        damaged = bytearray(file.getvalue())
        if chance.random() < 0.5:
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        try:
            read_sheet(bytes(damaged), "xlsx")
            outcomes.add("read")
        except FileRefused:
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}


# What is read all the same


def test_the_number_of_a_row_is_the_one_that_people_see():
    data = b'\n\nname,email\n\n"Ann\nLee",a@b.c\n\nBob,b@b.c\n'
    assert read_sheet(data, "csv").numbers == [5, 7]
    assert read_sheet(xlsx_file([], ["name"], [], ["Ann"]), "xlsx").numbers == [4]


@pytest.mark.parametrize(
    "data", [b"name,email\rAnn,a@b.c\r", "\ufeffname,email\r\nAnn,a@b.c".encode(), b"name;email\nAnn;a@b.c"]
)
def test_files_of_other_systems_are_read(data):
    sheet = read_sheet(data, "csv")
    assert sheet.headings == ["name", "email"] and [row for _, row in sheet.rows] == [["Ann", "a@b.c"]]


def test_a_short_row_is_filled_up():
    assert list(read_sheet(b"a,b,c\n1\n", "csv").rows) == [(2, ["1", None, None])]
