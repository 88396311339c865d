"""Python and the database come to the same value, for every row: nulls, ties, empty children and ends of time too."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.apps import apps
from hypothesis import given
from hypothesis import strategies as st

from crm.blueprint.expressions.parser import MAX_LENGTH, ExpressionError, read_expression
from crm.blueprint.expressions.tree import NUMBER
from crm.expressions import compile_sql
from crm.expressions.evaluate import EvalContext, evaluate, passes, rounded
from tests.expressions.sources import LEAVES, sources
from tests.support.examples import examples

EXAMPLES = 120
REFUSED = "nothing", "digits", "take", "too deeply", "is never"
"""Parts of the messages with which an expression of the right kinds may be refused."""
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MOMENTS = [
    NOON,
    datetime(2026, 11, 21, 20, 45, 6, 40_531, tzinfo=UTC),
    datetime(2028, 2, 29, 23, 59, 59, 999_994, tzinfo=UTC),
    datetime(2027, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
]


def compare(order, source: str, moment: datetime = NOON) -> None:
    expression = read_expression(source, order.definition)
    places = min(expression.kind.places, 8)
    value = compile_sql.value(expression, compile_sql.CompileContext(apps, moment=moment), places)
    in_database = dict(order.objects.annotate(_value=value).values_list("pk", "_value"))
    assert in_database, "there are rows to compare"
    for record in order.objects.select_related("party"):
        wanted = evaluate(expression, EvalContext(record, moment=moment))
        found = in_database[record.pk]
        if expression.kind.name == NUMBER and wanted is not None:
            wanted = rounded(Decimal(wanted), places)
            found = None if found is None else rounded(Decimal(found), places)
            if abs(wanted) >= Decimal(10) ** (compile_sql.DIGITS - places):
                wanted = None
        wanted = getattr(wanted, "pk", wanted)
        assert found == wanted, (source, record.pk, {"database": found, "python": wanted})


def compare_rule(order, source: str, moment: datetime) -> None:
    expression = read_expression(source, order.definition)
    condition = compile_sql.rule(expression, compile_sql.CompileContext(apps, moment=moment))
    met = set(order.objects.filter(condition).values_list("pk", flat=True))
    broken = set(order.objects.exclude(condition).values_list("pk", flat=True))
    assert met | broken == set(order.objects.values_list("pk", flat=True)) != set() and not met & broken, source
    for record in order.objects.select_related("party"):
        wanted = passes(expression, EvalContext(record, moment=moment))
        assert (record.pk in met) is wanted, (source, record.pk, {"python": wanted})


@pytest.mark.django_db
def test_python_and_the_database_agree_on_rules(order):
    """A rule is not broken by values that are not there: the same rows are met by both."""

    @examples(2 * EXAMPLES, part=2)
    @given(source=sources("boolean"), moment=st.sampled_from(MOMENTS))
    def holds(source, moment):
        try:
            read_expression(source, order.definition)
        except ExpressionError:
            return
        compare_rule(order, source, moment)

    holds()


@pytest.mark.django_db
@pytest.mark.parametrize("kind", LEAVES)
def test_python_and_the_database_agree(order, kind):
    @examples(EXAMPLES, part=1)
    @given(source=sources(kind), moment=st.sampled_from(MOMENTS))
    def holds(source, moment):
        try:
            read_expression(source, order.definition)
        except ExpressionError as error:
            assert len(source) > MAX_LENGTH or any(part in error.message for part in REFUSED), (source, error.message)
            return
        compare(order, source, moment)

    holds()


@pytest.mark.django_db
@pytest.mark.parametrize("moment", MOMENTS, ids=str)
@pytest.mark.parametrize(
    "source",
    [
        "(at - now())",
        "(now() - at)",
        "(at - hours(2))",
        "(day - (days(1000000) + days(1000000)))",
        "(day + days(n * 90000))",
    ],
)
def test_they_agree_at_the_ends_of_time(order, source, moment):
    """SQLite rounds 59.9996 seconds up, and PostgreSQL's dates begin in 4714 BC."""
    compare(order, source, moment)
