"""`rows: seats`: a party of three has three passengers, whichever way one tries to add a fourth."""

from __future__ import annotations

import re

import pytest

from crm.capabilities.transfer.runs import import_file
from tests.support.pages import address, form_data, save, text_of
from tests.support.records import entity, make, model


def blocks(page):
    """Return how many rows for passengers a form shows, without the empty one that new ones are copied from."""
    return int(form_data(page, "booking_form")["passenger_booking_set-TOTAL_FORMS"][0])


def passengers(*names):
    """Return what a form sends for new passengers."""
    data = {f"passenger_booking_set-{index}-first_name": name for index, name in enumerate(names)}
    data |= {f"passenger_booking_set-{index}-last_name": "Okafor" for index, _ in enumerate(names)}
    return data


@pytest.mark.parametrize(
    ("query", "count"), [("", 1), ("?seats=3", 3), ("?seats=x", 1), ("?seats=400", 40), ("?seats=0", 0)]
)
def test_the_add_form_has_as_many_blocks_as_the_party_has_people(signed_in, query, count):
    assert blocks(signed_in.get(address("booking", "add") + query)) == count


def test_the_change_form_offers_the_places_that_are_left(signed_in):
    booking = make("booking", seats=3)
    make("passenger", booking=booking)
    page = signed_in.get(address("booking", "change", booking.pk))
    assert blocks(page) == 3
    assert form_data(page, "booking_form")["passenger_booking_set-INITIAL_FORMS"] == ["1"]


def test_a_booking_and_its_passengers_are_added_in_one_form(signed_in):
    links = {"customer": str(make("customer").pk), "trip": str(make("trip").pk), "unit_price": "100"}
    answer = save(signed_in, "booking", query="?seats=3", **links, **passengers("Ada", "Ben", "Cem"))
    assert answer.status_code == 302
    booking = model("booking").objects.get()
    assert [one.first_name for one in model("passenger").objects.filter(booking=booking).order_by("id")] == [
        "Ada",
        "Ben",
        "Cem",
    ]


def test_blocks_that_are_left_empty_are_no_passengers(signed_in):
    links = {"customer": str(make("customer").pk), "trip": str(make("trip").pk), "unit_price": "100"}
    assert save(signed_in, "booking", query="?seats=3", **links, **passengers("Ada")).status_code == 302
    assert model("passenger").objects.count() == 1


def test_a_fourth_is_refused_in_the_form(signed_in):
    booking = make("booking", seats=3)
    more = {**passengers("Ada", "Ben", "Cem", "Dee"), "passenger_booking_set-TOTAL_FORMS": "4"}
    page = save(signed_in, "booking", booking, **more)
    assert page.status_code == 200
    assert "4 passengers, but party size is 3." in text_of(page)
    assert not model("passenger").objects.exists()
    tabs = {tab["name"]: tab["errors"] for tab in page.context["crm_tabs"]}
    assert tabs["Passengers"] == 1


def test_a_larger_party_and_its_passengers_are_saved_together(signed_in):
    booking = make("booking", seats=1)
    more = {**passengers("Ada", "Ben"), "passenger_booking_set-TOTAL_FORMS": "2", "seats": "2"}
    assert save(signed_in, "booking", booking, **more).status_code == 302
    assert model("passenger").objects.count() == 2


def test_a_fourth_is_refused_when_added_alone(signed_in):
    booking = make("booking", seats=3)
    for _ in range(3):
        make("passenger", booking=booking)
    page = save(signed_in, "passenger", booking=str(booking.pk), first_name="Dee", last_name="Okafor")
    assert page.status_code == 200
    assert re.search(r"has 3 passengers already; its party size is 3\.", text_of(page))
    assert model("passenger").objects.count() == 3


def test_a_passenger_of_a_full_booking_can_still_be_changed(signed_in):
    booking = make("booking", seats=1)
    passenger = make("passenger", booking=booking)
    assert save(signed_in, "passenger", passenger, first_name="Dee").status_code == 302
    passenger.refresh_from_db()
    assert passenger.first_name == "Dee"


