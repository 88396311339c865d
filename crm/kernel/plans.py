"""Plans: what a model or an admin page will consist of, as data, each addition with its origin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass
from dataclasses import fields as dataclass_fields
from functools import partial
from typing import Any


class Clash(Exception):
    """Two additions want the same place; the message names both origins."""


@dataclass(frozen=True)
class Addition:
    """One thing that a plan adds: `origin` is a place in a file, or the name of a capability."""

    kind: str
    name: str
    value: Any
    origin: object
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: {describe(self.value)}  [{self.origin}]"


class Plan:
    """An ordered collection of additions, at most one of each kind and name."""

    def __init__(self, subject: str):
        self.subject = subject
        self._additions: dict[tuple[str, str], Addition] = {}

    def add(self, kind: str, name: str, value: Any, origin: object, *fields: str) -> None:
        """Add to the plan. Raises Clash where the place is taken."""
        first = self._additions.get((kind, name))
        if first:
            raise Clash(f"{self.subject}: two additions of {kind} {name!r}: by {first.origin} and by {origin}")
        self._additions[kind, name] = Addition(kind, name, value, origin, fields)

    def of(self, kind: str) -> dict[str, Any]:
        """Return the values of one kind by name, in the order of adding."""
        return {one.name: one.value for one in self if one.kind == kind}

    def about(self, field: str) -> list[Addition]:
        """Return the additions that a field is the cause of."""
        return [one for one in self if field in one.fields]

    def __iter__(self) -> Iterator[Addition]:
        return iter(self._additions.values())

    def __str__(self) -> str:
        return "\n".join([self.subject, *(f"  {one}" for one in self)])


def describe(value: Any) -> str:
    """Return a value of a plan as one line that is the same on every machine."""
    if hasattr(value, "deconstruct") and hasattr(value, "get_internal_type"):
        _, path, args, kwargs = value.deconstruct()
        shown = [repr(arg) for arg in args] + [f"{key}={describe(kwargs[key])}" for key in sorted(kwargs)]
        return f"{path.rsplit('.', 1)[-1]}({', '.join(shown)})"
    if isinstance(value, partial):
        return f"{describe(value.func)}({', '.join(map(describe, value.args))})"
    if is_dataclass(value) and "__str__" not in type(value).__dict__ and not isinstance(value, type):
        shown = [describe(getattr(value, one.name)) for one in dataclass_fields(value) if one.repr]
        return f"{type(value).__name__}({', '.join(shown)})"
    if callable(value) and hasattr(value, "__qualname__"):
        return value.__qualname__
    return str(value)
