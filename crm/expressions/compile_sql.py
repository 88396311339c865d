"""Expressions as Django's own, for the database: what Python works out for a record, it works out for a list.

Numbers are calculated as whole numbers of their last digit, exactly on both databases: SQLite keeps decimals as floats,
and `0.67 * 1.5` would round the wrong way. (SQLite is exact to 15 digits.) Durations and moments are
whole microseconds where they are calculated with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db import models
from django.db.models import Count, F, Max, Min, OuterRef, Subquery, Sum, Value
from django.utils import timezone

from crm.blueprint.expressions.functions import QUOTIENT
from crm.blueprint.expressions.parser import power_of_ten
from crm.blueprint.expressions.tree import (
    BOOLEAN,
    DATE,
    DATETIME,
    DURATION,
    NULL,
    NUMBER,
    RECORD,
    TEXT,
    TIME,
    USER,
    Aggregate,
    Expression,
    Kind,
    Literal,
    Node,
    Operation,
    Path,
)  # fmt: skip
from crm.expressions import calendar, evaluate
from crm.expressions.dialect import DialectSQL

DIGITS = 14
DAY = 86_400_000_000
DAYS = date.max.toordinal()
"""Days from the first date on, as far as the years have four digits; PostgreSQL's dates begin in 4714 BC."""
WHOLE, BOOL, CHARS = models.BigIntegerField(), models.BooleanField(), models.TextField()
NATIVE: dict[str, models.Field] = {
    BOOLEAN: BOOL,
    TEXT: CHARS,
    DATE: models.DateField(),
    DATETIME: models.DateTimeField(),
    TIME: models.TimeField(),
    RECORD: WHOLE,
    USER: WHOLE,
    NULL: CHARS,
}
LASTING = f"(DIV({{0}}, {DAY}) * INTERVAL '1 day' + MOD({{0}}, {DAY}) * INTERVAL '1 microsecond')"
"""Microseconds as PostgreSQL's interval, whose product with a number is exact to 15 digits."""
EPOCH = -62_135_596_800_000_000, 253_402_300_799_999_999
"""Microseconds since 1970, as far as the years have four digits."""


def never(field: Any) -> Expression | None:
    return None


@dataclass(frozen=True)
class CompileContext:
    """Where an expression is compiled: the way from the rows to its records, who looks, when, and what to look into.

    `inlined` returns the expression of a field that is no column, or that may not be read as one here.
    """

    registry: Any
    prefix: str = ""
    user: Any = None
    moment: datetime | None = None
    """When it is; left out, the moment at which the query runs."""
    inlined: Callable[[Any], Expression | None] = never
    null_passes: bool = False
    """Whether less and more are unknown where a value is not there; see `rule`."""

    def scope(self) -> evaluate.EvalContext:
        return evaluate.EvalContext(None, self.user, self.moment or timezone.now())


class Clock(models.Expression):
    """Today's date, or the moment, when the query runs: lists are set up once and asked for days."""

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        is_date = isinstance(self.output_field, models.DateField) and not isinstance(
            self.output_field, models.DateTimeField
        )
        return compiler.compile(Value(timezone.localdate() if is_date else timezone.now(), self.output_field))


def condition(expression: Expression, setting: CompileContext) -> Any:
    """Return a condition for `filter()`; it is true or false, never nothing."""
    return _condition(expression.root, setting)


def rule(expression: Expression, setting: CompileContext) -> Any:
    """Return a rule for `filter()`: one that is about values which are not there is met."""
    predicate = _condition(expression.root, replace(setting, null_passes=True))
    return _same("COALESCE({0}, TRUE)", predicate, output=BOOL)


def value(expression: Expression, setting: CompileContext, places: int = 0) -> Any:
    """Return an expression's value for `annotate()`, `update()` and ordering; a number rounded to `places`."""
    root = expression.root
    if root.kind.name == NUMBER:
        return _number(_rescaled(_scaled_int(root, setting), root.kind.places, places), places)
    if root.kind.name == DURATION:
        return DialectSQL("{0}", LASTING, _scaled_int(root, setting), output_field=models.DurationField())
    if root.kind.name == DATETIME and not _is_plain(root, setting):
        return _moment(_scaled_int(root, setting))
    return _native(root, setting)


