"""Formats of dates that contradict one another: a text that two of them read as different days is read by neither."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

PROBES = (
    datetime(2001, 2, 3, 4, 5, 6),
    datetime(2012, 11, 10, 9, 8, 7),
    datetime(2003, 12, 1, 13, 30),
    datetime(2010, 1, 2, 0, 0),
    datetime(1999, 10, 12, 11, 12),
)
"""Days whose day, month and year could stand for one another."""
ISO = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")
"""What always works, besides the formats that are named."""


def clashing_dates(formats: list[str]) -> Iterator[tuple[int, str]]:
    """Yield the position of each format that reads a text otherwise than one before it, or than ISO, and a sentence."""
    for index, form in enumerate(formats):
        for other in (*ISO, *formats[:index]):
            text = next((both_days for pair in ((form, other), (other, form)) if (both_days := _read_twice(*pair))), "")
            if text:
                yield index, f"{text!r} is another day as {form!r} than as {other!r}: only one of them can be right"
                break


def _read_twice(form: str, other: str) -> str:
    """Return a text of one format that the other reads as another moment; nothing where there is none."""
    for probe in PROBES:
        try:
            text = probe.strftime(form)
            if datetime.strptime(text, form) != datetime.strptime(text, other):
                return text
        except ValueError:
            continue
    return ""
