"""Plans: what a model or an admin page will consist of, as data, each addition with its origin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass
from dataclasses import fields as dataclass_fields
from enum import StrEnum
from functools import partial
from typing import Any


class Kind(StrEnum):
    """What an addition is; behind each, what its value is and who reads it."""

    # Of a model, read by `builders/models.py` when it makes the class
    COLUMN = "column"
    """A model field."""
    CONSTRAINT = "constraint"
    """A `UniqueConstraint`."""
    INDEX = "index"
    """A `models.Index`."""
    PERMISSION = "permission"
    """The text of a permission; its name is the verb."""
    CLASS_ATTRIBUTE = "class attribute"
    """Any value, which becomes an attribute of the model class."""
    POST_BUILD = "post build"
    """A `Finish`, run with the class once all classes are built."""

    # Of an admin page, read by `builders/admin.py` when it makes the class, or by `RecordAdmin` on each request
    FILTER = "filter"
    """A path that the list can be filtered by. Columns of the list are `COLUMN`, of this collection."""
    SEARCH = "search"
    """A path that the search box looks into."""
    ORDER = "order"
    """A path that the list is ordered by."""
    TAB = "tab"
    """A `Tab` of the form."""
    PANEL = "panel"
    """A `Panel`, read when its tab is opened; its name is the word that a tab gives."""
    PAGE = "page"
    """A `Page` below the list's address."""
    LIST_BUTTON = "list button"
    """A `Button` above the list."""
    RECORD_BUTTON = "record button"
    """A `Button` above the record."""
    BULK_ACTION = "bulk action"
    """A `BulkAction` for ticked rows."""
    REASON = "reason"
    """True: every form and bulk action asks for a reason."""
    DELETE_WARNING = "delete warning"
    """A sentence above the confirmation of a deletion."""
    MISSING_RECORD_PAGE = "missing record page"
    """A function (admin, request, id) that may answer in place of "not found"."""
    HELP = "help"
    """A function (admin, request) that returns a part of the help page, as HTML."""
    FILE_COLUMN = "file column"
    """The type of a column of exported files; read by `explain` alone."""
    GUARDED_BY = "guarded by"
    """What changes a field that no form may; read by `explain` alone."""


class ConflictError(Exception):
    """Two additions want the same place; the message names both origins."""


@dataclass(frozen=True)
class Addition:
    """One thing that a plan adds: `origin` is a place in a file, or the name of a capability."""

    kind: Kind
    name: str
    value: Any
    origin: object
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: {describe_value(self.value)}  [{self.origin}]"


class Contributions:
    """An ordered collection of additions, at most one of each kind and name."""

    def __init__(self, subject: str):
        self.subject = subject
        self._additions: dict[tuple[Kind, str], Addition] = {}

    def add(self, kind: Kind, name: str, value: Any, origin: object, *fields: str) -> None:
        """Add to the plan. Raises ConflictError where the place is taken."""
        first = self._additions.get((kind, name))
        if first:
            raise ConflictError(f"{self.subject}: two additions of {kind} {name!r}: by {first.origin} and by {origin}")
        self._additions[kind, name] = Addition(kind, name, value, origin, fields)

    def by_kind(self, kind: Kind) -> dict[str, Any]:
        """Return the values of one kind by name, in the order of adding."""
        return {addition.name: addition.value for addition in self if addition.kind == kind}

    def about(self, field: str) -> list[Addition]:
        """Return the additions that a field is the cause of."""
        return [addition for addition in self if field in addition.fields]

    def __iter__(self) -> Iterator[Addition]:
        return iter(self._additions.values())

    def __str__(self) -> str:
        return "\n".join([self.subject, *(f"  {addition}" for addition in self)])


def describe_value(value: Any) -> str:
    """Return a value of a plan as one line that is the same on every machine."""
    if hasattr(value, "deconstruct") and hasattr(value, "get_internal_type"):
        _, path, args, kwargs = value.deconstruct()
        shown = [repr(arg) for arg in args] + [f"{key}={describe_value(kwargs[key])}" for key in sorted(kwargs)]
        return f"{path.rsplit('.', 1)[-1]}({', '.join(shown)})"
    if isinstance(value, partial):
        return f"{describe_value(value.func)}({', '.join(map(describe_value, value.args))})"
    if is_dataclass(value) and "__str__" not in type(value).__dict__ and not isinstance(value, type):
        shown = [describe_value(getattr(value, one.name)) for one in dataclass_fields(value) if one.repr]
        return f"{type(value).__name__}({', '.join(shown)})"
    if callable(value) and hasattr(value, "__qualname__"):
        return value.__qualname__
    return str(value)