def _same(template: str, *arguments: Any, output: models.Field = WHOLE) -> DialectSQL:
    return DialectSQL(template, template, *arguments, output_field=output)


def _between(low: int, high: int, units: Any) -> Any:
    """Return units that lie between two limits, nothing beyond; the argument is written once, however deep it is."""
    clamped = f"NULLIF(NULLIF(%s(%s({{0}}, {low - 1}), {high + 1}), {low - 1}), {high + 1})"
    return DialectSQL(clamped % ("MIN", "MAX"), clamped % ("LEAST", "GREATEST"), units, output_field=WHOLE)


def _number(units: Any, places: int) -> Any:
    """Return so many units of the last digit as a number; nothing where it has more digits than a field."""
    fitting = _between(1 - 10**DIGITS, 10**DIGITS - 1, units)
    if places == 0:
        return DialectSQL("{0}", "CAST({0} AS bigint)", fitting, output_field=WHOLE)
    share = f"0.{'0' * (places - 1)}1"
    output = models.DecimalField(max_digits=DIGITS, decimal_places=places)
    return DialectSQL(f"({{0}} / {10**places}.0)", f"ROUND({{0}} * {share}, {places})", fitting, output_field=output)


# Numbers, durations and moments: whole units


def _rescaled(units: Any, before: int, after: int) -> Any:
    """Move units from so many digits after the point to others, rounding half up."""
    if after >= before:
        return units if after == before else _same(f"({{0}} * {10 ** (after - before)})", units)
    step = before - after
    sqlite, postgres = f"CAST(ROUND({{0}} / {10**step}.0) AS INTEGER)", f"ROUND({{0}} * 0.{'0' * (step - 1)}1, 0)"
    return DialectSQL(sqlite, postgres, units, output_field=WHOLE)


def _scaled_int(node: Node, setting: CompileContext, places: int | None = None) -> Any:
    units = _UNITS[type(node)](node, setting)
    return units if places is None else _rescaled(units, node.kind.places, places)


def _nothing() -> Any:
    """Return a number that is not there; PostgreSQL asks of which type it would be."""
    return DialectSQL("NULL", "CAST(NULL AS numeric)", output_field=WHOLE)


def _scaled_literal(node: Literal, setting: CompileContext) -> Any:
    if node.value is None:
        return _nothing()
    if node.kind.name == NUMBER:
        number = int(node.value.scaleb(node.kind.places))
        text = f"({number})" if number < 0 else str(number)
        return DialectSQL(text, f"CAST({text} AS numeric)", output_field=WHOLE)
    if node.kind.name == DURATION:
        return _same(f"({node.value // evaluate.timedelta(microseconds=1)})")
    return _micros(Value(node.value, models.DateTimeField()))


def _scaled_path(node: Path, setting: CompileContext) -> Any:
    inner = _inlined(node, setting)
    if inner is not None:
        expression, there = inner
        units = _scaled_int(expression.root, there)
        return _rescaled(units, expression.kind.places, node.kind.places)
    if node.of_user:
        return _scaled_int(_known(node, setting), setting)
    column = _column(node, setting)
    if node.kind.name == DURATION:
        return DialectSQL("{0}", "(EXTRACT(EPOCH FROM {0}) * 1000000)", column, output_field=WHOLE)
    if node.kind.name == DATETIME:
        return _micros(column)
    if not node.kind.places:
        return DialectSQL("{0}", "CAST({0} AS numeric)", column, output_field=WHOLE)
    step = 10**node.kind.places
    sqlite, postgres = f"CAST(ROUND({{0}} * {step}) AS INTEGER)", f"(CAST({{0}} AS numeric) * {step})"
    return DialectSQL(sqlite, postgres, column, output_field=WHOLE)


def _micros(moment: Any) -> Any:
    """Return a moment's microseconds since 1970. SQLite rounds 59.9996 s up to the next second: it gets whole ones."""
    part = "CASE WHEN LENGTH({0}) > 19 THEN CAST(SUBSTR({0}, 21, 6) AS INTEGER) ELSE 0 END"
    sqlite = f"(CAST(STRFTIME('%%s', SUBSTR({{0}}, 1, 19)) AS INTEGER) * 1000000 + {part})"
    return DialectSQL(sqlite, "(EXTRACT(EPOCH FROM {0}) * 1000000)", moment, output_field=WHOLE)


