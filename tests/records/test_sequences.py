"""Numbers that are given at saving: in their format, without gaps where that was asked for, never twice."""

from __future__ import annotations

import re
from datetime import datetime
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from crm.fields import counter
from crm.fields.counter import take_numbers
from crm.records.writes import write_records
from tests.support.records import make, model
from tests.support.threads import in_threads

THREADS = 10
EACH = 10


def numbers(name, field="number"):
    """Return the running numbers that records have, in order; the year before them is left out."""
    found = model(name).objects.order_by(field).values_list(field, flat=True)
    return [int(re.search(r"(\d+)$", one)[1]) for one in found if one]


def at(monkeypatch, *moment):
    now = datetime(*moment, tzinfo=ZoneInfo("Europe/London"))
    monkeypatch.setattr(timezone, "now", lambda: now)


# Each of these tests has a year of its own: numbers that are not gapless are taken for good, whatever becomes of a test.


@pytest.mark.django_db
def test_numbers_are_given_in_their_format(monkeypatch):
    at(monkeypatch, 2031, 5, 1)
    assert [make("booking").number for _ in range(3)] == ["B-2031-00001", "B-2031-00002", "B-2031-00003"]
    assert make("invoice").number == "INV-2031-00001"
    assert re.fullmatch(r"P-\d{6}", make("payment").reference)


@pytest.mark.django_db
def test_a_year_in_the_format_starts_anew_at_the_new_year_of_the_business(monkeypatch):
    at(monkeypatch, 2032, 12, 31, 23, 59)
    assert make("booking").number == "B-2032-00001"
    at(monkeypatch, 2033, 1, 1, 0, 0)
    assert make("booking").number == "B-2033-00001"
    at(monkeypatch, 2032, 12, 31, 23, 59)
    assert make("booking").number == "B-2032-00002"


@pytest.mark.django_db
def test_numbers_that_records_bring_along_are_stepped_over(monkeypatch):
    """Also within one transaction, where the number that was brought must not keep the next one waiting."""
    at(monkeypatch, 2034, 5, 1)
    make("booking", number="B-2034-00007")
    make("booking", number="from the old system")
    assert make("booking").number == "B-2034-00008"


@pytest.mark.django_db
def test_a_lower_number_that_a_record_brings_along_does_not_lead_back():
    """The numbers between are those of records that are gone: given again, they would name two."""
    make("booking", number="B-2036-00007").delete_for_good()
    make("booking", number="B-2036-00003")
    assert take_numbers("travel.booking.number:B-2036-{n:05}", 1, 1, gapless=True) == 8


@pytest.mark.django_db
def test_a_number_is_kept_when_the_record_is_saved_again():
    booking = make("booking")
    number = booking.number
    booking.save()
    booking.refresh_from_db()
    assert booking.number == number


@pytest.mark.django_db
def test_records_written_in_bulk_get_theirs_too(monkeypatch):
    at(monkeypatch, 2035, 5, 1)
    first = make("booking")
    shared = {"customer": first.customer, "trip": first.trip, "unit_price": 1}
    many = [model("booking")(**shared) for _ in range(4)] + [model("booking")(**shared, number="B-2035-00003")]
    write_records(model("booking"), created=many)
    assert len({one.number for one in many}) == 5 and all(one.number for one in many)


@pytest.mark.django_db
def test_a_gapless_number_goes_back_when_its_save_fails():
    customer = make("customer")
    make("invoice", customer=customer)
    with pytest.raises(RuntimeError), transaction.atomic():
        make("invoice", customer=customer)
        raise RuntimeError("the save fails after the number was taken")
    make("invoice", customer=customer)
    assert numbers("invoice") == [1, 2]


# Many at once


def needs_postgresql():
    if connection.vendor != "postgresql":
        pytest.skip("a database with concurrent writers is needed: set DATABASE_URL to a PostgreSQL")


def create_at_once(name, fail_every=0, **shared):
    """Create 100 records in threads that start together; return the errors. Every n-th is rolled back after its save."""
    start = Barrier(THREADS)

    def work(thread):
        errors = []
        start.wait(timeout=30)
        for index in range(EACH):
            try:
                with transaction.atomic():
                    make(name, **shared)
                    if fail_every and (thread * EACH + index) % fail_every == 0:
                        raise RuntimeError("rolled back on purpose")
            except RuntimeError:
                continue
            except IntegrityError as error:
                errors.append(error)
        return errors

    return [error for errors in in_threads(THREADS, work) for error in errors]


@pytest.mark.django_db(transaction=True)
def test_a_hundred_gapless_numbers_at_once_have_no_gap_and_no_double():
    needs_postgresql()
    errors = create_at_once("invoice", customer=make("customer"))
    assert errors == []
    assert numbers("invoice") == list(range(1, THREADS * EACH + 1))


@pytest.mark.django_db(transaction=True)
def test_saves_that_fail_leave_no_gap_between_gapless_numbers():
    needs_postgresql()
    errors = create_at_once("invoice", fail_every=4, customer=make("customer"))
    assert errors == []
    assert numbers("invoice") == list(range(1, THREADS * EACH * 3 // 4 + 1))


@pytest.mark.django_db(transaction=True)
def test_other_numbers_may_have_gaps_but_no_doubles():
    """The control for the gaps: bookings' numbers are not gapless, and the same failing saves do leave some."""
    needs_postgresql()
    errors = create_at_once("booking", fail_every=4, customer=make("customer"), trip=make("trip"))
    assert errors == []
    found = numbers("booking")
    assert len(found) == len(set(found)) == THREADS * EACH * 3 // 4
    assert found != list(range(1, len(found) + 1))


@pytest.mark.django_db(transaction=True)
def test_without_the_counters_lock_the_same_saves_do_collide(monkeypatch):
    """The control for the lock: a counter that is read now and written after the save gives its numbers out twice."""
    needs_postgresql()

    def unlocked(using, key, count, start):
        counters = apps.get_model("crm", "Counter").objects.using(using)
        found = counters.filter(key=key).first()
        first = found.value + 1 if found else start
        last = counters.model(key=key, value=first + count - 1)
        transaction.on_commit(
            lambda: counters.bulk_create([last], update_conflicts=True, unique_fields=["key"], update_fields=["value"])
        )
        return first

    monkeypatch.setattr(counter, "_take", unlocked)
    errors = create_at_once("invoice", customer=make("customer"))
    assert errors or numbers("invoice") != list(range(1, THREADS * EACH + 1))
