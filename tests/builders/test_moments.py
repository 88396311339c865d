"""Moments when the clocks go back: a form that nobody touched changes none, and a day has all of its hours."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.utils import timezone

from crm.builders.filter_fields import DaysField
from crm.capabilities.history.day import DayForm
from tests.support.pages import save
from tests.support.records import make

TWICE = [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, 0, 400_000, tzinfo=UTC)]
"""Two moments that London's clocks show as 01:30; one has a fraction, which no input shows."""


@pytest.mark.django_db
@pytest.mark.parametrize("moment", TWICE)
def test_a_form_keeps_a_moment_that_nobody_changed(signed_in, moment):
    flight = make("flight", departs=moment, arrives=datetime(2026, 10, 25, 6, tzinfo=UTC), number="LH 1")
    save(signed_in, "flight", flight, number="LH 2")
    flight.refresh_from_db()
    assert (flight.number, flight.departs) == ("LH 2", moment)
    save(signed_in, "flight", flight, departs_0="2026-10-24")
    flight.refresh_from_db()
    assert flight.departs == datetime(2026, 10, 24, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "first", "last"),
    [
        ("Africa/Cairo", date(2026, 10, 29), "2026-10-28 21:00", "2026-10-29 21:59"),
        ("Africa/Cairo", date(2026, 4, 24), "2026-04-23 22:00", "2026-04-24 20:59"),
        ("America/Havana", date(2026, 11, 1), "2026-11-01 04:00", "2026-11-02 04:59"),
        ("America/Santiago", date(2026, 4, 4), "2026-04-04 03:00", "2026-04-05 03:59"),
        ("Europe/London", date(2026, 10, 25), "2026-10-24 23:00", "2026-10-25 23:59"),
    ],
)
def test_a_day_has_all_of_its_hours(zone, day, first, last, monkeypatch):
    with timezone.override(zone):
        days = DaysField().clean([str(day), str(day)])
        form = DayForm({"on": str(day)})
        monkeypatch.setattr(timezone, "now", lambda: datetime(2030, 1, 1, tzinfo=UTC))
        assert form.is_valid()
        seen = [f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}" for moment in (days.start, days.stop, form.moment)]
    assert seen == [first, last, last]