def _moment(micros: Any) -> Any:
    """Return microseconds since 1970 as a moment, written as Django keeps it."""
    since = f"({{0}} + {-EPOCH[0]})"
    text = f"STRFTIME('%%Y-%%m-%%d %%H:%%M:%%S', {since} / 1000000 - {-EPOCH[0] // 10**6}, 'unixepoch')"
    sqlite = f"{text} || REPLACE(PRINTF('.%%06d', {since} %% 1000000), '.000000', '')"
    postgres = f"TIMESTAMPTZ 'epoch' + {LASTING}"
    output = models.DateTimeField()
    return DialectSQL(f"({sqlite})", f"({postgres})", _between(*EPOCH, micros), output_field=output)


def _scaled_operation(node: Operation, setting: CompileContext) -> Any:
    return _UNIT_OPERATIONS[node.name](node, setting)


def _sum_of(sign: str) -> Callable[[Operation, CompileContext], Any]:
    def combine(node: Operation, setting: CompileContext) -> Any:
        left, right = node.arguments
        if node.kind.name == DURATION and left.kind.name == DATE:
            days = "(CAST(JULIANDAY({0}) - JULIANDAY({1}) AS INTEGER) * 86400000000)"
            postgres = "(CAST({0} - {1} AS numeric) * 86400000000)"
            return DialectSQL(days, postgres, _native(left, setting), _native(right, setting), output_field=WHOLE)
        if node.kind.name == DATETIME:
            return _shifted(sign, left, right, setting)
        places = node.kind.places
        left_units, right_units = (
            _scaled_int(part, setting, places if part.kind.name == NUMBER else None) for part in (left, right)
        )
        return _same(f"({{0}} {sign} {{1}})", left_units, right_units)

    return combine


def _shifted(sign: str, moment: Node, span: Node, setting: CompileContext) -> Any:
    """Return a moment that is moved: by calendar days first, then by elapsed time."""
    micros = _scaled_int(moment, setting)
    days, rest = calendar.split(span)
    if days is not None:
        zone = str(timezone.get_default_timezone())
        shift = _scaled_int(days, setting) if sign == "+" else _same("(-{0})", _scaled_int(days, setting))
        micros = DialectSQL(calendar.sqlite(zone), calendar.postgresql(zone), micros, shift, output_field=WHOLE)
    if rest is not None:
        micros = _same(f"({{0}} {sign} {{1}})", micros, _scaled_int(rest, setting))
    return _between(*EPOCH, micros)


def _product(node: Operation, setting: CompileContext) -> Any:
    return _same("({0} * {1})", *(_scaled_int(part, setting) for part in node.arguments))


def _quotient(node: Operation, setting: CompileContext) -> Any:
    left, right = node.arguments
    if power_of_ten(right) is not None:
        return _scaled_int(left, setting)
    places = max(left.kind.places, right.kind.places)
    return _divided(_scaled_int(left, setting, places), _scaled_int(right, setting, places))


def _divided(dividend: Any, divisor: Any) -> Any:
    sqlite = f"CAST(ROUND({{0}} * {10**QUOTIENT}.0 / NULLIF({{1}}, 0)) AS INTEGER)"
    postgres = f"ROUND({{0}} * {10**QUOTIENT}.{'0' * 30} / NULLIF({{1}}, 0), 0)"
    return DialectSQL(sqlite, postgres, dividend, divisor, output_field=WHOLE)


def _duration_of(micros: int) -> Callable[[Operation, CompileContext], Any]:
    def last(node: Operation, setting: CompileContext) -> Any:
        number = node.arguments[0]
        if isinstance(number, Literal):
            known = evaluate.evaluate(Expression("", node), setting.scope())
            return _nothing() if known is None else _same(f"({known // evaluate.timedelta(microseconds=1)})")
        scaled = _rescaled(_same(f"({{0}} * {micros})", _scaled_int(number, setting)), number.kind.places, 0)
        return _between(1 - evaluate.MOST_MICROS, evaluate.MOST_MICROS - 1, scaled)

    return last


