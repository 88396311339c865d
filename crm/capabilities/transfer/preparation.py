"""The import plan (dry run): each row of the file, what it changes, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import models

from crm.blueprint.nodes import Entity
from crm.capabilities.transfer.columns import Column
from crm.records import access
from crm.records.record import Record

NEW, UPDATED, UNCHANGED, FAILED = "new", "updated", "unchanged", "failed"
NOT_YOURS = "names a record that is not yours to change."
Values = dict[str, list[Any]]
"""Field name → the value of each row: ABSENT where the file says nothing, None where it says nothing on purpose."""


@dataclass
class RowResult:
    """What a row of the file means: the record it makes or changes, what changes, and what is wrong with it."""

    number: int
    record: Record | None = None
    status: str = FAILED
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    links: dict[str, set[Any]] = field(default_factory=dict)
    errors: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class ImportPlan:
    """Everything an import would do, before anything is written. `refusals` are about the file as a whole."""

    entity: Entity
    model: type[Record]
    user: Any = None
    """Who imports; None for the system, which is asked nothing."""
    columns: list[Column] = field(default_factory=list)
    rows: list[RowResult] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    new_words: dict[str, list[str]] = field(default_factory=dict)

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

    @property
    def errors(self) -> list[tuple[int, str, str]]:
        """Every error as (row, column, sentence), in the order of the file."""
        return [(row.number, column, text) for row in self.rows for column, text in row.errors]


@dataclass(frozen=True)
class PendingTag:
    """A tag that will be there once the import is written."""

    name: str

    def __str__(self) -> str:
        return self.name


def stored_records(found: ImportPlan, **where: Any) -> models.QuerySet:
    """Return records of the database with what comparing them to the file's columns takes."""
    many = [one.field.name for one in found.columns if one.field and one.field.type.many]
    rows = found.model._default_manager.filter(**where).prefetch_related(*many)
    joins = access.access_joins(found.entity)
    return rows.select_related(*joins) if joins else rows
