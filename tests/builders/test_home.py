"""The home page: counts up to a limit, weeks, and what is newest, for a number of queries that does not grow."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm.builders import home
from tests.support.pages import text_of
from tests.support.people import client_of, person
from tests.support.records import business, make, model

HOME = "admin:index"


def context(user):
    return home.home_context(business(), SimpleNamespace(user=user))


def card(user, name):
    return next(one for one in context(user)["cards"] if one.entity.name == name)


def moved(record, moment):
    """Let a record have been made at another moment."""
    type(record).objects.filter(pk=record.pk).update(created=moment)


def monday():
    now = timezone.localtime()
    return timezone.make_aware(datetime(now.year, now.month, now.day) - timedelta(days=now.weekday()))


def test_each_record_is_in_the_bar_of_its_week(admin_user):
    for back in (0, 0, 1, 1, 1, 11):
        moved(make("trip"), monday() - timedelta(weeks=back))
    moved(make("trip"), monday() - timedelta(seconds=1))  # belongs to the week before
    moved(make("trip"), monday() - timedelta(weeks=home.WEEKS - 1, seconds=1))  # before all bars
    found = card(admin_user, "trip")
    assert found.count == "8" and found.new == "2"
    assert {bar["back"]: bar["count"] for bar in found.weeks if bar["count"] != "0"} == {0: "2", 1: "4", 11: "1"}


def test_counts_stop_at_the_limit(admin_user, monkeypatch):
    monkeypatch.setattr(home, "COUNTED", 3)
    for _ in range(3):
        make("trip")
    assert (card(admin_user, "trip").count, card(admin_user, "trip").new) == ("3", "3")
    make("trip")
    make("trip")
    found = card(admin_user, "trip")
    assert (found.count, found.new) == ("3+", "3+") and found.weeks[-1]["count"] == "3+"


def test_all_cards_are_counted_by_one_query_that_stops_at_the_limit(signed_in):
    for name in ("booking", "payment", "task", "note", "enquiry", "passenger"):
        make(name, full=True)
    with CaptureQueriesContext(connection) as few:
        signed_in.get(reverse(HOME))
    counting = [query["sql"] for query in few if "COUNT(" in query["sql"]]
    cards = len(signed_in.get(reverse(HOME)).context["cards"])
    assert len(counting) == 1 and counting[0].count(f"LIMIT {home.COUNTED + 1}") == cards * (home.WEEKS + 1)
    assert len(few) <= cards + 6, [query["sql"][:90] for query in few]


def test_batches_of_cards_say_the_same(admin_user, monkeypatch):
    make("booking", full=True)
    at_once = [(one.entity, one.count, one.weeks) for one in context(admin_user)["cards"]]
    monkeypatch.setattr(home, "AT_ONCE", 2)
    assert [(one.entity, one.count, one.weeks) for one in context(admin_user)["cards"]] == at_once


def test_the_newest_come_first_whatever_they_are(admin_user, monkeypatch):
    monkeypatch.setattr(home, "NEWEST", 3)
    start = timezone.now() - timedelta(days=40)
    names = ["trip", "hotel", "trip", "task", "trip"]
    records = [make(name) for name in names]
    for other in business().entities:
        for record in model(other).objects.all():
            moved(record, start - timedelta(days=1))
    for day, record in enumerate(records):
        moved(record, start + timedelta(days=day))
    newest = context(admin_user)["newest"]
    assert [(one["entity"].name, one["date"]) for one in newest] == [
        (names[day], start + timedelta(days=day)) for day in (4, 3, 2)
    ]
    assert [one["title"] for one in newest] == [str(records[day]) for day in (4, 3, 2)]
    assert [one["url"].split("/")[-3] for one in newest] == [str(records[day].pk) for day in (4, 3, 2)]


@pytest.mark.django_db
def test_a_role_counts_and_reads_its_own_rows():
    user = person("telecaller")
    make("enquiry", assigned_to=user, name="Mine")
    make("enquiry", name="Another's")
    page = client_of(user).get(reverse(HOME))
    assert next(one for one in page.context["cards"] if one.entity.name == "enquiry").count == "1"
    assert "Another's" not in text_of(page)


def test_a_business_without_records_says_so(signed_in):
    text = text_of(signed_in.get(reverse(HOME)))
    assert "Nothing has been added yet" in text and "none new this week" in text
