"""Cells of a workbook whose text differs from their value: numbers, percentages, dates and times, as they are shown.

A field of numbers or dates takes the value; a field of text takes what people see (`shown`). Where the format leaves
that to the language of whoever opens the file, `shown` is None, and a field of text refuses the cell.
"""

from __future__ import annotations

import re
from datetime import datetime, time
from decimal import ROUND_HALF_UP, Decimal

from crm.fields.cell_values import Share

NUMBER = re.compile(r"""(?:\\.|"[^"]*"|[-0. ()/])+\Z""")
"""The formats of numbers whose text is written here: zeros for digits, a point, letters that stand for themselves."""
NUMBER_PIECE = re.compile(r"""\\(.)|"([^"]*)"|(.)""", re.DOTALL)
PERCENT = re.compile(r"0(?:\.(0+))?%")
MOMENT_PIECE = re.compile(
    r"""\\(?P<escaped>.)|"(?P<quoted>[^"]*)"|(?P<mark>[-/.:, ])"""
    r"""|(?P<code>(?P<letter>[ymdhs])(?P=letter)*)|(?P<other>.)""",
    re.IGNORECASE | re.DOTALL,
)
CODES = {
    "yyyy": "{0:%Y}", "yy": "{0:%y}", "mm": "{0:%m}", "m": "{0.month}", "dd": "{0:%d}", "d": "{0.day}",
    "hh": "{0:%H}", "h": "{0.hour}", "ss": "{0:%S}", "s": "{0.second}", "minutes": "{0:%M}",
}  # fmt: skip
"""What stands for a part of a moment. Names of months and days are left out: they differ from language to language."""


OF_THE_COUNTRY = ("mm-dd-yy", "m/d/yy h:mm")
"""What the library calls the formats by number that every spreadsheet shows as its country writes days."""


class ShownShare(Share):
    """A percentage of a workbook, with its format."""

    form = ""

    @property
    def shown(self) -> str | None:
        return format_share(self, self.form)


class ShownMoment(datetime):
    """A date or a moment of a workbook, with its format."""

    form = ""

    @property
    def shown(self) -> str | None:
        return format_moment(self, self.form)


class ShownTime(time):
    """A time of day of a workbook, with its format."""

    form = ""

    @property
    def shown(self) -> str | None:
        return (
            format_moment(datetime.combine(datetime.min, self), self.form) if not re.search("[yd]", self.form) else None
        )


def with_format(value: object, form: str) -> object:
    """Return a value of a cell that also knows the format in which it is shown."""
    if isinstance(value, datetime):
        made: ShownMoment | ShownTime | ShownShare = ShownMoment.combine(value.date(), value.time())
    elif isinstance(value, time):
        made = ShownTime(value.hour, value.minute, value.second, value.microsecond)
    elif "%" in form and isinstance(value, int | float):
        made = ShownShare(value)
    else:
        return value
    made.form = form
    return made


def format_share(value: float, form: str) -> str | None:
    """Return a percentage as a format such as `0.0%` shows it; None for other formats."""
    match = PERCENT.fullmatch(form)
    if match is None:
        return None
    places = Decimal(1).scaleb(-len(match[1] or ""))
    return f"{(Decimal(repr(float(value))) * 100).quantize(places, ROUND_HALF_UP)}%"


def format_moment(value: datetime, form: str) -> str | None:
    """Return a moment as a format such as `yyyy-mm-dd hh:mm` shows it; None where that depends on a language."""
    pieces = list(MOMENT_PIECE.finditer(form.split(";")[0]))
    codes = [(match["code"] or "").lower() for match in pieces]
    if form in OF_THE_COUNTRY or not any(codes) or any(match["other"] for match in pieces):
        return None
    parts = [code for code in codes if code]
    shown, count = [], 0
    for match, code in zip(pieces, codes, strict=True):
        if not code:
            shown.append(match["escaped"] or match["quoted"] or match["mark"] or "")
            continue
        before, after = parts[:count][-1:], parts[count + 1 :][:1]
        count += 1
        is_minute = code == "mm" and (before in (["h"], ["hh"]) or after in (["s"], ["ss"]))
        name = "minutes" if is_minute else code
        if name not in CODES:
            return None
        shown.append(CODES[name].format(value))
    return "".join(shown)


def format_number(value: float, form: str) -> str:
    """Return a number as a format such as `00000` or `000-000` shows it; nothing for other formats."""
    form = form.split(";")[0]
    if not NUMBER.match(form) or value < 0:
        return ""
    letters = [(plain, escaped or quoted) for escaped, quoted, plain in NUMBER_PIECE.findall(form)]
    places = [plain for plain, _ in letters if plain in ("0", ".")]
    whole, point, decimals = "".join(places).partition(".")
    if not whole or "." in decimals or (len(whole) == 1 and not point and len(letters) == 1):
        return ""
    digits = f"{value:.{len(decimals)}f}".replace(".", "").zfill(len(whole) + len(decimals))
    spare = len(digits) - len(whole) - len(decimals)
    queue, shown, started = iter(digits), [], False
    for plain, literal in letters:
        if plain == "0":
            shown += [next(queue) for _ in range(1 if started else spare + 1)]
            started = True
        else:
            shown.append(plain or literal)
    return "".join(shown)
