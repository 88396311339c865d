"""The functions of expressions: what each takes and gives. `crm.expressions` says what they do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crm.blueprint.expressions.tree import BOOLEAN, DATE, DATETIME, DURATION, NUMBER, TEXT, Kind, Node

AGGREGATES = {
    "sum": "The sum over all that point here; 0 where there are none: `sum(payments.amount, status == 'settled')`.",
    "count": "How many point here: `count(passengers)`, `count(tasks, status != 'done')`.",
    "min": "The least of all that point here; nothing where there are none. Of two values or more: the least of them.",
    "max": "The greatest of all that point here; nothing where there are none. Of two values or more: the greatest.",
    "avg": "The mean over all that point here, to six digits; nothing where there are none.",
}
QUOTIENT = 6
"""How many digits a quotient and a mean have after the point."""
MOST_PLACES = 12


@dataclass(frozen=True)
class Function:
    """A function: the kinds that each argument may have, and the kind that it gives for given arguments."""

    name: str
    takes: Sequence[frozenset[str]]
    gives: Callable[[tuple[Node, ...]], Kind]
    summary: str
    variadic: bool = False


def _takes(*names: str) -> list[frozenset[str]]:
    return [frozenset(name.split("|")) for name in names]


ORDERED = f"{NUMBER}|{DATE}|{DATETIME}|time|{DURATION}"
ANY = f"{ORDERED}|{TEXT}|{BOOLEAN}"


def _of_first(arguments: tuple[Node, ...]) -> Kind:
    kinds = [argument.kind for argument in arguments]
    return Kind(kinds[0].name, max(kind.places for kind in kinds), kinds[0].entity)


def _rounded(arguments: tuple[Node, ...]) -> Kind:
    places = getattr(arguments[1], "value", 0) if len(arguments) > 1 else 0
    return Kind(NUMBER, int(places))


def _always(name: str) -> Callable[[tuple[Node, ...]], Kind]:
    return lambda arguments: Kind(name)


FUNCTIONS = {
    function.name: function
    for function in (
        Function("today", [], _always(DATE), "The day it is, in the time zone of the business."),
        Function("now", [], _always(DATETIME), "The moment it is."),
        Function(
            "days",
            _takes(NUMBER),
            _always(DURATION),
            "So many days, to add to a date or a moment: `at + days(1)` is the next day at the same hour, also when "
            "the clocks change. To compare with, a day has 24 hours.",
        ),
        Function(
            "hours", _takes(NUMBER), _always(DURATION), "So many hours of elapsed time, also when the clocks change."
        ),
        Function("days_since", _takes(DATE), _always(NUMBER), "How many days ago a date was; negative in the future."),
        Function(
            "days_between",
            _takes(DATE, DATE),
            _always(NUMBER),
            "How many days lie between two dates, as the nights of a stay: `days_between(starts, ends)`.",
        ),
        Function(
            "hours_in",
            _takes(DURATION),
            lambda arguments: Kind(NUMBER, QUOTIENT),
            "The hours of a duration, as a number to calculate with: `hours_in(worked) * rate`.",
        ),
        Function("date", _takes(DATETIME), _always(DATE), "The day of a moment, in the time zone of the business."),
        Function("year", _takes(DATE), _always(NUMBER), "The year of a date."),
        Function("month", _takes(DATE), _always(NUMBER), "The month of a date, 1 to 12."),
        Function("len", _takes(TEXT), _always(NUMBER), "How many letters a text has; 0 for none."),
        Function("lower", _takes(TEXT), _always(TEXT), "A text in small letters (A to Z alone)."),
        Function("abs", _takes(NUMBER), _of_first, "A number without its sign."),
        Function("round", _takes(NUMBER, NUMBER), _rounded, "A number rounded half up: `round(x, 2)`, `round(x)`."),
        Function(
            "coalesce", _takes(ANY), _of_first, "The first of its values that is there: `coalesce(discount, 0)`.", True
        ),
        Function("min", _takes(ORDERED), _of_first, AGGREGATES["min"], True),
        Function("max", _takes(ORDERED), _of_first, AGGREGATES["max"], True),
    )
}
