"""What must hold of a record, and when its fields are asked for: read and checked once all fields are known."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

from crm.blueprint.expressions.parser import ExpressionError, kind_of, read_expression
from crm.blueprint.expressions.tree import (
    BOOLEAN,
    NULL,
    Aggregate,
    Expression,
    Kind,
    Literal,
    Operation,
    Path,
)  # fmt: skip
from crm.blueprint.problems import Problem, did_you_mean
from crm.blueprint.text import Template, parse_template

REQUIRED = "This field is required."


@dataclass(frozen=True, eq=False)
class Rule:
    """A condition that every saved record meets, and what is said beside `field` where one would not."""

    check: Expression
    message: Template
    field: str = ""
    path: tuple[Hashable, ...] = ()
    """Where it stands in the entity's file: `("rules", 0)`."""

    @property
    def is_of_form(self) -> bool:
        """Say whether a record that is not saved yet can be held against it: it reads no list, and nothing kept."""
        return not any(
            isinstance(node, Aggregate)
            or (isinstance(node, Path) and any(step.storage == "kept" and len(node.steps) == 1 for step in node.steps))
            for node in self.check.root.walk()
        )


@dataclass(frozen=True, eq=False)
class Showing:
    """When a field is asked for, must be filled, and may no longer be changed; None for always, never and never."""

    visible_if: Expression | None = None
    required_if: Expression | None = None
    read_only_if: Expression | None = None


@dataclass
class Rules:
    """The rules of an entity, and the conditions of its fields."""

    checks: list[Rule] = field(default_factory=list)
    showing: dict[str, Showing] = field(default_factory=dict)


def read_rules(business: Any) -> Iterator[Problem]:
    """Read `rules` and `show` of all entities, and say what is wrong with them."""
    for entity in business.entities.values():
        for index, raw in enumerate(entity.section.rules):
            yield from _read_rule(entity, index, raw)
        for name, raw in entity.section.show.items():
            yield from _read_showing(entity, name, raw)


def _condition(entity: Any, source: str, *path: Hashable) -> tuple[Expression | None, list[Problem]]:
    place = entity.place(*path)
    try:
        expression = read_expression(source, entity)
    except ExpressionError as error:
        return None, [Problem(place.within(source, error.offset), error.message, error.hint)]
    if expression.kind.name != BOOLEAN:
        hint = "Compare it with something: '> 0', '!= null'."
        return None, [Problem(place, f"a condition must be yes or no, this is {expression.kind}", hint)]
    return expression, []


def _read_rule(entity: Any, index: int, raw: Any) -> Iterator[Problem]:
    check, problems = _condition(entity, raw.check, "rules", index, "check")
    yield from problems
    message = parse_template("")
    try:
        message = parse_template(raw.message)
        for slot in message.slots:
            entity.follow(".".join(slot.path))
    except ValueError as error:
        yield Problem(entity.place("rules", index, "message"), f"message: {error}")
        return
    except KeyError as error:
        hint = did_you_mean(error.args[0], entity.fields)
        yield Problem(entity.place("rules", index, "message"), f"there is no field {error.args[0]!r}", hint)
        return
    if raw.field is not None and raw.field not in entity.fields:
        hint = did_you_mean(raw.field, entity.fields)
        yield Problem(entity.place("rules", index, "field"), f"there is no field {raw.field!r}", hint)
    elif check is not None:
        beside = raw.field or _asked_field(entity, check)
        entity.rules.checks.append(Rule(check, message, beside, ("rules", index)))


def _asked_field(entity: Any, check: Expression) -> str:
    """Return the first field of the form that a check reads: the message stands beside it."""
    for node in check.root.walk():
        if isinstance(node, Path) and node.steps:
            first = node.steps[0].whole or node.steps[0]
            if entity.fields.get(first.name) is first and not first.read_only:
                return node.steps[0].name
    return ""


def _read_showing(entity: Any, name: str, raw: Any) -> Iterator[Problem]:
    target = entity.fields.get(name)
    if target is None:
        hint = did_you_mean(name, entity.fields)
        yield Problem(entity.place("show", name, key=True), f"there is no field {name!r}", hint)
        return
    what = _never_conditional(target)
    if what:
        yield Problem(entity.place("show", name, key=True), f"{name!r} {what}: it cannot be asked for conditionally")
        return
    conditions: dict[str, Expression] = {}
    for key in ("visible_if", "required_if", "read_only_if"):
        source = getattr(raw, key)
        if source is not None:
            condition, problems = _condition(entity, source, "show", name, key)
            yield from problems
            if condition is not None:
                conditions[key] = condition
    kind = None if target.type.many else kind_of(target)
    if "required_if" in conditions and kind is None:
        yield Problem(entity.place("show", name, "required_if"), f"{name!r} has no single value that could be required")
        return
    if "read_only_if" in conditions and target.type.many:
        yield Problem(entity.place("show", name, "read_only_if"), f"{name!r} has no single value that could be closed")
        return
    entity.rules.showing[name] = Showing(**conditions)
    if "required_if" in conditions:
        entity.rules.checks.append(_required(target, kind, conditions))


def _never_conditional(target: Any) -> str:
    """Say why a field cannot be asked for at times only; nothing where it can."""
    if target.computed is not None:
        return "is computed"
    return "has several inputs" if target.parts else "holds rows" if target.type.rows else ""


def _required(target: Any, kind: Kind, conditions: dict[str, Expression]) -> Rule:
    """Return the rule that a required field is filled, wherever it is shown."""
    yes_no = Kind(BOOLEAN)
    filled = Operation(yes_no, "!=", (Path(kind, (target,)), Literal(Kind(NULL))))
    asked = [conditions[key] for key in ("required_if", "visible_if") if key in conditions]
    ways = (filled, *(Operation(yes_no, "not", (condition.root,)) for condition in asked))
    source = " or ".join([f"{target.name} != null", *(f"not ({condition.source})" for condition in asked)])
    check = Expression(source, Operation(yes_no, "or", ways), target.entity)
    return Rule(check, Template(REQUIRED, (REQUIRED,)), target.name, ("show", target.name))
