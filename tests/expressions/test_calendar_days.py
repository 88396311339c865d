"""Days in moments are days of the calendar: the next day at the same local hour, also when the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps
from hypothesis import HealthCheck, assume, example, given, seed
from hypothesis import settings as searching
from hypothesis import strategies as st

from crm.blueprint.expressions.parser import read_expression
from crm.expressions import calendar, compile_sql
from crm.expressions.evaluate import EvalContext, evaluate

pytestmark = pytest.mark.django_db
ZONES = [
    "America/New_York",
    "Europe/Berlin",
    "Europe/London",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "UTC",
    "Asia/Kolkata",
]


def both(order, source: str, at: datetime, zone: str, **values):
    """Return what an expression comes to for a moment, in Python and in the database, as local time with its offset."""
    record = order.objects.create(at=at, **values)
    expression = read_expression(source, order.definition)
    value = compile_sql.value(expression, compile_sql.CompileContext(apps))
    found = order.objects.annotate(_value=value).values_list("_value", flat=True).get(pk=record.pk)
    assert found == evaluate(expression, EvalContext(record)), (source, at, zone)
    return found and str(found.astimezone(ZoneInfo(zone)))


def local(text: str, zone: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    "text, source, wanted",
    [
        ("2026-10-31 23:30", "at + days(1)", "2026-11-01 23:30:00-05:00"),
        ("2026-11-01 00:30", "at + days(1)", "2026-11-02 00:30:00-05:00"),
        ("2026-11-01 00:30", "at + hours(24)", "2026-11-01 23:30:00-05:00"),
        ("2026-11-02 00:30", "at - days(1)", "2026-11-01 00:30:00-04:00"),
        ("2026-11-02 00:30", "at - hours(24)", "2026-11-01 01:30:00-04:00"),
        ("2026-03-07 02:30", "at + days(1)", "2026-03-08 03:30:00-04:00"),
        ("2026-03-09 02:30", "at - days(1)", "2026-03-08 03:30:00-04:00"),
        ("2026-03-07 02:30", "at + days(2)", "2026-03-09 02:30:00-04:00"),
        ("2026-10-31 01:30", "at + days(1)", "2026-11-01 01:30:00-04:00"),
        ("2026-11-02 01:30", "at + (-days(1))", "2026-11-01 01:30:00-04:00"),
        ("2026-10-31 12:00", "at + days(1.5)", "2026-11-02 00:00:00-05:00"),
        ("2026-10-31 12:00", "at + (days(1) + hours(2))", "2026-11-01 14:00:00-05:00"),
        ("2026-10-31 12:00", "at + (hours(2) - days(1) - hours(1))", "2026-10-30 13:00:00-04:00"),
        ("2026-10-31 12:00", "at + (days(n) if b else hours(24))", "2026-11-01 12:00:00-05:00"),
        ("2026-10-31 12:00", "at + (hours(24) if b else days(n))", "2026-11-01 11:00:00-05:00"),
        ("2026-10-31 12:00", "at + coalesce(lasts, days(n))", "2026-11-01 12:00:00-05:00"),
        ("2026-10-31 12:00", "at + coalesce(days(n), lasts)", "2026-11-01 12:00:00-05:00"),
        ("2026-10-31 12:00", "at + min(days(1), days(2))", "2026-11-01 12:00:00-05:00"),
        ("2026-10-31 12:00", "at + max(days(1), hours(1))", "2026-11-01 11:00:00-05:00"),
        ("2026-10-31 12:00", "at + (days(n) if not b else null)", "None"),
        ("9999-12-31 12:00", "at + days(1)", "None"),
        ("0001-01-03 12:00", "at - days(4)", "None"),
    ],
)
def test_the_next_day_is_at_the_same_hour(order, settings, text, source, wanted):
    settings.TIME_ZONE = "America/New_York"
    assert str(both(order, source, local(text, "America/New_York"), "America/New_York", n=1, b=True)) == wanted


def test_no_days_leave_the_second_of_two_hours_as_it_is(order, settings):
    settings.TIME_ZONE = "America/New_York"
    second = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert both(order, "at + days(n)", second, "America/New_York", n=0) == "2026-11-01 01:30:00-05:00"
    assert both(order, "at + days(n)", second, "America/New_York", n=1) == "2026-11-02 01:30:00-05:00"


def test_it_is_the_local_hour_wherever_there_is_one(order, settings):
    moments = st.datetimes(datetime(1970, 1, 5), datetime(2090, 1, 1), timezones=st.just(UTC))

    @seed(3)
    @searching(max_examples=150, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(at=moments, days=st.integers(-400, 400), name=st.sampled_from(ZONES))
    @example(datetime(2011, 12, 29, 20, tzinfo=UTC), 1, "Pacific/Apia")
    @example(datetime(2026, 4, 4, 14, 40, tzinfo=UTC), 1, "Australia/Lord_Howe")
    def holds(at, days, name):
        settings.TIME_ZONE = name
        zone = ZoneInfo(name)
        found = both(order, "at + days(n)", at, name, n=days)
        wanted = (at.astimezone(zone).replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=zone)
        assume(days)
        assert datetime.fromisoformat(found) == wanted.astimezone(UTC), "as moments.py reads a local time"

    holds()


def test_elapsed_time_is_no_calendar(order):
    days, rest = calendar.split(read_expression("at + lasts", order.definition).root.arguments[1])
    assert days is None and rest is not None
