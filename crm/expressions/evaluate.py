"""Expressions in Python: the value for a record at hand, also for one that is not saved yet.

Nothing in, nothing out: an operation on a value that is not there gives nothing, and so does a division by zero. A
comparison is always true or false: nothing equals nothing, and is neither less nor more than anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import models
from django.utils import timezone

from crm.blueprint.expressions.functions import QUOTIENT
from crm.blueprint.expressions.parser import power_of_ten
from crm.blueprint.expressions.tree import NUMBER, USER, Aggregate, Expression, Literal, Node, Operation, Path
from crm.expressions import calendar

EXACT = Context(prec=80, rounding=ROUND_HALF_UP)


@dataclass
class EvalContext:
    """What an expression is about: the record, who looks, when, and rows that a form holds unsaved.

    `rows` maps a table field's name to the rows that stand in for those of the database.
    """

    record: Any
    user: Any = None
    moment: datetime = field(default_factory=timezone.now)
    rows: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    null_passes: bool = False
    """Whether less and more are unknown where a value is not there, as in a rule, which must not be broken by it."""

    def of(self, record: Any) -> EvalContext:
        return EvalContext(record, self.user, self.moment, null_passes=self.null_passes)


Value = Callable[[EvalContext], Any]


def evaluate(expression: Expression, scope: EvalContext) -> Any:
    """Return the value of an expression: Decimal for numbers, text, a date …, or None for nothing."""
    return _VALUES[type(expression.root)](expression.root, scope)


def holds(expression: Expression, scope: EvalContext) -> bool:
    """Say whether a condition holds; one that comes to nothing does not."""
    return evaluate(expression, scope) is True


def passes(expression: Expression, scope: EvalContext) -> bool:
    """Say whether a rule is met: one that is about values which are not there is not broken."""
    return _truth(expression.root, replace(scope, null_passes=True)) is not False


def rounded(value: Decimal, places: int) -> Decimal:
    """Round half up, away from zero, as invoices do."""
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP, context=EXACT) + 0


def _value(node: Node, scope: EvalContext) -> Any:
    return _VALUES[type(node)](node, scope)


def _literal(node: Literal, scope: EvalContext) -> Any:
    return node.value


def _path(node: Path, scope: EvalContext) -> Any:
    record = scope.record
    if node.of_user:
        if not node.steps:
            return scope.user
        record = profile_of(scope.user, node.steps[0].entity)
    return follow(record, node.steps)


def profile_of(user: Any, entity: Any) -> Any:
    """Return the record that tells of a user, or None."""
    if user is None or user.pk is None:
        return None
    known = user.__dict__.setdefault("_profiles", {})
    if entity.name not in known:
        from django.apps import apps

        model = apps.get_model(entity.business.label, entity.class_name)
        name = next(field.name for field in entity.fields.values() if field.type.kind == USER)
        known[entity.name] = model._base_manager.filter(**{name: user.pk}).first()
    return known[entity.name]


def follow(record: Any, steps: Sequence[Any]) -> Any:
    """Return the operand at the end of a path, None where a link on the way leads nowhere."""
    leaf_steps = [step for step in steps if not step.parts]
    for step in leaf_steps[:-1]:
        record = getattr(record, step.name, None) if record is not None else None
    if record is None or not leaf_steps:
        return record
    end = leaf_steps[-1]
    value = getattr(record, end.name, None)
    operand = end.type.operand(value, end)
    return Decimal(operand) if end.type.kind == NUMBER and operand is not None else operand


def _operation(node: Operation, scope: EvalContext) -> Any:
    special = _SPECIAL.get(node.name)
    if special is not None:
        return special(node, scope)
    values = [_value(argument, scope) for argument in node.arguments]
    if any(value is None for value in values):
        return None
    return _PLAIN[node.name](node, scope, *values)


def _and(node: Operation, scope: EvalContext) -> bool | None:
    truths = [_truth(argument, scope) for argument in node.arguments]
    return False if False in truths else None if None in truths else True


def _or(node: Operation, scope: EvalContext) -> bool | None:
    truths = [_truth(argument, scope) for argument in node.arguments]
    return True if True in truths else None if None in truths else False


def _not(node: Operation, scope: EvalContext) -> bool | None:
    truth = _truth(node.arguments[0], scope)
    return None if truth is None else not truth


def _truth(node: Node, scope: EvalContext) -> bool | None:
    """Return whether a condition holds; unknown only where the scope is lenient, and never for a field."""
    value = _value(node, scope)
    return value if scope.null_passes and isinstance(node, Operation) else value is True


def _equal(node: Operation, scope: EvalContext) -> bool:
    left, right = (_value(part, scope) for part in node.arguments)
    return left == right


def _in(node: Operation, scope: EvalContext) -> bool:
    wanted = _value(node.arguments[0], scope)
    return wanted is not None and any(wanted == _value(argument, scope) for argument in node.arguments[1:])


def _compares(how: Callable[[Any, Any], bool]) -> Callable[[Operation, EvalContext], bool | None]:
    def compare(node: Operation, scope: EvalContext) -> bool | None:
        left, right = (_value(part, scope) for part in node.arguments)
        if left is None or right is None:
            return None if scope.null_passes else False
        return how(left, right)

    return compare


def _if(node: Operation, scope: EvalContext) -> Any:
    test, first, other = node.arguments
    return _scaled(_value(first if _value(test, scope) is True else other, scope), node)


def _coalesce(node: Operation, scope: EvalContext) -> Any:
    for argument in node.arguments:
        value = _value(argument, scope)
        if value is not None:
            return _scaled(value, node)
    return None


def _length(node: Operation, scope: EvalContext) -> Decimal:
    return Decimal(len(_value(node.arguments[0], scope) or ""))


def _scaled(value: Any, node: Node) -> Any:
    return rounded(value, node.kind.places) if node.kind.name == NUMBER and value is not None else value


_SPECIAL: dict[str, Callable[[Operation, EvalContext], Any]] = {
    "and": _and,
    "or": _or,
    "not": _not,
    "==": _equal,
    "!=": lambda node, scope: not _equal(node, scope),
    "<": _compares(lambda left, right: left < right),
    "<=": _compares(lambda left, right: left <= right),
    ">": _compares(lambda left, right: left > right),
    ">=": _compares(lambda left, right: left >= right),
    "in": _in,
    "if": _if,
    "coalesce": _coalesce,
    "len": _length,
}


def _add(node: Operation, scope: EvalContext, left: Any, right: Any) -> Any:
    return _moved(node, scope, left, right, 1) if _moves(left, right) else left + right


def _subtract(node: Operation, scope: EvalContext, left: Any, right: Any) -> Any:
    return _moved(node, scope, left, right, -1) if _moves(left, right) else left - right


def _moves(left: Any, right: Any) -> bool:
    return isinstance(right, timedelta) and isinstance(left, date)


def _moved(node: Operation, scope: EvalContext, moment: date, by: timedelta, sign: int) -> date | None:
    """Move a date by whole days, a moment by calendar days and elapsed time; nothing beyond the end of time."""
    if isinstance(moment, datetime):
        parts = calendar.split(node.arguments[1])
        days, rest = (_value(part, scope) if part else timedelta() for part in parts)
        return None if days is None or rest is None else calendar.move(moment, sign * days, sign * rest)
    try:
        return moment + timedelta(days=sign * int(by / timedelta(days=1)))
    except OverflowError:
        return None


def _divide(node: Operation, scope: EvalContext, dividend: Decimal, divisor: Decimal) -> Decimal | None:
    if not divisor:
        return None
    if power_of_ten(node.arguments[1]) is not None:
        return EXACT.divide(dividend, divisor)
    return rounded(EXACT.divide(dividend, divisor), QUOTIENT)


def _duration_of(unit: timedelta) -> Callable[..., timedelta]:
    def last(node: Operation, scope: EvalContext, number: Decimal) -> timedelta | None:
        micros = rounded(number * Decimal(unit // timedelta(microseconds=1)), 0)
        return timedelta(microseconds=int(micros)) if abs(micros) < MOST_MICROS else None

    return last


MOST_MICROS = 10**17
MICRO, HOUR = timedelta(microseconds=1), Decimal(3_600_000_000)


def _zone(node: Node) -> ZoneInfo:
    return timezone.get_default_timezone()


def _today(node: Operation, scope: EvalContext) -> date:
    return scope.moment.astimezone(_zone(node)).date()


def _extreme(how: Callable[..., Any]) -> Callable[[Operation, EvalContext], Any]:
    def choose(node: Operation, scope: EvalContext) -> Any:
        values = [value for argument in node.arguments if (value := _value(argument, scope)) is not None]
        return _scaled(how(values), node) if values else None

    return choose


_SPECIAL |= {"min": _extreme(min), "max": _extreme(max)}

LETTERS = {letter: letter + 32 for letter in range(ord("A"), ord("Z") + 1)}

_PLAIN: dict[str, Callable[..., Any]] = {
    "+": _add,
    "-": _subtract,
    "*": lambda node, scope, left, right: EXACT.multiply(left, right),
    "/": _divide,
    "neg": lambda node, scope, number: -number,
    "today": _today,
    "now": lambda node, scope: scope.moment,
    "days": _duration_of(timedelta(days=1)),
    "hours": _duration_of(timedelta(hours=1)),
    "days_since": lambda node, scope, day: Decimal((_today(node, scope) - day).days),
    "days_between": lambda node, scope, start, end: Decimal((end - start).days),
    "hours_in": lambda node, scope, lasting: rounded(EXACT.divide(Decimal(lasting // MICRO), HOUR), QUOTIENT),
    "date": lambda node, scope, moment: moment.astimezone(_zone(node)).date(),
    "year": lambda node, scope, day: Decimal(day.year),
    "month": lambda node, scope, day: Decimal(day.month),
    "lower": lambda node, scope, text: text.translate(LETTERS),
    "abs": lambda node, scope, number: abs(number),
    "round": lambda node, scope, number, *digits: rounded(number, node.kind.places),
}


# Children


def _aggregate(node: Aggregate, scope: EvalContext) -> Any:
    parent = follow(scope.record, node.relation_path) if node.relation_path else scope.record
    rows = [] if parent is None else _rows(node, scope, parent)
    if node.where is not None:
        rows = [row for row in rows if _value(node.where, scope.of(row)) is True]
    if node.name == "count":
        return Decimal(len(rows))
    values = [value for row in rows if (value := follow(row, node.value)) is not None]
    return _AGGREGATES[node.name](node, values)


def _rows(node: Aggregate, scope: EvalContext, parent: models.Model) -> Sequence[Any]:
    if node.of_table in scope.rows and not node.relation_path:
        return scope.rows[node.of_table]
    if parent.pk is None:
        return []
    model = parent._meta.apps.get_model(node.link.business.label, node.link.entity.class_name)
    return list(model._default_manager.filter(**{node.link.name: parent.pk}))


def _sum(node: Aggregate, values: list[Any]) -> Any:
    return sum(values, Decimal(0) if node.kind.name == NUMBER else timedelta())


def _mean(node: Aggregate, values: list[Any]) -> Any:
    if not values:
        return None
    if node.kind.name == NUMBER:
        return rounded(EXACT.divide(sum(values, Decimal(0)), Decimal(len(values))), node.kind.places)
    total = sum(values, timedelta()) // timedelta(microseconds=1)
    return timedelta(microseconds=int(rounded(EXACT.divide(Decimal(total), Decimal(len(values))), 0)))


_AGGREGATES: dict[str, Callable[[Aggregate, list[Any]], Any]] = {
    "sum": _sum,
    "avg": _mean,
    "min": lambda node, values: min(values, default=None),
    "max": lambda node, values: max(values, default=None),
}

_VALUES: dict[type, Callable[[Any, EvalContext], Any]] = {
    Literal: _literal,
    Path: _path,
    Operation: _operation,
    Aggregate: _aggregate,
}
