"""Formula injection (CSV injection): cells that a spreadsheet would run are escaped, and unescaped at import.

A spreadsheet runs a text that begins with = + - @ tab or carriage return as a formula (formula injection, CSV
injection), and so it does with the full-width signs; it gets an apostrophe before it, which spreadsheets take for "this
is text". So does a text that is one of the file's words for nothing. One that has apostrophes there already gets one
more, so that taking one away gives back what was.

In CSV a cell can end where its writer did not mean it to: where the list separator is a semicolon or a tab, as in most
of Europe, a spreadsheet takes those in the middle of a cell for its end, and a new line for that of the row. The quotes
of CSV are of no help there, for they count at the beginning of a cell alone; so the sign behind one of those gets its
apostrophe too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.utils.translation import gettext as _

SIGNS = r"(?=[=+\-@\t\r＝＋－＠])"
START = re.compile(rf"\A('*){SIGNS}"), re.compile(rf"\A'('*){SIGNS}")
ANYWHERE = re.compile(rf"(\A|[;\t\r\n]\"*)('*){SIGNS}"), re.compile(rf"(\A|[;\t\r\n]\"*)'('*){SIGNS}")
"""What is escaped, and what was: at the start of a cell, and in CSV behind whatever may begin another one."""
NUMBER = re.compile(r"(-?\d+([.,]\d+)?|\+[0-9]{7,15})\Z")
"""A number, or a phone number such as +4930901820: no spreadsheet runs it."""
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
CODE = re.compile(r"_x(?!0000)(00[01][0-9A-Fa-f]|0023|005[Ff]|[Ff]{3}[EFef])_")
ERROR = re.compile(r"\A#(?=(N/A|NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!)\Z)")
"""A text that would be written as the error of a formula: its sign becomes `_x0023_`, which Excel shows as the sign."""
LONGEST = 32_767


class ExportRefused(Exception):
    """The records cannot be written in this format; the message says why and what to do."""


def escape(value: Any, is_csv: bool = False) -> Any:
    """Return a cell that no spreadsheet runs; numbers stay as they are."""
    if not isinstance(value, str) or NUMBER.match(value):
        return value
    return ANYWHERE[0].sub(r"\1'\2", value) if is_csv else START[0].sub(r"'\1", value)


def unescape(value: Any, is_csv: bool = False) -> Any:
    """Return a cell as it was before `escape`."""
    if not isinstance(value, str) or "'" not in value:
        return value
    return ANYWHERE[1].sub(r"\1\2", value) if is_csv else START[1].sub(r"\1", value)


SEPARATORS = re.compile(r"""[",;\t\r\n]|\A'""")
"""What has a cell of CSV stand in quotes: what separates cells in any region, and an apostrophe that must stay."""


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as CSV, in which a cell that holds the separator of any region stands in quotes."""
    return "".join(f"{','.join(map(_csv_cell, row)) or QUOTED_NOTHING}\r\n" for row in rows)


QUOTED_NOTHING = '""'
"""A row of one empty cell; a line with nothing in it would be no row."""


def _csv_cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f'"{text.replace(QUOTE, QUOTE * 2)}"' if SEPARATORS.search(text) else text


QUOTE = '"'


def escape_null_word(value: Any, nulls: Collection[str]) -> Any:
    """Return a cell that is not taken for one of the words for nothing."""
    return f"'{value}" if _bare(value) in nulls else value


def unescape_null_word(value: Any, nulls: Collection[str]) -> Any:
    """Return a cell as it was before `escape_null_word`."""
    return value[1:] if isinstance(value, str) and value[:1] == "'" and _bare(value) in nulls else value


def _bare(value: Any) -> str | None:
    return str(value).strip().lstrip("'").strip() or None


def encode(text: str, label: str = "") -> str:
    """Return a text whose every character can stand in XLSX: others become `_x000B_`, as Excel itself writes them.

    Raises ExportRefused where the text is longer than a cell of Excel, which would cut it without a word.
    """
    cell = ERROR.sub("_x0023_", UNPRINTABLE.sub(lambda found: f"_x{ord(found[0]):04x}_", text))
    if len(cell) > LONGEST:
        words = {"field": label, "count": f"{len(cell):,}", "most": f"{LONGEST:,}"}
        text = _("%(field)s: a text has %(count)s letters, and a cell of Excel holds %(most)s. Export as CSV or JSON.")
        raise ExportRefused(text % words)
    return cell


def decode(value: Any) -> Any:
    """Return a cell as it was before `encode`."""
    return CODE.sub(lambda found: chr(int(found[1], 16)), value) if isinstance(value, str) and "_x" in value else value
