"""Records as they were at a moment: whatever was done since, the past stays what people saw then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from properties.world import installed

from crm.capabilities.history.past import Past, is_kept
from crm.capabilities.trash.soft_delete import restore
from crm.records.access import group_name
from crm.records.display import display, title_of
from tests.support.examples import TIMES
from tests.support.people import person
from tests.support.records import entity, make, model

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
PATHS = {
    "customer": ["name", "tags", "address.city", "credit_limit"],
    "trip": ["name", "guides", "seats_sold", "status"],
    "booking": ["number", "customer", "trip.name", "status", "seats", "total", "sold_by"],
    "passenger": ["first_name", "booking"],
    "invoice": ["number", "customer.name", "total", "status"],
    "invoice_line": ["description", "amount"],
}
"""What is looked at of each entity."""


@pytest.fixture
def clock(monkeypatch):
    """Set the time: called with a number of days since the start."""

    def at(days: float) -> datetime:
        moment = START + timedelta(days=days)
        monkeypatch.setattr(timezone, "now", lambda: moment)
        return moment

    at(0)
    return at


@pytest.fixture
def boss():
    return person(is_superuser=True)


def chains_of(name):
    return [entity(name).chain(path) for path in PATHS[name]]


def seen(record):
    """Return what a list shows of a record."""
    shown = [title_of(record)]
    for *steps, end in chains_of(record.definition.name):
        holder = record
        for step in (one for one in steps if not one.parts):
            holder = getattr(holder, step.name)
        shown.append(display(holder, end))
    return shown


def now(name):
    return {one.pk: seen(one) for one in model(name).objects.all()}


def then(moment, name, user):
    past = Past(moment)
    return {one.pk: seen(one) for one in past.records(past.versions(user, model(name)), chains_of(name))}


def do_something(random: Random) -> None:
    """Do one of the things that staff do all day."""
    customers, bookings = list(model("customer").objects.all()), list(model("booking").objects.all())
    invoices, trips = list(model("invoice").objects.all()), list(model("trip").objects.all())
    choice = random.randrange(11)
    if choice == 0 or not customers:
        make("customer", name=f"C{random.randrange(1000)}")
    elif choice == 1:
        customer = random.choice(customers)
        customer.name, customer.address_city = f"R{random.randrange(1000)}", random.choice(["Rome", "Oslo", ""])
        customer.save()
    elif choice == 2 or not trips:
        make("trip", name=f"T{random.randrange(1000)}")
    elif choice == 3 or not bookings:
        make("booking", customer=random.choice(customers), trip=random.choice(trips), unit_price=Decimal(100), seats=5)
    elif choice == 4:
        booking = random.choice(bookings)
        booking.seats, booking.customer = random.randrange(5, 9), random.choice(customers)
        booking.save()
    elif choice == 5:
        make("passenger", booking=random.choice(bookings), first_name=f"P{random.randrange(1000)}")
    elif choice == 6 or not invoices:
        invoice = make("invoice", customer=random.choice(customers))
        make("invoice_line", invoice=invoice, quantity=1, price=Decimal(random.randrange(100)), tax=0, discount=0)
    elif choice == 7:
        line = model("invoice_line").objects.order_by("?").first()
        if line is not None:
            line.price = Decimal(random.randrange(100))
            line.save()
    elif choice == 8:
        random.choice([*bookings, *invoices]).delete()
    elif choice == 9:
        guide = make("guide", name=f"G{random.randrange(1000)}")
        random.choice(trips).guides.add(guide)
    else:
        trip = random.choice(trips)
        trip.name = f"N{random.randrange(1000)}"
        trip.save()


@pytest.mark.parametrize("seed", range(3 * TIMES))
def test_every_day_stays_what_it_was(clock, boss, seed):
    random, days = Random(seed), {}
    for day in range(12):
        for part in range(4):
            clock(day + part / 10)
            do_something(random)
        days[clock(day + 0.9)] = {name: now(name) for name in PATHS}
    assert sum(len(rows) for rows in days[START + timedelta(days=11.9)].values()) > 10
    for moment, rows in days.items():
        assert {name: then(moment, name, boss) for name in PATHS} == rows, moment


def test_links_lead_to_what_their_targets_were_then(clock, boss):
    customer, trip = make("customer", name="Ada"), make("trip", name="Lisbon")
    booking = make("booking", customer=customer, trip=trip)
    clock(2)
    customer.name, trip.name = "Ada Okafor", "Porto"
    customer.save(), trip.save()
    shown = then(START + timedelta(days=1), "booking", boss)[booking.pk]
    assert shown[0].endswith("Ada") and "Lisbon" in shown
    assert "Porto" in then(START + timedelta(days=3), "booking", boss)[booking.pk]


def test_what_was_deleted_since_is_there_and_so_is_what_it_linked_to(clock, boss):
    trip, guide = make("trip", name="Lisbon"), make("guide", name="Ada")
    trip.guides.add(guide)
    note = make("note", customer=make("customer", name="Ben"))
    clock(2)
    trip.guides.clear()
    guide.delete()
    note.delete()
    moment, past = START + timedelta(days=1), Past(START + timedelta(days=1))
    assert "Ada" in then(moment, "trip", boss)[trip.pk]
    found = past.records(past.versions(boss, model("note")), [entity("note").chain("customer")])
    assert [str(one.customer) for one in found] == ["Ben"]
    assert not Past(START + timedelta(days=3)).versions(boss, model("note")).exists()


def test_what_lay_in_the_trash_then_was_not_there(clock, boss):
    booking = make("booking")
    clock(2)
    booking.delete()
    clock(4)
    restore(booking)
    there = [bool(then(START + timedelta(days=day), "booking", boss)) for day in (1, 3, 5)]
    assert there == [True, False, True]


def test_before_the_first_version_there_is_nothing(clock, boss):
    make("booking")
    assert then(START - timedelta(days=1), "booking", boss) == {}


def test_whoever_sees_some_records_sees_those_alone_and_nothing_of_what_is_gone(clock):
    kept, other, gone = (make("booking", seats=number) for number in (1, 2, 3))
    for one in (kept, gone):
        one.status = "confirmed"
        one.save()
    clock(2)
    gone.delete_for_good()
    assert set(then(START + timedelta(days=1), "booking", person("guide"))) == {kept.pk}
    assert not Past(START + timedelta(days=1)).versions(person("guide"), model("invoice")).exists()


def test_the_number_of_queries_does_not_grow_with_the_rows(clock, boss):
    def count():
        past = Past(timezone.now())
        with CaptureQueriesContext(connection) as caught:
            rows = past.records(past.versions(boss, model("booking")), chains_of("booking"))
            assert [seen(one) for one in rows]
        return len(caught)

    make("booking")
    few = count()
    for _ in range(12):
        make("booking")
    assert count() == few


def test_what_is_worked_out_anew_each_time_or_comes_from_many_is_not_kept():
    assert not is_kept(model("invoice"), entity("invoice").chain("overdue"))
    assert is_kept(model("invoice"), entity("invoice").chain("balance"))
    assert not is_kept(model("booking"), [entity("booking").fields["passengers"]])
    assert is_kept(model("customer"), [entity("customer").fields["address"]])


LAB = {
    "app.yaml": {"name": "Lab", "roles": {"clerk": {"can": ["view"]}}},
    "sample.yaml": {
        "fields": {"name": "text", "secret": "boolean"},
        "history": {"track": ["name"]},
        "access": {"clerk": {"view": {"rows": "secret == false"}}},
    },
}


@pytest.fixture(scope="module")
def lab(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), installed(LAB) as business:
        yield business


def test_what_a_rule_for_rows_cannot_know_of_the_past_is_not_shown(lab):
    """The rule reads a field whose values are not kept: nobody knows whose the record was then."""
    sample = apps.get_model(lab.label, "sample")
    sample.objects.create(name="a", secret=False)
    clerk = person()
    clerk.groups.add(Group.objects.create(name=group_name(lab, "clerk")))
    past = Past(timezone.now() + timedelta(minutes=1))
    assert [one.name for one in past.versions(None, sample)] == ["a"]
    assert not past.versions(clerk, sample).exists()
