"""Numbers as people read them: medians with their spread, ratios of paired runs, and tables."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from importlib.metadata import version

PACKAGES = ("Django", "django-unfold", "django-simple-history", "django-import-export", "django-filter", "psycopg")


def versions() -> str:
    """Return what the numbers depend on: interpreter, libraries, and how many processors there are."""
    found = [f"{name} {version(name)}" for name in PACKAGES]
    return ", ".join([f"Python {platform.python_version()}", *found, f"{os.cpu_count()} processors"])


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the lower quartile, the median and the upper quartile."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def spread(values: Sequence[float], unit: str = "") -> str:
    """Return the median with the middle half of the values: `21.3 (20.9–22.0) ms`; of a single value, itself."""
    low, middle, high = quartiles(values)
    shown = short(middle) if len(values) == 1 else f"{short(middle)} ({short(low)}–{short(high)})"
    return f"{shown} {unit}".strip()


def ratio(ones: Sequence[float], others: Sequence[float]) -> str:
    """Return how many times `ones` are `others`, pair by pair; where the runs are not paired, that of the medians."""
    if len(ones) == len(others):
        return spread([one / other for one, other in zip(ones, others, strict=True)], "×")
    return f"{short(statistics.median(ones) / statistics.median(others))} ×"


def short(value: float) -> str:
    """Return a number with three digits that count: 0.123, 1.23, 12.3, 1,234."""
    size = abs(value)
    places = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:,.{places}f}"


def show(title: str, headings: Sequence[str], rows: Sequence[Sequence[object]], notes: Sequence[str] = ()) -> None:
    """Print a table under its title: the first column to the left, numbers to the right, notes below."""
    lines = [[str(cell) for cell in row] for row in (headings, *rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(headings))]
    print(f"\n{title}\n")
    for number, line in enumerate(lines):
        print("  " + "  ".join(_aligned(cell, width, index) for index, (cell, width) in _numbered(line, widths)))
        if number == 0:
            print("  " + "  ".join("-" * width for width in widths))
    for note in notes:
        print(f"  {note}")
    print(flush=True)


def _numbered(line: list[str], widths: list[int]) -> enumerate:
    return enumerate(zip(line, widths, strict=True))


def _aligned(cell: str, width: int, index: int) -> str:
    return cell.rjust(width) if index else cell.ljust(width)
