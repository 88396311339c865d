"""A checked expression: a tree whose every node knows the kind of its value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

NUMBER, TEXT, BOOLEAN = "number", "text", "boolean"
DATE, DATETIME, TIME, DURATION = "date", "datetime", "time", "duration"
RECORD, USER, NULL = "record", "user", "nothing"
SAID = {TEXT: "text", BOOLEAN: "yes or no", DATETIME: "a moment", NULL: "nothing"}


@dataclass(frozen=True)
class Kind:
    """What a value is: `places` of a number, `entity` of a record."""

    name: str
    places: int = 0
    entity: str = ""

    def __str__(self) -> str:
        return SAID.get(self.name, f"a record of {self.entity}" if self.name == RECORD else f"a {self.name}")


@dataclass(frozen=True)
class Node:
    """A part of an expression; `offset` counts the letters before it in the text."""

    kind: Kind
    offset: int = field(default=0, compare=False, kw_only=True)

    @property
    def parts(self) -> tuple[Node, ...]:
        return ()

    def walk(self) -> Iterator[Node]:
        """Yield the node and everything below it."""
        yield self
        for part in self.parts:
            yield from part.walk()


@dataclass(frozen=True)
class Literal(Node):
    """A value that stands in the text."""

    value: Any = None


@dataclass(frozen=True)
class Path(Node):
    """A field of the record, or one that links lead to; `steps` are fields of the blueprint.

    With `of_user`, the way starts at the record of the one who looks, and no steps mean that person.
    """

    steps: tuple[Any, ...] = ()
    of_user: bool = False

    def __str__(self) -> str:
        return ".".join([*(["user"] if self.of_user else []), *(step.name for step in self.steps)])


@dataclass(frozen=True)
class Operation(Node):
    """An operator or a function with its arguments; `name` is the operator's sign or the function's name."""

    name: str = ""
    arguments: tuple[Node, ...] = ()

    @property
    def parts(self) -> tuple[Node, ...]:
        return self.arguments


@dataclass(frozen=True)
class Aggregate(Node):
    """Something of all records that point to one: `sum(payments.amount, status == 'settled')`.

    `relation_path` leads by links from the record to the parent (empty for the record itself), `link` is the
    children's link to the parent, `value` the way from a child to what is summed up (empty for `count`), `where` a
    condition on a child.
    """

    name: str = ""
    relation_path: tuple[Any, ...] = ()
    link: Any = None
    value: tuple[Any, ...] = ()
    where: Node | None = None
    of_table: str = ""
    """The table field whose rows they are, where they are rows."""

    @property
    def parts(self) -> tuple[Node, ...]:
        return (self.where,) if self.where else ()


@dataclass(frozen=True)
class Expression:
    """A checked expression with its text."""

    source: str
    root: Node
    entity: Any = field(compare=False, default=None)

    @property
    def kind(self) -> Kind:
        return self.root.kind

    @property
    def is_timed(self) -> bool:
        """Say whether its value changes as time goes by, without anything being written."""
        return any(isinstance(node, Operation) and node.name in TIMED for node in self.root.walk())

    @property
    def needs_user(self) -> bool:
        return any(isinstance(node, Path) and node.of_user for node in self.root.walk())

    @property
    def is_of_row(self) -> bool:
        """Say whether it reads nothing but columns of the record itself."""
        return all(
            not isinstance(node, Aggregate) and not (isinstance(node, Path) and (len(node.steps) > 1 or node.of_user))
            for node in self.root.walk()
        )

    def __str__(self) -> str:
        return self.source


TIMED = {"today", "now", "days_since"}
