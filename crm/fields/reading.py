"""How a file writes its values: what a field type's `parse` is told of the file."""

from __future__ import annotations

from dataclasses import dataclass

from crm.fields.notation import Notation


@dataclass(frozen=True)
class Reading:
    """How a file writes what is not plain: its words for nothing, its date formats (strptime's), its numbers."""

    nulls: frozenset[str] = frozenset({""})
    dates: tuple[str, ...] = ()
    numbers: Notation | None = None
    """How its texts write numbers; None is the English way, as in definitions."""