def _chosen(node: Operation, setting: CompileContext) -> Any:
    test, *rest = node.arguments
    parts = [_same_places(argument, node, setting) for argument in rest]
    return _same("(CASE WHEN {0} THEN {1} ELSE {2} END)", _condition(test, setting), *parts)


def _same_places(operand: Node, node: Node, setting: CompileContext) -> Any:
    return _scaled_int(operand, setting, node.kind.places if operand.kind.name == NUMBER else None)


def _first_of(node: Operation, setting: CompileContext) -> Any:
    parts = [_same_places(argument, node, setting) for argument in node.arguments]
    return _same(f"COALESCE({', '.join(f'{{{index}}}' for index in range(len(parts)))}, NULL)", *parts)


def _extreme(sign: str) -> Callable[[Operation, CompileContext], Any]:
    def choose(node: Operation, setting: CompileContext) -> Any:
        end = f"{'' if sign == '<' else '-'}{2**63 - 1}"
        return _min_max(sign, end, [_same_places(argument, node, setting) for argument in node.arguments], WHOLE)

    return choose


def _min_max(sign: str, end: str, parts: list[Any], output: models.Field) -> Any:
    """Null-ignoring MIN/MAX of several expressions.

    SQLite has no null-ignoring LEAST, so nulls become the sentinel `end`, which lies beyond all values.
    """
    sqlite, postgres = ("MIN", "LEAST") if sign == "<" else ("MAX", "GREATEST")
    slots = [f"{{{index}}}" for index in range(len(parts))]
    filled = ", ".join([*(f"COALESCE({slot}, {end})" for slot in slots), end])
    return DialectSQL(
        f"NULLIF({sqlite}({filled}), {end})", f"{postgres}({', '.join(slots)})", *parts, output_field=output
    )


def _int_function(sqlite: str, postgres: str) -> Callable[[Operation, CompileContext], Any]:
    def measure(node: Operation, setting: CompileContext) -> Any:
        inner = [_native(argument, setting) for argument in node.arguments]
        return DialectSQL(sqlite, f"CAST({postgres} AS numeric)", *inner, output_field=WHOLE)

    return measure


def _days_since(node: Operation, setting: CompileContext) -> Any:
    return _days_apart(_native(node.arguments[0], setting), _today(setting))


def _days_between(node: Operation, setting: CompileContext) -> Any:
    return _days_apart(*(_native(argument, setting) for argument in node.arguments))


def _days_apart(start: Any, end: Any) -> Any:
    sqlite, postgres = "CAST(JULIANDAY({0}) - JULIANDAY({1}) AS INTEGER)", "CAST({0} - {1} AS numeric)"
    return DialectSQL(sqlite, postgres, end, start, output_field=WHOLE)


def _hours_in(node: Operation, setting: CompileContext) -> Any:
    """Return hours in their last digit, of which one is 3,600 microseconds, rounded half up."""
    sqlite = "(({0} + CASE WHEN {0} < 0 THEN -1800 ELSE 1800 END) / 3600)"
    return DialectSQL(sqlite, "ROUND({0} / 3600, 0)", _scaled_int(node.arguments[0], setting), output_field=WHOLE)


def _moment_now(node: Operation, setting: CompileContext) -> Any:
    if setting.moment is None:
        return _micros(Clock(models.DateTimeField()))
    return _micros(Value(setting.moment, models.DateTimeField()))


def _round(node: Operation, setting: CompileContext) -> Any:
    return _scaled_int(node.arguments[0], setting, node.kind.places)


