"""The import plan (dry run): each row of the file, what it changes, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import models

from crm.blueprint.nodes import Entity
from crm.capabilities.transfer.columns import Column
from crm.records import access
from crm.records.record import Record
from crm.records.stored import lock

NEW, UPDATED, UNCHANGED, FAILED = "new", "updated", "unchanged", "failed"
NOT_YOURS = "names a record that is not yours to change."
FAULT = "leads to the record of row {row}, which cannot be imported."
Values = dict[str, list[Any]]
"""Field name → the value of each row: ABSENT where the file says nothing, None where it says nothing on purpose."""


@dataclass
class RowResult:
    """What a row of the file means: the record it makes or changes, what changes, and what is wrong with it."""

    number: int
    record: Record | None = None
    before: Record | None = None
    """The record as it was, where the row changes it."""
    status: str = FAILED
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    links: dict[str, set[Any]] = field(default_factory=dict)
    errors: list[tuple[str, str]] = field(default_factory=list)
    matched_by_key: bool = False
    """Whether the record was found by the natural key, and not by its `id`."""
    row_links: dict[str, NewRow] = field(default_factory=dict)
    """The links to one record that lead to a new record of the same file: field name → the row that makes it."""
    version: str = ""
    """The version token of the record as the database has it; nothing for a new one."""
    fault: int = 0
    """The number of the row that is to blame, where this one only fails because it links to it."""

    @property
    def new_targets(self) -> Iterator[tuple[str, NewRow]]:
        """Yield the field and the target of each link that leads to a new record of the same file."""
        yield from self.row_links.items()
        for name, keys in self.links.items():
            yield from ((name, key) for key in keys if isinstance(key, NewRow))


@dataclass
class ImportPlan:
    """Everything an import would do, before anything is written. `refusals` are about the file as a whole."""

    entity: Entity
    model: type[Record]
    user: Any = None
    """Who imports; None for the system, which is asked nothing."""
    numbers: str = ""
    """How this file writes numbers, as a sample, where someone has said so."""
    locks: bool = False
    """Whether the records that rows mean are locked while they are compared, to be written in the same transaction."""
    columns: list[Column] = field(default_factory=list)
    rows: list[RowResult] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    new_words: dict[str, dict[str, str]] = field(default_factory=dict)
    """Field → comparison form → the tag that will be made, as it was first written."""
    lacks: set[str] = field(default_factory=set)
    """The verbs that the file takes, and that the user has no right to."""

    @property
    def counts(self) -> dict[str, int]:
        found = dict.fromkeys((NEW, UPDATED, UNCHANGED, FAILED), 0)
        for row in self.rows:
            found[row.status] += 1
        return found

    @property
    def is_sound(self) -> bool:
        return not self.refusals and not self.counts[FAILED]

    def fail(self, number: int, column: str, text: str) -> None:
        """Let a row be wrong; number 0 is the file as a whole."""
        if not number:
            self.refusals.append(text)
        for row in self.rows:
            if row.number == number:
                row.status = FAILED
                row.errors.append((column, text))
        self.blame()

    def blame(self) -> None:
        """Let every row fail that leads to a new record whose row fails, and say which row is to blame."""
        headings = {column.field.name: column.heading for column in self.columns if column.field}
        linking: dict[int, list[tuple[RowResult, str]]] = {}
        for row in self.rows:
            for name, target in row.new_targets:
                linking.setdefault(target.number, []).append((row, headings[name]))
        failing = [row for row in self.rows if row.errors]
        while failing and linking:
            target = failing.pop()
            for row, heading in linking.pop(target.number, ()):
                if not row.errors:
                    row.fault, row.status = target.fault or target.number, FAILED
                    row.errors.append((heading, FAULT.format(row=row.fault)))
                    failing.append(row)

    @property
    def errors(self) -> list[tuple[int, str, str]]:
        """Every error as (row, column, sentence) in the order of the file; what follows from others comes last."""
        rows = sorted(self.rows, key=lambda row: row.fault != 0)
        return [(row.number, column, text) for row in rows for column, text in row.errors]


@dataclass(frozen=True)
class PendingTag:
    """A tag that will be there once the import is written."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class NewRow:
    """A record that will be there once the import is written: the one that a row of the same file makes."""

    number: int
    row: RowResult = field(compare=False, repr=False)


def stored_records(found: ImportPlan, **where: Any) -> models.QuerySet:
    """Return records of the database with what comparing them to the file's columns takes.

    Where they are locked, nobody else changes them until the transaction of the import is done.
    """
    many = [one.field.name for one in found.columns if one.field and one.field.type.many]
    rows = found.model._default_manager.filter(**where).prefetch_related(*many)
    joins = access.access_joins(found.entity)
    rows = rows.select_related(*joins) if joins else rows
    return lock(rows.order_by("pk")) if found.locks else rows
