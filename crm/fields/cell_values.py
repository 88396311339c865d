"""Cells of spreadsheets that are more than their value: a share, a number shown as text, digits or a value not kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any


class Share(float):
    """A number that a spreadsheet shows as a percentage: 0.2, where people see 20 %."""


class ShownNumber(float):
    """A number that a spreadsheet shows as another text than its digits: 1067, where people see 01067."""

    def __new__(cls, value: float, shown: str) -> ShownNumber:
        made = super().__new__(cls, value)
        made.shown = shown
        return made


class Inexact(float):
    """A number of more than 15 digits in a spreadsheet, which keeps 15: the others are not in the file."""


@dataclass(frozen=True)
class Unreadable:
    """A cell whose content is not in the file, though a spreadsheet shows some; `reason` is a sentence."""

    reason: str
    error: str = ""
    """The error value that the cell shows instead, such as `#N/A`: definitions may name it among their `nulls`."""


def text_of(raw: Any) -> str:
    """Return a cell as text: a whole float from a spreadsheet without its `.0`, or what the spreadsheet shows.

    Raises ValueError where a spreadsheet has not kept all digits, or shows a text that the file does not tell.
    """
    if (shown := getattr(raw, "shown", None)) is not None:
        return shown
    if isinstance(raw, date | time | timedelta | Share):
        raise ValueError(AS_TEXT.format("a percentage" if isinstance(raw, Share) else "a date or a time"))
    if isinstance(raw, Inexact):
        raise ValueError(f"{raw:.15g} has more digits than a spreadsheet keeps in a number: make it a cell of text.")
    if isinstance(raw, float):
        return str(int(raw)) if raw.is_integer() else f"{raw:.15g}"
    return str(raw).strip()


AS_TEXT = "is {} in the spreadsheet, shown in a way that the file does not tell: make it a cell of text."