_UNIT_OPERATIONS: dict[str, Callable[[Operation, CompileContext], Any]] = {
    "+": _sum_of("+"),
    "-": _sum_of("-"),
    "*": _product,
    "/": _quotient,
    "neg": lambda node, setting: _same("(-{0})", _scaled_int(node.arguments[0], setting)),
    "abs": lambda node, setting: _same("ABS({0})", _scaled_int(node.arguments[0], setting)),
    "round": _round,
    "if": _chosen,
    "coalesce": _first_of,
    "min": _extreme("<"),
    "max": _extreme(">"),
    "days": _duration_of(DAY),
    "hours": _duration_of(DAY // 24),
    "days_since": _days_since,
    "days_between": _days_between,
    "hours_in": _hours_in,
    "now": _moment_now,
    "len": _int_function("LENGTH(COALESCE({0}, ''))", "LENGTH(COALESCE({0}, ''))"),
    "year": _int_function("CAST(SUBSTR({0}, 1, 4) AS INTEGER)", "EXTRACT(YEAR FROM {0})"),
    "month": _int_function("CAST(SUBSTR({0}, 6, 2) AS INTEGER)", "EXTRACT(MONTH FROM {0})"),
}


# Everything else: as the database keeps it


def _native(node: Node, setting: CompileContext) -> Any:
    if node.kind.name in {NUMBER, DURATION}:
        return _scaled_int(node, setting)
    return _NATIVES[type(node)](node, setting)


def _native_literal(node: Literal, setting: CompileContext) -> Any:
    if node.value is None:
        return _same("NULL", output=NATIVE[node.kind.name])
    if node.kind.name == BOOLEAN:
        return _same("TRUE" if node.value else "FALSE", output=BOOL)
    known = node.value.pk if hasattr(node.value, "pk") else node.value
    return Value(known, NATIVE[node.kind.name])


def _native_path(node: Path, setting: CompileContext) -> Any:
    inner = _inlined(node, setting)
    if inner is not None:
        return _native(inner[0].root, inner[1])
    if node.of_user:
        return _native(_known(node, setting), setting)
    column = _column(node, setting)
    return _same("NULLIF({0}, '')", column, output=CHARS) if node.kind.name == TEXT else column


def _known(node: Path, setting: CompileContext) -> Literal:
    """Return what a path of the user comes to: it is the same for every row."""
    return Literal(node.kind, evaluate.evaluate(Expression("", node), setting.scope()))


def _column(node: Path, setting: CompileContext) -> F:
    return F(setting.prefix + "__".join(step.name for step in node.steps if not step.parts))


def _inlined(node: Path, setting: CompileContext) -> tuple[Expression, CompileContext] | None:
    expression = setting.inlined(node.steps[-1]) if node.steps and not node.of_user else None
    if expression is None:
        return None
    lookup_path = "".join(f"{step.name}__" for step in node.steps[:-1] if not step.parts)
    return expression, replace(setting, prefix=setting.prefix + lookup_path)


def _native_operation(node: Operation, setting: CompileContext) -> Any:
    if node.kind.name == BOOLEAN and node.name in _CONDITIONS:
        return _condition(node, setting)
    if node.kind.name == DATETIME:
        return _moment(_scaled_int(node, setting))
    return _NATIVE_OPERATIONS[node.name](node, setting)


def _today(setting: CompileContext) -> Any:
    if setting.moment is None:
        return Clock(models.DateField())
    return Value(setting.moment.astimezone(timezone.get_default_timezone()).date(), models.DateField())


def _concat_or_shift_date(node: Operation, setting: CompileContext) -> Any:
    left, right = (_native(argument, setting) for argument in node.arguments)
    if node.kind.name == TEXT:
        return _same("({0} || {1})", left, right, output=CHARS)
    sign = "-" if node.name == "-" else ""
    sqlite = f"NULLIF(MAX(DATE({{0}}, ({sign}({{1}}) / {DAY}) || ' days'), '0000-99'), '0000-99')"
    first = "DATE '0001-01-01'"
    since = f"{{0}} - {first} + DIV({sign}({{1}}), {DAY})"
    moved = f"CAST(LEAST(GREATEST({since}, -1), {DAYS}) AS integer)"
    postgres = f"({first} + NULLIF(NULLIF({moved}, -1), {DAYS}))"
    return DialectSQL(sqlite, postgres, left, right, output_field=models.DateField())


def _native_if(node: Operation, setting: CompileContext) -> Any:
    test, *rest = node.arguments
    parts = [_native(argument, setting) for argument in rest]
    template = "(CASE WHEN {0} THEN {1} ELSE {2} END)"
    return _same(template, _condition(test, setting), *parts, output=NATIVE[node.kind.name])


def _native_first(node: Operation, setting: CompileContext) -> Any:
    parts = [_native(argument, setting) for argument in node.arguments]
    slots = ", ".join(f"{{{index}}}" for index in range(len(parts)))
    return _same(f"COALESCE({slots}, NULL)", *parts, output=NATIVE[node.kind.name])


def _native_extreme(node: Operation, setting: CompileContext) -> Any:
    sign, end = ("<", "'~'") if node.name == "min" else (">", "''")
    return _min_max(sign, end, [_native(argument, setting) for argument in node.arguments], NATIVE[node.kind.name])


def _day_of(node: Operation, setting: CompileContext) -> Any:
    from django.db.models.functions import TruncDate

    inner = _native(node.arguments[0], setting)
    return TruncDate(inner, tzinfo=timezone.get_default_timezone())


def _lower(node: Operation, setting: CompileContext) -> Any:
    inner = _native(node.arguments[0], setting)
    return DialectSQL("LOWER({0})", 'LOWER({0} COLLATE "C")', inner, output_field=CHARS)


_NATIVE_OPERATIONS: dict[str, Callable[[Operation, CompileContext], Any]] = {
    "+": _concat_or_shift_date,
    "-": _concat_or_shift_date,
    "if": _native_if,
    "coalesce": _native_first,
    "min": _native_extreme,
    "max": _native_extreme,
    "today": lambda node, setting: _today(setting),
    "date": _day_of,
    "lower": _lower,
}


# Conditions: true or false, never nothing


def _condition(node: Node, setting: CompileContext) -> Any:
    how = _CONDITIONS.get(node.name) if isinstance(node, Operation) else None
    if how is not None:
        return how(node, setting)
    if setting.null_passes and isinstance(node, Operation):
        return _native(node, setting)
    return _same("COALESCE({0}, FALSE)", _native(node, setting), output=BOOL)


def _all_of(word: str) -> Callable[[Operation, CompileContext], Any]:
    def combine(node: Operation, setting: CompileContext) -> Any:
        parts = [_condition(argument, setting) for argument in node.arguments]
        slots = f" {word} ".join(f"{{{index}}}" for index in range(len(parts)))
        return _same(f"({slots})", *parts, output=BOOL)

    return combine


def _is_plain(node: Node, setting: CompileContext) -> bool:
    """Say whether a value is compared as the database keeps it, so that it can use an index."""
    if isinstance(node, Literal):
        return True
    return isinstance(node, Path) and not node.of_user and _inlined(node, setting) is None


def _sides(node: Operation, setting: CompileContext) -> list[Any]:
    """Return the values that are compared in the same terms; each stands once in what comes of it."""
    sides = node.arguments
    kinds = {side.kind.name for side in sides} - {NULL}
    if kinds == {NUMBER}:
        if all(_is_plain(side, setting) for side in sides) and any(isinstance(side, Path) for side in sides):
            return [_column_operand(side, setting) for side in sides]
        places = max(side.kind.places for side in sides)
        return [_scaled_int(side, setting, places) for side in sides]
    if kinds == {DATETIME} and not all(_is_plain(side, setting) for side in sides):
        return [_scaled_int(side, setting) for side in sides]
    return [_native(side, setting) for side in sides]


def _column_operand(node: Node, setting: CompileContext) -> Any:
    if isinstance(node, Path):
        return _column(node, setting)
    if node.kind.places:
        return Value(node.value, models.DecimalField(max_digits=DIGITS + 6, decimal_places=node.kind.places))
    return Value(int(node.value), WHOLE)


def _equal(node: Operation, setting: CompileContext) -> Any:
    left, right = node.arguments
    for operand, other in ((left, right), (right, left)):
        if isinstance(operand, Literal) and operand.value is None:
            return _same("({0} IS NULL)", _native(other, setting), output=BOOL)
    sides = _sides(node, setting)
    return DialectSQL("({0} IS {1})", "({0} IS NOT DISTINCT FROM {1})", *sides, output_field=BOOL)


def _ordered(node: Operation, setting: CompileContext) -> Any:
    template = f"({{0}} {node.name} {{1}})" if setting.null_passes else f"COALESCE({{0}} {node.name} {{1}}, FALSE)"
    return _same(template, *_sides(node, setting), output=BOOL)


def _among(node: Operation, setting: CompileContext) -> Any:
    wanted, *options = _sides(node, setting)
    slots = ", ".join(f"{{{index}}}" for index in range(1, len(options) + 1))
    return _same(f"COALESCE({{0}} IN ({slots}), FALSE)", wanted, *options, output=BOOL)


_CONDITIONS: dict[str, Callable[[Operation, CompileContext], Any]] = {
    "and": _all_of("AND"),
    "or": _all_of("OR"),
    "not": lambda node, setting: _same("(NOT {0})", _condition(node.arguments[0], setting), output=BOOL),
    "==": _equal,
    "!=": lambda node, setting: _same("(NOT {0})", _equal(node, setting), output=BOOL),
    "<": _ordered,
    "<=": _ordered,
    ">": _ordered,
    ">=": _ordered,
    "in": _among,
}


# Children


def _aggregate(node: Aggregate, setting: CompileContext) -> Any:
    """Return a subquery over all that point to the record, or to the one that `way` leads to."""
    link = node.link
    model = setting.registry.get_model(link.business.label, link.entity.class_name)
    parent = "__".join(step.name for step in node.relation_path) or "pk"
    inner = replace(setting, prefix="")
    rows = model._default_manager.filter(**{link.name: OuterRef(f"{setting.prefix}{parent}")})
    if node.where is not None:
        rows = rows.filter(_condition(node.where, inner))
    rows = rows.order_by().values(link.name)
    if node.name == "count":
        return _same("COALESCE({0}, 0)", Subquery(rows.annotate(_n=Count("pk")).values("_n"), output_field=WHOLE))
    return _AGGREGATES[node.name](node, rows, Path(_kind_of_end(node), node.value), inner)


def _kind_of_end(node: Aggregate) -> Kind:
    end = node.value[-1]
    return Kind(NUMBER, end.type.places(end)) if node.kind.name == NUMBER else node.kind


def _sum(node: Aggregate, rows: Any, end: Path, setting: CompileContext) -> Any:
    totals = rows.annotate(_sum=Sum(_scaled_int(end, setting), output_field=WHOLE)).values("_sum")
    return DialectSQL(
        "COALESCE({0}, 0)", "CAST(COALESCE({0}, 0) AS numeric)", Subquery(totals, WHOLE), output_field=WHOLE
    )


def _mean(node: Aggregate, rows: Any, end: Path, setting: CompileContext) -> Any:
    units = _scaled_int(end, setting)
    totals = rows.annotate(_sum=Sum(units, output_field=WHOLE), _n=Count(units))
    if node.kind.name == NUMBER:
        mean = _rescaled(_divided(F("_sum"), F("_n")), end.kind.places + QUOTIENT, QUOTIENT)
    else:
        mean = _rescaled(_divided(F("_sum"), F("_n")), QUOTIENT, 0)
    return Subquery(totals.annotate(_mean=mean).values("_mean"), WHOLE)


def _end_of(how: type) -> Callable[..., Any]:
    def choose(node: Aggregate, rows: Any, end: Path, setting: CompileContext) -> Any:
        in_units = node.kind.name in {NUMBER, DURATION}
        inner = _scaled_int(end, setting) if in_units else _native(end, setting)
        output = WHOLE if in_units else NATIVE[node.kind.name]
        return Subquery(rows.annotate(_end=how(inner, output_field=output)).values("_end"), output)

    return choose


def _aggregate_units(node: Aggregate, setting: CompileContext) -> Any:
    aggregate = _aggregate(node, setting)
    return _micros(aggregate) if node.kind.name == DATETIME else aggregate


_AGGREGATES: dict[str, Callable[..., Any]] = {"sum": _sum, "avg": _mean, "min": _end_of(Min), "max": _end_of(Max)}

_UNITS: dict[type, Callable[[Any, CompileContext], Any]] = {
    Literal: _scaled_literal,
    Path: _scaled_path,
    Operation: _scaled_operation,
    Aggregate: _aggregate_units,
}
_NATIVES: dict[type, Callable[[Any, CompileContext], Any]] = {
    Literal: _native_literal,
    Path: _native_path,
    Operation: _native_operation,
    Aggregate: _aggregate,
}
