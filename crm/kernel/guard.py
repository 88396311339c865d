"""The contract of the gate (`records/gate.py`): ways in and ways out hand it what they do, and it asks every guard."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models


@dataclass(frozen=True)
class WayIn:
    """A way by which records are written: a form, an import, a version that is brought back."""

    name: str
    summary: str
    verb: str = ""
    """What a user needs the right to; left out, it is `add` for a new record and `change` for another."""
    is_row_in_form: bool = False
    """Whether the records are rows in the form of their parent, which counts them itself."""
    has_rows_in_form: bool = False
    """Whether the record comes with its rows, which its form counts itself."""
    is_from_file: bool = False
    """Whether the types have read the values, cell by cell, within their limits; what is not asked for is refused."""
    is_restoring: bool = False
    """Whether the values were the record's own before: its uploads, and what stands in inputs that are hidden now."""


@dataclass(frozen=True)
class WayOut:
    """A way by which records disappear: a deletion, the rows that a form takes off, the undo of an import."""

    name: str
    summary: str
    is_taking_back: bool = False
    """Whether it takes back what the user has added: that needs no right to delete, but what is locked stays."""
    verb: str = "delete"
    """What a user needs the right to."""


@dataclass(frozen=True)
class Guard:
    """Stands at the gate under a name: refuses writes `before` they are done, or raises RuleBroken `after` them.

    `before` is called with a `Batch` of `IntendedWrite` (records/intended_write.py) and yields a `Refusal` each, in a
    number of queries that does not grow with it, but by one for each 500 writes.
    `after` is called with a model, primary keys, and the columns that were written (None for all). What a guard that
    `closes` has refused, no guard behind it is asked about: it would tell of a record that is not the user's.
    `removal` is called as `before` is, with a `Batch` of records that are about to disappear, as they are.
    """

    name: str
    summary: str
    before: Callable[[Any], Iterator[Any]] | None = None
    after: Callable[[type[models.Model], Collection[Any], Collection[str] | None], None] | None = None
    closes: bool = False
    removal: Callable[[Any], Iterator[Any]] | None = None
