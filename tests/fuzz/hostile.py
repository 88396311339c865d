"""Hostile values: what nobody types by mistake, and what has stopped a worker before."""

from __future__ import annotations

import io
import zipfile

NUMBERS = [
    "1e1000000",
    "1e999999999",
    "-1e999999",
    "9" * 400,
    "1e-999999999",
    "0.0000000000000000000001",
    "NaN",
    "-Infinity",
    "1e308",
]
WHOLE = [
    "-1",
    "0",
    "999999999999999999",
    "9223372036854775807",
    "9223372036854775808",
    "9" * 30,
    "1.5",
    "\u0661\u0662",
    "1_000",
]
TEXTS = [
    "",
    " ",
    "\0",
    "a\0b",
    "%00",
    "\ufffe",
    "\u202e\u200b",
    "'",
    '"',
    "'; DROP TABLE x; --",
    "<script>alert(1)</script>",
    "{{ 7*7 }}",
]
TEXTS += [
    "../../etc/passwd",
    "//evil.example/x",
    "\r\nSet-Cookie: a=b",
    "e\u0301" * 50,
    "\U0001f600" * 100,
    "x" * 3_000,
    "word " * 400,
    "%" * 300,
]
DATES = [
    "0000-00-00",
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "2026-02-30",
    "2026-13-01",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31 23:59:59",
]
OTHERS = [
    "true",
    "None",
    "null",
    "[]",
    '{"a": 1e999999999}',
    '"\\ud800"',
    '["\\u0000"]',
    "[" * 900,
    "1h" * 200,
    "99999999999:59",
    "+999999999999999999",
]
VALUES = [*NUMBERS, *WHOLE, *TEXTS, *DATES, *OTHERS]
KEYS = [
    "abc",
    "0",
    "-1",
    "9" * 30,
    "999999999",
    "1.5",
    "%00",
    "%ED%A0%80",
    "_5F_00",
    "1%2F2",
    "..",
    "%F0%9F%98%80",
    "'",
    "1%20OR%201=1",
    "x" * 300,
]
"""What an address may hold where it names a record."""


def _archive(**parts: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/"), content)
    return data.getvalue()


def files(headings: list[str]) -> dict[str, bytes]:
    """Return files to import, or to upload in any other place, by name; `headings` are those of the entity."""
    first, row = headings[0] if headings else "id", ",".join(headings)
    cells = ["1e999999999", "NaN", "9999-12-31", "#99999999999999999999", "x" * 2_000, "=1+1", "\U0001f600"]
    lines = [",".join(cells[(number + at) % len(cells)] for at in range(len(headings))) for number in range(7)]
    return {
        "hostile.csv": "\n".join([row, *lines]).encode(),
        "nul.csv": f"{row}\n\0".encode(),
        "halves.csv": f"{row}\n".encode() + b"\xed\xa0\x80\xff",
        "quotes.csv": f'{row}\n"'.encode(),
        "same.csv": f"{first},{first},{first}\n1,2,3".encode(),
        "empty.csv": b"",
        "bom.csv": b"\xff\xfe\0\0",
        "numbers.json": ("[{" + ", ".join(f'"{name}": 1e999999999' for name in headings) + "}]").encode(),
        "whole.json": ("[{" + ", ".join(f'"{name}": {"9" * 4_000}' for name in headings) + "}]").encode(),
        "nan.json": f'[{{"{first}": NaN}}, {{"{first}": Infinity}}]'.encode(),
        "nested.json": ("[{" + f'"{first}": ' + "[" * 5_000 + "]" * 5_000 + "}]").encode(),
        "lists.json": ("[{" + ", ".join(f'"{name}": [1, {{"a": null}}]' for name in headings) + "}]").encode(),
        "half.json": f'[{{"{first}": "\\ud800"}}]'.encode(),
        "scalar.json": b"1e999999999",
        "empty.xlsx": _archive(a=b"x"),
        "broken.xlsx": b"PK\x03\x04" + b"\0" * 200,
        "sheet.xlsx": _archive(**{"xl__workbook.xml": b"<x/>", "xl__styles.xml": b"<x/>"}),
        "picture.png": b"\x89PNG\r\n\x1a\n" + b"\0" * 50,
        "x" * 300 + ".csv": row.encode(),
        "noending": b"\xff" * 100,
    }
