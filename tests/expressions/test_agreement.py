"""Python and the database come to the same value, for every row: nulls, ties, empty children and ends of time too."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.apps import apps
from django.utils import timezone
from hypothesis import HealthCheck, given, seed, settings

from crm.blueprint.expressions.reading import MAX_LENGTH, ExpressionError, read_expression
from crm.blueprint.expressions.tree import NUMBER
from crm.expressions import sql
from crm.expressions.python import Scope, evaluate, passes, rounded
from tests.expressions.sources import LEAVES, sources

EXAMPLES = 120


def compare(order, source: str) -> None:
    expression = read_expression(source, order.definition)
    moment = timezone.now()
    places = min(expression.kind.places, 8)
    value = sql.value(expression, sql.Setting(apps, moment=moment), places)
    in_database = dict(order.objects.annotate(_value=value).values_list("pk", "_value"))
    for record in order.objects.select_related("party"):
        wanted = evaluate(expression, Scope(record, moment=moment))
        found = in_database[record.pk]
        if expression.kind.name == NUMBER and wanted is not None:
            wanted = rounded(Decimal(wanted), places)
            found = None if found is None else rounded(Decimal(found), places)
            if abs(wanted) >= Decimal(10) ** (sql.DIGITS - places):
                wanted = None
        wanted = getattr(wanted, "pk", wanted)
        assert found == wanted, (source, record.pk, {"database": found, "python": wanted})


def compare_rule(order, source: str) -> None:
    expression = read_expression(source, order.definition)
    moment = timezone.now()
    condition = sql.rule(expression, sql.Setting(apps, moment=moment))
    met = set(order.objects.filter(condition).values_list("pk", flat=True))
    broken = set(order.objects.exclude(condition).values_list("pk", flat=True))
    assert met | broken == set(order.objects.values_list("pk", flat=True)) and not met & broken, source
    for record in order.objects.select_related("party"):
        wanted = passes(expression, Scope(record, moment=moment))
        assert (record.pk in met) is wanted, (source, record.pk, {"python": wanted})


@pytest.mark.django_db
def test_python_and_the_database_agree_on_rules(order):
    """A rule is not broken by values that are not there: the same rows are met by both."""

    @seed(2)
    @settings(max_examples=2 * EXAMPLES, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(source=sources("boolean"))
    def holds(source):
        try:
            read_expression(source, order.definition)
        except ExpressionError:
            return
        compare_rule(order, source)

    holds()


@pytest.mark.django_db
@pytest.mark.parametrize("kind", LEAVES)
def test_python_and_the_database_agree(order, kind):
    @seed(1)
    @settings(max_examples=EXAMPLES, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(source=sources(kind))
    def holds(source):
        try:
            read_expression(source, order.definition)
        except ExpressionError as error:
            assert (
                len(source) > MAX_LENGTH
                or "nothing" in error.message
                or "digits" in error.message
                or "take" in error.message
                or "too deeply" in error.message
            ), (source, error.message)
            return
        compare(order, source)

    holds()
