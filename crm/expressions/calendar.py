"""Calendar days in moments: `at + days(1)` is the next day at the same local hour, across a change to summer time too.

`hours(24)` stays elapsed time. A duration that is added to a moment is split into its calendar days (`days(…)`) and the
rest; the days go first. A local time that occurs twice (DST fold) means the first of the two; one that does not exist
(DST gap) is moved forward with the clocks: 02:30 becomes 03:30. `fields/moments.py` reads local times in the same way,
except that it refuses one that does not exist: there, somebody can be asked.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.backends.signals import connection_created
from django.utils import timezone

from crm.blueprint.expressions.tree import BOOLEAN, DURATION, NULL, Kind, Literal, Node, Operation

DAY = 86_400_000_000
MICRO = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999
"""Microseconds since 1970, as far as the years have four digits."""
ZERO = Literal(Kind(DURATION), timedelta())
Parts = tuple[Node | None, Node | None]
"""The calendar days of a duration and the rest, which is elapsed time; None where there is none of it."""


def split(node: Node) -> Parts:
    """Split the expression of a duration into calendar days and elapsed time, which come to the whole together.

    A value of a field is elapsed time, and so is the least or the greatest of several durations that are not all days.
    """
    divide = _SPLITS.get(node.name) if isinstance(node, Operation) else None
    return divide(node) if divide else (None, node)


def _sum(node: Operation) -> Parts:
    if any(one.kind.name != DURATION for one in node.arguments):
        return None, node  # what lies between two dates or moments
    left, right = (split(one) for one in node.arguments)
    days, rest = (_combined(node.name, one, other) for one, other in zip(left, right, strict=True))
    return days, rest


def _combined(sign: str, left: Node | None, right: Node | None) -> Node | None:
    if left is None or right is None:
        return left if right is None else right if sign == "+" else Operation(right.kind, "neg", (right,))
    return Operation(left.kind, sign, (left, right))


def _negative(node: Operation) -> Parts:
    days, rest = (part and Operation(node.kind, "neg", (part,)) for part in split(node.arguments[0]))
    return days, rest


def _whole(node: Operation, arguments: tuple[Node, ...]) -> Parts | None:
    """Return the parts where all arguments are of the same sort, so that nothing needs to be split."""
    parts = [split(argument) for argument in arguments]
    if all(rest is None for _, rest in parts):
        return node, None
    return (None, node) if all(days is None for days, _ in parts) else None


def _chosen(node: Operation) -> Parts:
    test, first, other = node.arguments
    return _whole(node, (first, other)) or _either(test, first, other)


def _either(test: Node, first: Node, other: Node) -> Parts:
    kind = Kind(DURATION)
    pairs = zip(split(first), split(other), strict=True)
    days, rest = (Operation(kind, "if", (test, one or ZERO, two or ZERO)) for one, two in pairs)
    return days, rest


def _first_of(node: Operation) -> Parts:
    whole = _whole(node, node.arguments)
    if whole is not None:
        return whole
    first, *others = node.arguments
    rest = Operation(node.kind, "coalesce", tuple(others)) if len(others) > 1 else others[0]
    nothing = Operation(Kind(BOOLEAN), "==", (first, Literal(Kind(NULL))))
    return _either(nothing, rest, first)


def _extreme(node: Operation) -> Parts:
    return _whole(node, node.arguments) or (None, node)


_SPLITS: dict[str, Callable[[Operation], Parts]] = {
    "days": lambda node: (node, None),
    "+": _sum,
    "-": _sum,
    "neg": _negative,
    "if": _chosen,
    "coalesce": _first_of,
    "min": _extreme,
    "max": _extreme,
}


# In Python, and for SQLite


def later(micros: int | None, span: int | None, zone: ZoneInfo) -> int | None:
    """Return a moment moved by calendar days: `span` microseconds, of which whole days go by the calendar.

    Moments are microseconds since 1970; beyond the years of four digits is nothing.
    """
    if micros is None or span is None:
        return None
    days = abs(span) // DAY * (1 if span > 0 else -1)
    rest = span - days * DAY
    if not days:
        return micros + rest
    local = micros + _offset(micros, zone) + days * DAY
    return _moment(local, zone) + rest if FIRST <= local <= LAST else None


def _moment(local: int, zone: ZoneInfo) -> int:
    """Return the moment of a local time: the first of two, and one put forward with the clocks where there is none."""
    before, after = (local - _offset(local + shift, zone) for shift in (-DAY, DAY))
    is_after = before + _offset(before, zone) != local and after + _offset(after, zone) == local
    return after if is_after else before


def _offset(micros: int, zone: ZoneInfo) -> int:
    """Return how far local time is ahead, in microseconds; near the ends of time as two days before or after."""
    inside = min(max(micros, FIRST + 2 * DAY), LAST - 2 * DAY)
    return (EPOCH + timedelta(microseconds=inside)).astimezone(zone).utcoffset() // MICRO


def move(moment: datetime, days: timedelta, rest: timedelta) -> datetime | None:
    """Return a moment moved by calendar days of the business's time zone, and then by elapsed time."""
    zone = timezone.get_default_timezone()
    micros = later((moment - EPOCH) // MICRO, days // MICRO, zone)
    if micros is None or not FIRST <= micros + rest // MICRO <= LAST:
        return None
    return EPOCH + timedelta(microseconds=micros + rest // MICRO)


# In the databases


def sqlite(zone: str) -> str:
    """Return the SQL that moves the moment `{0}` by the calendar days `{1}`, both in microseconds."""
    return f"CRM_DAYS_LATER({{0}}, {{1}}, '{zone}')"


def _add_function(connection: Any, **_: Any) -> None:
    if connection.vendor == "sqlite":
        connection.connection.create_function("CRM_DAYS_LATER", 3, _later, deterministic=True)


def _later(micros: int | None, span: int | None, zone: str) -> int | None:
    return later(micros, span, ZoneInfo(zone))


connection_created.connect(_add_function, dispatch_uid="calendar days")


def postgresql(zone: str) -> str:
    """Return the same for PostgreSQL, as `later` works it out; each argument stands once, however long it is.

    `OFFSET 0` keeps the planner from writing the inner queries out into the outer ones, which doubles them each time.
    """

    def offset(micros: str) -> str:
        whole = f"DIV({micros}, {DAY}) * INTERVAL '1 day' + MOD({micros}, {DAY}) * INTERVAL '1 microsecond'"
        return f"(EXTRACT(EPOCH FROM (TIMESTAMPTZ 'epoch' + {whole}) AT TIME ZONE '{zone}') * 1000000 - ({micros}))"

    days = f"DIV(a.span, {DAY})"
    moved = f"a.micros + {offset('a.micros')} + {days} * {DAY}"
    local = f"NULLIF(NULLIF(LEAST(GREATEST({moved}, {FIRST - 1}), {LAST + 1}), {FIRST - 1}), {LAST + 1})"
    return (
        f"(SELECT CASE WHEN {days} = 0 THEN a.micros"
        f" WHEN c.before + {offset('c.before')} <> b.local AND c.after + {offset('c.after')} = b.local THEN c.after"
        f" ELSE c.before END + MOD(a.span, {DAY})"
        " FROM (SELECT CAST({0} AS numeric) AS micros, CAST({1} AS numeric) AS span OFFSET 0) AS a"
        f" CROSS JOIN LATERAL (SELECT {local} AS local OFFSET 0) AS b"
        f" CROSS JOIN LATERAL (SELECT b.local - {offset(f'b.local - {DAY}')} AS before,"
        f" b.local - {offset(f'b.local + {DAY}')} AS after OFFSET 0) AS c)"
    )