def test_a_passenger_cannot_be_moved_to_a_full_booking(signed_in):
    full = make("booking", seats=1)
    make("passenger", booking=full)
    other = make("passenger", booking=make("booking", seats=1))
    page = save(signed_in, "passenger", other, booking=str(full.pk))
    assert page.status_code == 200 and "already" in text_of(page)


def test_fewer_seats_than_passengers_are_refused(signed_in):
    booking = make("booking", seats=3)
    for _ in range(3):
        make("passenger", booking=booking)
    page = save(signed_in, "booking", booking, seats="2")
    assert page.status_code == 200
    assert "3 passengers, but party size is 2." in text_of(page)
    booking.refresh_from_db()
    assert booking.seats == 3


def test_a_passenger_taken_out_makes_room_for_another_in_the_same_form(signed_in):
    booking = make("booking", seats=1)
    gone = make("passenger", booking=booking, first_name="Ada")
    page = signed_in.get(address("booking", "change", booking.pk))
    data = form_data(page, "booking_form")
    data |= {"passenger_booking_set-0-DELETE": "on", "passenger_booking_set-TOTAL_FORMS": "2"}
    data |= {"passenger_booking_set-1-first_name": "Ben", "passenger_booking_set-1-last_name": "Okafor"}
    assert signed_in.post(address("booking", "change", booking.pk), data).status_code == 302
    assert [one.first_name for one in model("passenger").objects.all()] == ["Ben"]
    assert not model("passenger").objects.filter(pk=gone.pk).exists()


def test_seats_cannot_be_lowered_below_the_passengers_in_bulk(signed_in):
    booking, free = make("booking", seats=3), make("booking", seats=3)
    for _ in range(3):
        make("passenger", booking=booking)
    sent = {
        "action": "edit",
        "_selected_action": [booking.pk, free.pk],
        "crm_field": "seats",
        "crm_save": "1",
        "seats": "2",
    }
    page = signed_in.post(address("booking"), sent, follow=True)
    assert "3 passengers, but party size is" in text_of(page) and str(booking) in text_of(page)
    booking.refresh_from_db()
    free.refresh_from_db()
    assert (booking.seats, free.seats) == (3, 2)


def test_the_change_form_offers_no_more_blocks_at_once_than_the_add_form(signed_in):
    booking = make("booking", seats=400)
    assert blocks(signed_in.get(address("booking", "change", booking.pk))) == 40


def by_file(*rows):
    """Import passengers, a row each of id, booking, first and last name; return what is told of the file."""
    lines = ["id,booking,first_name,last_name", *(",".join(map(str, row)) for row in rows)]
    _, plan = import_file(entity("passenger"), "p.csv", "\n".join(lines).encode())
    return [f"{row} {column}: {text}" for row, column, text in plan.errors]


@pytest.mark.django_db
def test_the_rows_of_a_file_count_together_and_the_first_too_many_is_told():
    full, free = make("booking", seats=2), make("booking", seats=2)
    rows = [("", booking.number, name, "Okafor") for booking in (free, full) for name in ("Ada", "Ben")]
    told = by_file(*rows, ("", full.number, "Cem", "Okafor"))
    assert told == [f"6 booking: {full} has 2 passengers already; its party size is 2."]
    assert not model("passenger").objects.exists()
    assert by_file(*rows) == [] and model("passenger").objects.count() == 4


@pytest.mark.django_db
def test_passengers_of_full_bookings_change_places():
    bookings = [make("booking", seats=1) for _ in range(2)]
    first, second = (make("passenger", booking=one, first_name=name) for one, name in zip(bookings, "AB", strict=True))
    rows = [
        (one.pk, to.number, one.first_name, one.last_name) for one, to in zip((second, first), bookings, strict=True)
    ]
    assert by_file(*rows) == []
    assert [model("passenger").objects.get(booking=one) for one in bookings] == [second, first]
