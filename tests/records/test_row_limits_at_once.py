"""Two acts at once that each keep a number of rows within its limit, and would exceed it together: one is refused."""

from __future__ import annotations

from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest
from django.db import connection, transaction

from crm.records import row_limits
from crm.records.computed_updates import defer_recompute
from crm.records.rules import RuleBroken
from tests.support.pages import address
from tests.support.people import client_of, person
from tests.support.records import make, model
from tests.support.threads import database_of_threads, in_threads

needs_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="a database with concurrent writers is needed: set DATABASE_URL to it"
)
pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts):
    """Do acts as forms do them, in transactions that are all checked before any ends, but for one that a lock holds.

    Returns what each was told.
    """
    begun, written = Barrier(len(acts)), Barrier(len(acts))

    def run(index):
        try:
            with transaction.atomic():
                begun.wait(timeout=30)
                with defer_recompute():
                    acts[index]()
                with suppress(BrokenBarrierError):
                    written.wait(timeout=1)
        except RuleBroken as broken:
            return broken.messages[0]
        return ""

    return in_threads(len(acts), run)


def adding(booking):
    """Return an act that adds a passenger to a booking."""
    return lambda: make("passenger", booking=booking)


def narrowing(booking):
    """Return an act that lets a booking have one passenger at most."""

    def narrow():
        mine = model("booking").objects.get(pk=booking.pk)
        mine.seats = 1
        mine.save()

    return narrow


def counted(booking):
    booking.refresh_from_db()
    return booking.seats, model("passenger").objects.filter(booking=booking).count()


@needs_postgresql
def test_of_two_rows_at_once_the_limit_lets_in_one():
    booking = make("booking", seats=1)
    assert sorted(at_once(adding(booking), adding(booking))) == ["", "2 passengers, but party size is 1."]
    assert counted(booking) == (1, 1)


@needs_postgresql
def test_a_limit_is_not_narrowed_while_a_row_is_added():
    booking = make("booking", seats=2)
    make("passenger", booking=booking)
    assert sorted(at_once(adding(booking), narrowing(booking))) == ["", "2 passengers, but party size is 1."]
    assert counted(booking) in {(2, 2), (1, 1)}


@needs_postgresql
def test_rows_of_several_parents_make_nobody_wait_in_a_circle():
    first, second = make("booking", seats=9), make("booking", seats=9)

    def both(*bookings):
        return lambda: [make("passenger", booking=booking) for booking in bookings]

    for _ in range(3):
        assert at_once(both(first, second), both(second, first)) == ["", ""]


@needs_postgresql
def test_rows_within_the_limit_together_are_both_added():
    booking = make("booking", seats=2)
    assert at_once(adding(booking), adding(booking)) == ["", ""]


@needs_postgresql
def test_without_the_lock_both_rows_would_be_added_and_a_limit_narrowed_below_its_rows(monkeypatch):
    """The control: it is the lock of the parents that lets only one win."""
    monkeypatch.setattr(row_limits, "lock_in_order", lambda rows: None)
    booking = make("booking", seats=1)
    assert at_once(adding(booking), adding(booking)) == ["", ""] and counted(booking) == (1, 2)
    booking = make("booking", seats=2)
    make("passenger", booking=booking)
    assert at_once(adding(booking), narrowing(booking)) == ["", ""] and counted(booking) == (1, 2)


def test_the_page_of_the_second_is_shown_again_with_what_is_too_many(tmp_path):
    """On each database: the forms of two people, sent at once."""
    booking, start, user = make("booking", seats=1), Barrier(2), person(is_superuser=True)

    def send(index):
        client = client_of(user)
        start.wait(timeout=30)
        data = {"booking": booking.pk, "first_name": ("Ada", "Ben")[index], "last_name": "Okafor", "_save": "1"}
        response = client.post(address("passenger", "add"), data)
        return response.status_code, response.content.decode()

    with database_of_threads(tmp_path):
        answers = in_threads(2, send)
        held = in_threads(1, lambda _: counted(booking))
    assert sorted(status for status, _ in answers) == [200, 302]
    page = next(text for status, text in answers if status == 200)
    assert "has 1 passengers already; its party size is 1." in page
    assert held == [(1, 1)]
