"""What was asked for on the command line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """Sizes are numbers of rows; `quick` makes everything small, to see that it works."""

    sizes: tuple[int, ...]
    quick: bool
