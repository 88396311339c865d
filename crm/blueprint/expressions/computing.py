"""Computed fields: their expressions are read and checked, and it is settled where each value is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from crm.blueprint.expressions.nesting import MAX_NESTING, nesting
from crm.blueprint.expressions.parser import ExpressionError, kind_of, read_expression
from crm.blueprint.expressions.tree import (
    BOOLEAN,
    DATE,
    DATETIME,
    NULL,
    NUMBER,
    RECORD,
    TEXT,
    USER,
    Aggregate,
    Expression,
    Kind,
    Literal,
    Node,
    Operation,
    Path,
)  # fmt: skip
from crm.blueprint.names import a_field
from crm.blueprint.problems import Problem, did_you_mean

GENERATED = "generated"
"""A column that the database computes: everything it reads stands in the same row."""
MATERIALIZED = "kept"
"""A column that the engine keeps true, in the transaction of whatever it depends on."""
ON_READ = "live"
"""No column: its value changes as time goes by, so it is worked out whenever it is asked for."""
MAX_PARTS = 500
"""How many parts an expression may have together with those of the fields that have no column to be read."""
MAX_CHAIN = 50
ROW_KINDS = {NUMBER, TEXT, BOOLEAN}
ROW_OPERATIONS = {
    "+", "-", "*", "/", "neg", "and", "or", "not", "==", "!=", "<", "<=", ">", ">=", "in", "if", "coalesce", "min",
    "max", "abs", "round", "len",
}  # fmt: skip


def compute_fields(business: Any) -> Iterator[Problem]:
    """Read the expressions of all computed fields into their entities, and say what is wrong with them."""
    for entity in business.entities.values():
        for leaf in entity.leaves:
            source = getattr(leaf.options, "compute", None)
            if source is not None:
                yield from _read(leaf, source)
    yield from _settle(business)


def _read(leaf: Any, source: str) -> Iterator[Problem]:
    place = leaf.place("compute")
    for key in ("default", "backfill", "required", "unique"):
        given = getattr(leaf.options, key, None)
        if given is not None and given is not False and key in leaf.options.model_fields_set:
            yield Problem(leaf.place(key, key=True), f"{key!r} has no place beside 'compute': the value is worked out")
    wanted = kind_of(leaf)
    if wanted is None or leaf.type.sets_on_save or leaf.target is not None or wanted.name == USER:
        yield Problem(place, f"{a_field(leaf.type.name)} cannot be computed")
        return
    try:
        expression = read_expression(source, leaf.entity)
    except ExpressionError as error:
        yield Problem(place.within(source, error.offset), f"{leaf.name}: {error.message}", error.hint)
        return
    if not fits(expression.kind, wanted):
        message = f"{leaf.name}: the expression gives {expression.kind}, {a_field(leaf.type.name)} holds {wanted}"
        yield Problem(place, message, misfit_hint(expression.kind, wanted))
        return
    leaf.entity.computed[leaf.name] = expression
    for problem_node, value in _wrong_choices(leaf, expression.root):
        message = f"{leaf.name}: {value!r} is none of its choices"
        hint = did_you_mean(value, leaf.options.choices)
        yield Problem(place.within(source, problem_node.offset), message, hint)


def _wrong_choices(leaf: Any, node: Node) -> Iterator[tuple[Node, Any]]:
    """Yield the values that an expression may give and its field cannot have, each with the node that gives it."""
    known = getattr(leaf.options, "choices", None)
    if not known:
        return
    if isinstance(node, Operation) and node.name in RESULTS:
        for argument in RESULTS[node.name](node.arguments):
            yield from _wrong_choices(leaf, argument)
    elif isinstance(node, Literal) and node.value is not None and node.value not in known:
        yield node, node.value
    elif isinstance(node, Path) and node.steps:
        others = getattr(node.steps[-1].options, "choices", None) or ()
        yield from ((node, value) for value in others if value not in known)


RESULTS: dict[str, Callable[[tuple[Node, ...]], tuple[Node, ...]]] = {
    "if": lambda arguments: arguments[1:],
    "coalesce": lambda arguments: arguments,
    "min": lambda arguments: arguments,
    "max": lambda arguments: arguments,
}
"""The operations that give one of their arguments as it is → which of them."""


def fits(actual: Kind, wanted: Kind) -> bool:
    return actual.name == wanted.name


def misfit_hint(actual: Kind, wanted: Kind) -> str:
    """Return how the day is had where an expression gives a moment."""
    if (actual.name, wanted.name) != (DATETIME, DATE):
        return ""
    return "The day is 'today()' instead of 'now()', and 'date(…)' of another moment."


def reads(expression: Expression) -> Iterator[Any]:
    """Yield every field whose value the expression looks at, links on the way included."""
    for node in expression.root.walk():
        if isinstance(node, Path):
            yield from node.steps
        elif isinstance(node, Aggregate):
            yield from (*node.relation_path, node.link, *node.value)


def _settle(business: Any) -> Iterator[Problem]:
    """Settle where the computed fields are kept, each behind those that it reads; say which depend on themselves."""
    sizes: dict[Any, Size] = {}
    everyone = [entity.find(name) for entity in business.entities.values() for name in entity.computed]
    for start in everyone:
        chain, todo = [start], [iter(computed_reads(start))]
        while todo and start not in sizes:
            step = next(todo[-1], None)
            if step is None:
                todo.pop()
                yield from _settle_one(chain.pop(), sizes)
            elif step in chain:
                names = " → ".join(map(str, [*chain[chain.index(step) :], step]))
                place = chain[-1].place("compute")
                yield Problem(place, f"these fields are computed from one another: {names}")
                sizes.update(dict.fromkeys(chain, Size()))
                break
            elif step not in sizes:
                chain.append(step)
                todo.append(iter(computed_reads(step)))


def computed_reads(leaf: Any) -> list[Any]:
    """Return the computed fields that a computed field reads."""
    leaves = reads(leaf.entity.computed[leaf.name])
    return list(dict.fromkeys(other for other in leaves if other.name in other.entity.computed))


@dataclass(frozen=True)
class Size:
    """How long a computed field is where its expression stands in for it, how deep, and how many come before it."""

    parts: int = 0
    depth: int = 0
    chain: int = 0

    @property
    def fits(self) -> bool:
        return self.parts <= MAX_PARTS and self.depth <= MAX_NESTING


def _settle_one(leaf: Any, sizes: dict[Any, Size]) -> Iterator[Problem]:
    expression, inner, place = leaf.entity.computed[leaf.name], computed_reads(leaf), leaf.place("compute")
    storage = _storage(expression, {field.storage for field in inner})
    written_out = {field: sizes[field] for field in inner if field.storage == storage}
    size = Size(
        sum(1 for _ in expression.root.walk())
        + sum(written_out.get(field, Size()).parts for field in reads(expression)),
        nesting(expression.root, lambda field: written_out.get(field, Size()).depth),
        1 + max((sizes[field].chain for field in inner), default=0),
    )
    if storage == ON_READ and not size.fits:
        message = f"{leaf.name}: together with the fields that it reads, this is too long or nested too deeply"
        yield Problem(place, message, "Read fewer fields whose values change with the time.")
        size = Size(chain=size.chain)
    if storage == GENERATED and not size.fits:
        storage = MATERIALIZED
    if size.chain == MAX_CHAIN + 1:
        yield Problem(place, f"{leaf.name}: {MAX_CHAIN} fields are computed one after another before it")
    sizes[leaf] = size
    leaf.entity.storage[leaf.name] = storage


def _storage(expression: Expression, inner: set[str]) -> str:
    if expression.is_timed or ON_READ in inner:
        return ON_READ
    return (
        GENERATED
        if expression.is_of_row and all(_is_of_columns(node) for node in expression.root.walk())
        else MATERIALIZED
    )


def _is_of_columns(node: Node) -> bool:
    """Say whether the database can compute a node in a generated column: nothing that depends on its settings."""
    if isinstance(node, Operation):
        return node.name in ROW_OPERATIONS and node.kind.name in ROW_KINDS and node.name != "lower"
    return node.kind.name in {*ROW_KINDS, DATE, RECORD, USER, NULL}
