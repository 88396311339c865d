"""The import plan (dry run): each row of the file, what it changes, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.blueprint.nodes import Entity
from crm.capabilities.transfer.columns import Column
from crm.capabilities.transfer.keys import key_fields
from crm.records import access
from crm.records.locks import select_for_write
from crm.records.record import Record

NEW, UPDATED, UNCHANGED, FAILED = "new", "updated", "unchanged", "failed"
PART = 2_000
"""How many rows have their records in memory at a time."""
Values = dict[str, list[Any]]
"""Field name → the value of each row: ABSENT where the file says nothing, None where it says nothing on purpose."""
NOTHING: Mapping[str, Any] = MappingProxyType({})
"""What most rows have most of: one for all of them."""


def _nothing() -> Mapping[str, Any]:
    return NOTHING


@dataclass(slots=True, eq=False)
class RowResult:
    """What a row of the file means: the record it makes or changes, what changes, and what is wrong with it."""

    index: int
    """The position of the row among the rows of the file."""
    number: int
    """The number that people see beside the row."""
    key: Any = None
    """The primary key of the record that the row means; that of a new one once it is written."""
    record: Record | None = None
    """The record as it will be, while its part of the file is in memory."""
    before: Record | None = None
    """The record as it was, where the row changes it."""
    status: str = FAILED
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=_nothing)
    links: Mapping[str, set[Any]] = field(default_factory=_nothing)
    """Many-to-many field → its new targets."""
    errors: Sequence[tuple[str, str]] = ()
    matched_by_key: bool = False
    """Whether the record was found by the natural key, and not by its `id`."""
    row_links: Mapping[str, NewRow] = field(default_factory=_nothing)
    """The links to one record that lead to a new record of the same file: field name → the row that makes it."""
    unreadable: Sequence[tuple[str, str]] = ()
    """Those of the errors that the cells alone have, whatever the records are."""
    version: str = ""
    """The version token of the record as the database has it; nothing for a new one."""
    fault: int = 0
    """The number of the row that is to blame, where this one only fails because it links to it."""

    def start_over(self) -> None:
        """Forget what came of comparing the row with the records."""
        self.key, self.record, self.before, self.status = None, None, None, FAILED
        self.changes = self.links = self.row_links = NOTHING
        self.errors, self.matched_by_key, self.version, self.fault = self.unreadable, False, "", 0

    def fail(self, heading: str, text: str) -> None:
        """Note what is wrong in a column of the row; everything that is wrong is told."""
        self.errors = [*self.errors, (heading, text)]

    def change(self, name: str, old: Any, new: Any) -> None:
        """Note that the row gives a field of a stored record another value."""
        self.changes = {**self.changes, name: (old, new)}

    def link(self, name: str, targets: set[Any]) -> None:
        """Note the new targets of a many-to-many field."""
        self.links = {**self.links, name: targets}

    def link_to_row(self, name: str, target: NewRow) -> None:
        """Note that a link to one record leads to what another row of the file makes."""
        self.row_links = {**self.row_links, name: target}

    @property
    def new_targets(self) -> Iterator[tuple[str, NewRow]]:
        """Yield the field and the target of each link that leads to a new record of the same file."""
        yield from self.row_links.items()
        for name, keys in self.links.items():
            yield from ((name, key) for key in keys if isinstance(key, NewRow))


@dataclass
class ImportPlan:
    """Everything an import would do, before anything is written. `refusals` are about the file as a whole.

    Rows are worked on in parts: their records are read, compared, checked and let go again, so that a file may be far
    larger than the records that fit in memory. The values of all rows stay, column by column.
    """

    entity: Entity
    model: type[Record]
    user: Any = None
    """Who imports; None for the system, which is asked nothing."""
    numbers: str = ""
    """How this file writes numbers, as a sample, where someone has said so."""
    locks: bool = False
    """Whether the records that rows mean are locked while they are compared, to be written in the same transaction."""
    exact: bool = False
    """Whether an empty cell leaves a new record no default, as JSON's null does."""
    columns: list[Column] = field(default_factory=list)
    values: Values = field(default_factory=dict)
    rows: list[RowResult] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    new_words: dict[str, dict[str, str]] = field(default_factory=dict)
    """Field → comparison form → the tag that will be made, as it was first written."""
    without_key: int = 0
    """How many rows name no record, though rows are matched by a key that people give: each adds one, every time."""
    lacks: set[str] = field(default_factory=set)
    """The verbs that the file takes, and that the user has no right to."""
    unreadable_keys: list[tuple[str, RowResult]] = field(default_factory=list)
    """The cells of the natural key that cannot be read, with their rows: a link within the file may name one."""
    unread: str = ""
    """What of the file was not read, as a sentence."""
    is_whole: bool = False
    """Whether all rows are one part, whose records stay: they depend on one another."""

    def parts(self) -> Iterator[list[RowResult]]:
        """Yield the rows in parts, and let the records of each go when the next one is asked for."""
        size = len(self.rows) if self.is_whole else PART
        for start in range(0, len(self.rows), size or 1):
            part = self.rows[start : start + size]
            yield part
            if not self.is_whole:
                for row in part:
                    row.record = row.before = None

    @property
    def counts(self) -> dict[str, int]:
        counts = dict.fromkeys((NEW, UPDATED, UNCHANGED, FAILED), 0)
        for row in self.rows:
            counts[row.status] += 1
        return counts

    @property
    def is_sound(self) -> bool:
        return not self.refusals and not self.counts[FAILED]

    @property
    def warning(self) -> str:
        """What is said of sheets that were not read, and of rows that cannot be matched."""
        return " ".join(filter(None, (self.unread, self._told_of_keys())))

    def _told_of_keys(self) -> str:
        if not self.without_key:
            return ""
        text = ngettext(
            "%(count)s row has no %(key)s, by which rows are matched: it adds a record each time that it is imported.",
            "%(count)s rows have no %(key)s, by which rows are matched: they add records each time they are imported.",
            self.without_key,
        )
        key = _(" and ").join(field.label.lower() for field in key_fields(self.entity))
        return text % {"count": self.without_key, "key": key}

    def fail(self, number: int, column: str, text: str) -> None:
        """Let a row be wrong; number 0 is the file as a whole."""
        if not number:
            self.refusals.append(text)
        for row in self.rows:
            if row.number == number:
                row.status = FAILED
                row.fail(column, text)
        self.blame()

    def blame(self) -> None:
        """Let every row fail that leads to a new record whose row fails, and say which row is to blame."""
        headings = {column.field.name: column.heading for column in self.columns if column.field}
        linking: dict[int, list[tuple[RowResult, str]]] = {}
        for row in self.rows:
            for name, target in row.new_targets:
                linking.setdefault(target.number, []).append((row, headings[name]))
        failing = [row for row in self.rows if row.errors] if linking else []
        while failing and linking:
            target = failing.pop()
            for row, heading in linking.pop(target.number, ()):
                if not row.errors:
                    row.fault, row.status = target.fault or target.number, FAILED
                    row.fail(
                        heading, _("leads to the record of row %(row)s, which cannot be imported.") % {"row": row.fault}
                    )
                    failing.append(row)

    @property
    def errors(self) -> list[tuple[int, str, str]]:
        """Every error as (row, column, sentence) in the order of the file; what follows from others comes last."""
        return list(self.iterate_errors())

    def iterate_errors(self) -> Iterator[tuple[int, str, str]]:
        """Yield every error, one by one: a large file may have as many as cells."""
        for is_consequence in (False, True):
            for row in self.rows:
                if row.errors and (row.fault != 0) is is_consequence:
                    yield from ((row.number, column, text) for column, text in row.errors)


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


def stored_records(plan: ImportPlan, column: str, values: Collection[Any]) -> models.QuerySet:
    """Return the records that hold one of the values in a column, with what comparing them to the file takes.

    Where they are locked, nobody else changes them until the transaction of the import is done.
    """
    many = [one.field.name for one in plan.columns if one.field and one.field.type.many]
    rows = plan.model._default_manager.filter(**{f"{column}__in": values}).prefetch_related(*many)
    joins = access.access_joins(plan.entity)
    rows = rows.select_related(*joins) if joins else rows
    return select_for_write(rows.order_by("pk")) if plan.locks else rows
