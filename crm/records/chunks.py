"""Chunks of keys: a statement takes only so many parameters, and a batch only so much memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

CHUNK = 500
"""How many keys one statement takes; SQLite allows 999 parameters."""
Item = TypeVar("Item")


def chunks(items: list[Item], size: int = CHUNK) -> Iterator[list[Item]]:
    """Yield the items in their order, at most `size` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
