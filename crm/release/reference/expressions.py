"""Expressions: the values, operators and functions that there are, and the rules that hold for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from itertools import product
from types import SimpleNamespace
from typing import Any

from crm.blueprint.expressions.functions import FUNCTIONS, MOST_PLACES, QUOTIENT, Function
from crm.blueprint.expressions.parser import MAX_DEPTH, MAX_LENGTH, ExpressionError, read_expression
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
    Expression,
    Kind,
    Literal,
)
from crm.blueprint.nodes import Entity
from crm.blueprint.sections import EntitySection
from crm.expressions.compile_sql import DIGITS
from crm.expressions.evaluate import EvalContext, evaluate
from crm.release.reference.computed import computed_part, lists_part
from crm.release.reference.files import inner_sections
from crm.release.reference.samples import kind_word, plain_fields, sample_business
from crm.release.reference.tables import formula_keys, listed, paragraph, row

INTRODUCTION = """
An expression works out a value from a record: `compute: seats * unit_price - discount`. It stands behind {keys}. All of
it is checked when the definitions are read: every name must be there, and every value must be of a kind that fits.
Between braces, YAML wants double quotes around an expression with a comma or with `[ ]`:
`{{type: money, compute: "sum(lines.amount, kind == 'fee')"}}`.
"""
KINDS = {
    NUMBER: "number", TEXT: "text", BOOLEAN: "yes or no", DATE: "date", DATETIME: "moment", TIME: "time",
    DURATION: "duration", RECORD: "record", USER: "user", NULL: "nothing",
}  # fmt: skip
WRITTEN = {
    NUMBER: ["12", "0.5"],
    TEXT: ["'held'"],
    BOOLEAN: ["true", "false"],
    DATE: ["today()"],
    DATETIME: ["now()"],
    DURATION: ["days(3)", "hours(1.5)"],
    NULL: ["null", "''"],
}
"""How values of a kind may be written; each is read when the page is made."""
NO_VALUE = """
Fields of the types {types} have no value that an expression could take. The rows of a `table`, and the records whose
`link` leads here, are [lists](#lists-of-records).
"""
PATHS = """
A field stands by its name: `seats`. A point leads across links, as far as need be, `trip.capacity`, and into the parts
of an address, `customer.address.city`. Where a link on the way is empty, the value is nothing. `created` and `updated`
are moments of every record. A link itself can be compared: `trip == customer.favourite`, `trip != null`. A word in
quotes is text, one without is a field: `status == 'held'`.
"""
PRECEDENCE = """
From the one that binds most: `-x`; `*` `/`; `+` `-`; comparisons and `in`; `not`; `and`; `or`; `if else`. Parentheses
go first. A condition is anything that is yes or no; where it comes to nothing, it does not hold.
"""
RECORD_OF_EXAMPLES = {
    "seats": ("integer", 3),
    "price": ("money", Decimal("19.99")),
    "discount": ("money", None),
    "tax": ("percent", Decimal(20)),
    "note": ("text", ""),
    "starts": ("date", date(2026, 3, 1)),
    "ends": ("date", date(2026, 3, 10)),
}
"""The record that the examples are worked out for: field → type and value."""
RULES = {
    "Nothing in, nothing out: an operation on a value that is not there gives nothing.": ["price - discount"],
    "`coalesce`, and `min` and `max` of several values, pass over what is not there; a text that is not there has no "
    "letters.": ["price - coalesce(discount, 0)", "max(price, discount)", "len(note)"],
    "An empty text is nothing.": ["note == null", "note + 'x'"],
    "A comparison is true or false, never nothing. Nothing equals nothing, and is neither less nor more than "
    "anything.": ["discount == null", "discount < 5", "discount >= 5", "discount != 5"],
    "Comparisons may follow one another.": ["1 < seats <= 3"],
    "A list behind `in` holds plain values.": ["seats in [1, 2, 3]", "seats not in [1, 2, 3]"],
    "Numbers are exact decimals, on SQLite too.": ["0.1 + 0.2 == 0.3"],
    f"A quotient has {QUOTIENT} digits after the point; a division by 10, 100 … 1,000,000 has as many as it needs.": [
        "seats / 7",
        "price / 1000000",
    ],
    "A division by zero gives nothing.": ["price / 0"],
    "Rounding is half up, away from zero.": ["round(2.5)", "round(-2.5)", "round(0.125, 2)"],
    "A percent counts as its number: 20 is 20, so divide by 100.": ["price * tax / 100", "price * (100 - tax) / 100"],
    "A date is moved by whole days; two dates are a duration apart.": [
        "starts + days(14)",
        "starts + hours(36)",
        "ends - starts",
        "ends - starts > days(7)",
    ],
}
"""What holds everywhere, with expressions that show it."""
FITTING = f"""
A value is rounded to the digits of its field. A number that does not fit into the column ({DIGITS} digits) is nothing,
and a text is cut at its `max_length`. Text is compared letter by letter, so that `held` is not `Held`. A choice is its
key; a key that the field does not have is refused.

A moment is moved by `days(…)` along the calendar of the business's time zone: to the same hour of another day, also
when the clocks change between. Where the clocks show that hour twice, it is the first; where they skip it, it is as
much later (02:30 becomes 03:30). Hours, parts of a day, the values of duration fields, and the least or the greatest of
days and hours are elapsed time.
"""


def expressions_part() -> Iterator[str]:
    yield from ["## Expressions", "", *paragraph(INTRODUCTION.format(keys=_keys())), ""]
    for part in (_values, _paths, _operators, _rules, _functions, lists_part, computed_part, _limits):
        yield from [*part(), ""]


def _keys() -> str:
    sections = [EntitySection, *inner_sections(EntitySection)]
    known = [f"`{key}`" for section in sections for key in formula_keys(section)]
    return listed(["`compute` of a field", *dict.fromkeys(known)])


# Values


def _values() -> Iterator[str]:
    yield from ["### Values of expressions", "", "| Kind | Written | Fields |", "|---|---|---|"]
    for name, word in KINDS.items():
        written = [_checked(one, name) for one in WRITTEN.get(name, ())]
        types = [f"[`{one.type.name}`](#{one.type.name})" for one in plain_fields() if kind_word(one) == name]
        yield row(word, ", ".join(written), ", ".join(types) or "any that is empty")
    none = [f"`{one.type.name}`" for one in plain_fields() if not kind_word(one)]
    yield from ["", *paragraph(NO_VALUE.format(types=listed(none)))]


def _checked(source: str, kind: str) -> str:
    actual = read_expression(source, _record()).kind.name
    assert actual == kind, f"{source} gives {actual}, not {kind}"
    return f"`{source}`"


@cache
def _record() -> Entity:
    return sample_business(record={name: kind for name, (kind, _) in RECORD_OF_EXAMPLES.items()}).entities["record"]


def _paths() -> Iterator[str]:
    yield from ["### Names and paths", "", *paragraph(PATHS)]


# Operators


def _operators() -> Iterator[str]:
    yield from ["### Operators", "", "| Operator | Takes | Gives |", "|---|---|---|"]
    for sign in ("+", "-", "*", "/"):
        for given, pairs in _combinations(sign).items():
            yield row(f"`{sign}`", "; ".join(pairs), given)
    yield row("`-x`", ", ".join(_alone("-{0}")), "the same")
    yield row("`==`, `!=`", f"two of a kind: {', '.join(_alone('{0} == {0}'))}; any with `null`", KINDS[BOOLEAN])
    yield row("`<`, `<=`, `>`, `>=`", f"two of a kind: {', '.join(_alone('{0} < {0}'))}", KINDS[BOOLEAN])
    yield row("`in […]`, `not in […]`", "a value, and a list of plain values of its kind", KINDS[BOOLEAN])
    yield row("`and`, `or`, `not`", ", ".join(_alone("{0} and not {0}")), KINDS[BOOLEAN])
    yield row("`x if condition else y`", "a condition, and two values of a kind", "their kind")
    yield from ["", *paragraph(PRECEDENCE)]


@cache
def _of_each_kind() -> tuple[Entity, dict[str, str]]:
    """Return an entity with a field of each kind, and the names of those: kind → field."""
    raw: dict[str, dict[str, Any]] = {}
    for field in plain_fields():
        if kind_word(field):
            raw.setdefault(f"a_{kind_word(field)}", {"type": field.type.name, **field.type.example_options})
    entity = sample_business(sample=raw, other={"name": "text"}).entities["sample"]
    return entity, {kind: f"a_{kind}" for kind in KINDS if f"a_{kind}" in raw}


def _read(template: str, *kinds: str) -> Expression | None:
    entity, names = _of_each_kind()
    try:
        return read_expression(template.format(*(names[kind] for kind in kinds)), entity)
    except ExpressionError:
        return None


def _alone(template: str) -> list[str]:
    return [KINDS[kind] for kind in _of_each_kind()[1] if _read(template, kind)]


def _combinations(sign: str) -> dict[str, list[str]]:
    """Return what an operator gives, with the pairs of kinds that it gives it for."""
    pairs: dict[str, list[str]] = {}
    for left, right in product(_of_each_kind()[1], repeat=2):
        expression = _read(f"{{0}} {sign} {{1}}", left, right)
        if expression is not None:
            pairs.setdefault(KINDS[expression.kind.name], []).append(f"{KINDS[left]} {sign} {KINDS[right]}")
    return pairs


# Rules


def _rules() -> Iterator[str]:
    values = [f"`{name}` is {_shown(value)}" for name, (_, value) in RECORD_OF_EXAMPLES.items()]
    known = listed(values).replace("is nothing", "is empty")
    yield from ["### Rules of expressions", "", *paragraph(f"In the examples, {known}."), ""]
    yield from ["| Rule | Examples |", "|---|---|"]
    scope = EvalContext(SimpleNamespace(**{name: value for name, (_, value) in RECORD_OF_EXAMPLES.items()}))
    for rule, sources in RULES.items():
        examples = [(one, evaluate(read_expression(one, _record()), scope)) for one in sources]
        yield row(rule, "; ".join(f"`{source}` is {_shown(value)}" for source, value in examples))
    yield from ["", *paragraph(FITTING)]


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, timedelta):
        return f"{value.days} days"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


# Functions


def _functions() -> Iterator[str]:
    yield from ["### Functions", "", "| Function | Gives | What it is |", "|---|---|---|"]
    for function in FUNCTIONS.values():
        yield row(f"`{function.name}({', '.join(_parameters(function))})`", _gives(function), function.summary)


def _parameters(function: Function) -> Iterator[str]:
    for index, kinds in enumerate(function.takes):
        word = KINDS[next(iter(kinds))] if len(kinds) == 1 else "value"
        yield "digits" if index else word
    if function.variadic:
        yield "…"


def _gives(function: Function) -> str:
    """Return the kind that a function gives, or that it is the kind of what it takes."""
    taken = function.takes[0] if function.takes else {""}
    given = {kind: function.gives((Literal(Kind(kind)),) if kind else ()).name for kind in taken}
    words = ", ".join(KINDS[kind] for kind in KINDS if kind in given.values())
    return f"what it takes: {words}" if len(set(given.values())) > 1 else words


# Limits


def _limits() -> Iterator[str]:
    yield from ["### Limits of expressions", "", "| What | At most |", "|---|---|"]
    yield row("letters of an expression", f"{MAX_LENGTH}")
    yield row("operations within one another", f"{MAX_DEPTH}")
    yield row("digits of a number that is written", f"{DIGITS} before the point, 6 after it")
    yield row("digits after the point of any number on the way", f"{MOST_PLACES}; `round(…, 2)` takes some away")
    yield from ["", "A part of what is longer goes into a computed field of its own, which the rest reads."]
