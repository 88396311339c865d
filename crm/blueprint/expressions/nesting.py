"""How deep the SQL of an expression nests: the parser of SQLite has a stack of 100, and gives up beyond it.

The weights are what an operation puts onto that stack, rounded up; `tests/expressions/test_depth.py` holds them against
SQLite itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crm.blueprint.expressions.tree import DATE, DATETIME, DURATION, Aggregate, Literal, Node, Operation, Path

MAX_NESTING = 80
SIGNS = {"+", "-", "*", "and", "or", "==", "!=", "<", "<=", ">", ">="}
WEIGHTS = {
    "neg": 3, "not": 3, "abs": 5, "lower": 5, "len": 9, "year": 13, "month": 13, "date": 6, "days_since": 10, "/": 8,
    "days_between": 13, "hours_in": 13, "round": 8, "if": 10, "coalesce": 8, "days": 17, "hours": 17, "min": 16,
    "max": 16,
}  # fmt: skip
MOVED = {DATE: 13, DATETIME: 20, DURATION: 10}
SHOWN = {DATETIME: 28, DURATION: 2}
OF_CHILDREN = 20
LASTING = {"days", "hours"}


def nesting(root: Node, of_field: Callable[[Any], int] = lambda field: 0) -> int:
    """Return how deep an expression nests; `of_field` says it of a field whose expression stands in for it."""
    return SHOWN.get(root.kind.name, 0) + _nesting(root, of_field)


def _nesting(node: Node, of_field: Callable[[Any], int]) -> int:
    if isinstance(node, Path):
        return 2 + (of_field(node.steps[-1]) if node.steps else 0)
    if isinstance(node, Aggregate):
        return OF_CHILDREN + max(
            [0, *(of_field(one) for one in node.value), *(_nesting(one, of_field) for one in node.parts)]
        )
    if not isinstance(node, Operation) or (node.name in LASTING and isinstance(node.arguments[0], Literal)):
        return 2
    inner = [_nesting(one, of_field) for one in node.arguments]
    if node.name in SIGNS:
        own = MOVED.get(node.kind.name, 2) if node.name in "+-" else 2
        return max([own + inner[0], *(own + 3 + one for one in inner[1:])])
    own = WEIGHTS.get(node.name, 5)
    if node.name == "/":
        return own + max(inner[0], 8 + inner[1])
    if node.name == "date" and isinstance(node.arguments[0], Operation):
        own += SHOWN[DATETIME]
    return own + max(inner, default=0)
