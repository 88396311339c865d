"""Whatever is written into a definition: nothing runs, nothing takes long, and a text stays a text."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import pytest
from properties.world import read_business

from crm.blueprint.expressions.parser import ExpressionError, read_expression
from crm.expressions import compile_sql
from crm.expressions.evaluate import EvalContext, evaluate
from tests.expressions.hostile import HARMLESS, QUOTED, REACHING, SHAPED
from tests.expressions.shop import DOCUMENTS
from tests.expressions.test_agreement import compare

ORDER = read_business("shop", DOCUMENTS).entities["order"]
REFUSED = [*REACHING, *SHAPED]
LINES, BYTES = 100_000, 500_000
"""What an expression may take: lines of Python that are run, and bytes. Both are the same on every machine.

What the interpreter does within a line is bounded by the bytes: a number or a text that takes it long is large.
"""
ACTS = {"exec", "import", "open", "os", "subprocess", "socket", "ctypes", "shutil", "marshal", "pickle", "pty"}
_seen: list[str] | None = None


def _listen(event: str, arguments: tuple[Any, ...]) -> None:
    if _seen is not None and event.partition(".")[0] in ACTS:
        _seen.append(event)


sys.addaudithook(_listen)


@contextmanager
def watched() -> Iterator[list[str]]:
    """Give a list of what the interpreter is asked to do meanwhile: run code, import, open, start or connect."""
    global _seen
    _seen = found = []
    try:
        yield found
    finally:
        _seen = None


@dataclass
class Cost:
    """What an act took."""

    lines: int
    bytes: int

    def check(self) -> None:
        assert self.lines < LINES, f"{self.lines:,} lines of Python"
        assert self.bytes < BYTES, f"{self.bytes:,} bytes"


def cost_of(act: Callable[[], Any]) -> Cost:
    """Carry an act out twice, as counting its lines would be in the way of measuring its memory."""
    lines, former = 0, sys.gettrace()

    def count(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return count

    sys.settrace(count)
    try:
        act()
    finally:
        sys.settrace(former)
    tracemalloc.start()
    try:
        act()
        return Cost(lines, tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()


def attempt(source: str) -> None:
    """Do what a process does with an expression before a database is asked."""
    try:
        found = read_expression(source, ORDER)
    except ExpressionError as error:
        assert 0 <= error.offset <= len(source)
        str(error)
    else:
        str(found), found.is_of_row, found.is_timed


def names(sources: list[str]) -> list[str]:
    return [f"{number}-{source[:30]!a}" for number, source in enumerate(sources)]


def test_there_are_enough_of_them():
    assert len(set(REFUSED)) == len(REFUSED) >= 200
    assert len(set(HARMLESS)) == len(HARMLESS)


@pytest.mark.parametrize("source", REFUSED, ids=names(REFUSED))
def test_a_hostile_expression_is_refused(source):
    with watched() as acts, pytest.raises(ExpressionError):
        read_expression(source, ORDER)
    assert acts == []


@pytest.mark.parametrize("source", [*REFUSED, *HARMLESS], ids=names([*REFUSED, *HARMLESS]))
def test_no_expression_is_costly(source):
    cost_of(lambda: attempt(source)).check()


@pytest.mark.django_db
@pytest.mark.parametrize("source", HARMLESS, ids=names(HARMLESS))
def test_a_harmless_expression_means_the_same_in_both(order, source):
    compare(order, source)


@pytest.mark.django_db
@pytest.mark.parametrize("source", HARMLESS, ids=names(HARMLESS))
def test_no_harmless_expression_is_costly_to_carry_out(order, source):
    expression, record = read_expression(source, order.definition), order.objects.first()

    def carry_out() -> None:
        evaluate(expression, EvalContext(record))
        str(
            order.objects.annotate(
                _value=compile_sql.value(expression, compile_sql.CompileContext(order._meta.apps))
            ).query
        )

    cost_of(carry_out).check()


@pytest.mark.django_db
@pytest.mark.parametrize("text", QUOTED, ids=names(QUOTED))
def test_a_text_is_found_as_it_is_and_finds_nothing_else(order, text):
    other = order.objects.create(t="other")
    same = order.objects.create(t=text)
    found = read_expression(f"t == {text!r}", order.definition)
    rows = order.objects.filter(pk__in=[other.pk, same.pk]).filter(
        compile_sql.condition(found, compile_sql.CompileContext(order._meta.apps))
    )
    assert [row.t for row in rows] == [text]
    with watched() as acts:
        assert [evaluate(found, EvalContext(record)) for record in (other, same)] == [False, True]
    assert acts == []


def test_the_watch_would_notice():
    with watched() as acts:
        eval("__import__('os').system('true')")
    assert {"exec", "os.system"} <= set(acts)


def test_the_measuring_would_notice():
    def walk() -> None:
        for _ in range(LINES):
            pass

    for act in (walk, lambda: bytearray(BYTES), lambda: 9**10**6, lambda: "x" * BYTES):
        with pytest.raises(AssertionError):
            cost_of(act).check()
