"""An expression that is nested as deep as may be is carried out: SQLite's parser has a stack of 100."""

from __future__ import annotations

import pytest
from django.apps import apps

from crm.blueprint.expressions.parser import ExpressionError, read_expression
from crm.expressions import compile_sql
from crm.records.computed_updates import _as_subquery

NESTED = {
    "sums": ("n", "({0} + d)"), "sums behind": ("n", "(d + {0})"), "products": ("m", "(2 * {0})"),
    "quotients": ("m", "({0} / 3)"), "divisors": ("m", "(3 / {0})"), "negatives": ("m", "(-{0})"), "abs": ("m", "abs({0})"),
    "rounded": ("m", "round({0} / 7, 2)"), "ifs": ("m", "({0} if b else d)"), "elses": ("m", "(d if b else {0})"),
    "tests": ("b", "(b if {0} else b)"), "coalesce": ("m", "coalesce(d, {0})"), "least": ("m", "min(d, {0})"),
    "latest": ("day", "max(until, {0})"), "days later": ("day", "({0} + days(1))"),
    "counted days": ("n", "days_since(day + days({0}))"), "nights": ("n", "days_between(until, day + days({0}))"), "worked": ("n", "hours_in(hours({0}))"), "years": ("n", "year(day + days({0}))"),
    "months": ("n", "month(day - days({0}))"), "not": ("b", "(not {0})"), "and": ("b", "({0} and b)"), "or": ("b", "(b or {0})"),
    "equal": ("b", "({0} == true)"), "equal behind": ("b", "(true == {0})"), "in": ("b", "({0} in [true])"),
    "joined": ("t", "({0} + t)"), "joined behind": ("t", "(t + {0})"), "small": ("t", "lower({0})"), "len": ("t", "('a' if len({0}) > 1 else t)"),
    "later": ("at", "({0} + hours(1))"), "much later": ("at", "({0} + hours(n))"), "next day": ("at", "({0} + days(1))"), "next days": ("at", "({0} - days(n))"),
    "days or hours": ("at", "({0} + (days(n) if b else hours(n)))"), "some days": ("at", "({0} + coalesce(lasts, days(n), hours(1)))"),
    "nested days": ("lasts", "(days(1) if at + {0} > now() else hours(n))"), "later or now": ("at", "coalesce(now(), {0})"),
    "first": ("at", "min(at, {0})"), "day of": ("at", "(at + (date({0}) - day))"), "lasting": ("lasts", "({0} - lasts)"),
    "between days": ("day", "(day + ({0} - until))"), "hours": ("n", "(3 if hours({0}) > days(1) else 2)"),
    "children": ("n", "(count(lines, order.n > 3) + {0})"), "means": ("m", "(avg(lines.price) / {0})"),
}  # fmt: skip


def deepest(order, base: str, template: str):
    """Return the expression with as much around it as the reader allows."""
    source, found = base, read_expression(base, order.definition)
    while True:
        source = template.format(source)
        try:
            found = read_expression(source, order.definition)
        except ExpressionError:
            return found


@pytest.mark.django_db
@pytest.mark.parametrize("how", NESTED)
def test_the_deepest_expression_is_carried_out(order, how):
    found = deepest(order, *NESTED[how])
    assert found.source.count("(") > 1, "not even two may stand in one another"
    value = compile_sql.value(found, compile_sql.CompileContext(apps), min(found.kind.places, 8))
    rows = order.objects.annotate(_value=value)
    list(rows.filter(_value__isnull=False).exclude(_value=None).order_by("-_value").values_list("_value")[:3])
    list(order.objects.annotate(_value=_as_subquery(order, value)).values_list("_value")[:3])
