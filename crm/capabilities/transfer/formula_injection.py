"""Formula injection (CSV injection): cells that a spreadsheet would run are escaped, and unescaped at import.

A spreadsheet runs a text that begins with = + - @ tab or carriage return as a formula; it gets an apostrophe before it,
which spreadsheets take for "this is text". So does a text that is one of the file's words for nothing. One that has
apostrophes there already gets one more, so that taking one away gives back what was.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

DANGEROUS = re.compile(r"'*[=+\-@\t\r]")
ESCAPED = re.compile(r"'+[=+\-@\t\r]")
NUMBER = re.compile(r"(-?\d+([.,]\d+)?|\+[0-9]{7,15})\Z")
"""A number, or a phone number such as +4930901820: no spreadsheet runs it."""
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
CODE = re.compile(r"_x(?!0000)(00[01][0-9A-Fa-f]|005[Ff]|[Ff]{3}[EFef])_")
LONGEST = 32_767


class ExportRefused(Exception):
    """The records cannot be written in this format; the message says why and what to do."""


def escape(value: Any) -> Any:
    """Return a cell that no spreadsheet runs; numbers stay as they are."""
    if isinstance(value, str) and DANGEROUS.match(value) and not NUMBER.match(value):
        return f"'{value}"
    return value


def unescape(value: Any) -> Any:
    """Return a cell as it was before `escape`."""
    return value[1:] if isinstance(value, str) and ESCAPED.match(value) else value


def escape_null_word(value: Any, nulls: Collection[str]) -> Any:
    """Return a cell that is not taken for one of the words for nothing."""
    return f"'{value}" if _bare(value) in nulls else value


def unescape_null_word(value: Any, nulls: Collection[str]) -> Any:
    """Return a cell as it was before `mark`."""
    return value[1:] if isinstance(value, str) and value[:1] == "'" and _bare(value) in nulls else value


def _bare(value: Any) -> str | None:
    return str(value).strip().lstrip("'").strip() or None


def encode(text: str, label: str = "") -> str:
    """Return a text whose every character can stand in XLSX: others become `_x000B_`, as Excel itself writes them.

    Raises ExportRefused where the text is longer than a cell of Excel, which would cut it without a word.
    """
    cell = UNPRINTABLE.sub(lambda found: f"_x{ord(found[0]):04x}_", text)
    if len(cell) > LONGEST:
        why = f"{label}: a text has {len(cell):,} letters, and a cell of Excel holds {LONGEST:,}."
        raise ExportRefused(f"{why} Export as CSV or JSON.")
    return cell


def decode(value: Any) -> Any:
    """Return a cell as it was before `encode`."""
    return CODE.sub(lambda found: chr(int(found[1], 16)), value) if isinstance(value, str) and "_x" in value else value
