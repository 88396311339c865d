"""What is wrong with a file is told all at once, by row and column, and then nothing of it is written."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.db import DatabaseError

from crm.capabilities.transfer import importing
from crm.capabilities.transfer.importing import ImportRefused
from crm.capabilities.transfer.models import ImportRun
from crm.capabilities.transfer.preview import preview_data
from crm.capabilities.transfer.section import TransferSection
from tests.capabilities.transfer.files import csv_file, json_file, take_in, told
from tests.support.records import entity, make, model

pytestmark = pytest.mark.django_db


def count(name: str) -> int:
    return model(name).objects.count()


def test_all_errors_of_all_rows_are_told_at_once():
    found = take_in(
        "customer",
        csv_file(
            ["name", "email", "kind", "birthday", "credit_limit"],
            ["Ann", "ann@example.com", "person", "1990-02-30", "many"],
            ["", "no address", "alien", "2000-01-01", "-1"],
            ["Bob", "bob@example.com", "group", "", "5.001"],
        ),
    )
    assert told(found) == [
        "2 birthday: '1990-02-30' is not a date; write it as 2026-12-31.",
        "2 credit_limit: 'many' is not a number.",
        "3 email: Enter a valid email address.",
        "3 kind: 'alien' is none of the choices. Known: Company, Group, Person.",
        "3 credit_limit: Ensure this value is greater than or equal to 0.",
        "3 name: is empty, but required.",
        "4 credit_limit: '5.001' has more than 2 digits after the point.",
    ]
    assert found.counts == {"new": 0, "updated": 0, "unchanged": 0, "failed": 3}
    assert count("customer") == 0 and not ImportRun.objects.exists()


def test_one_bad_row_keeps_the_good_ones_out():
    rows = [["name", "email"], *([f"Customer {n}", f"{n}@example.com"] for n in range(50)), ["", "x@example.com"]]
    found = take_in("customer", csv_file(*rows))
    assert told(found) == ["52 name: is empty, but required."]
    assert found.counts["new"] == 50
    assert count("customer") == model("customer").history.count() == 0


# Columns


def test_an_unknown_column_is_refused_with_the_one_that_was_meant():
    found = take_in("customer", csv_file(["nmae", "email", "shoe size"], ["Ann", "ann@example.com", "38"]))
    assert [line.split(" Known: ")[0] for line in found.refusals] == [
        "The column 'nmae' is no field of customer. Did you mean 'name'?",
        "The column 'shoe size' is no field of customer.",
    ]
    assert "vat_number" in found.refusals[1]
    assert count("customer") == 0


def test_two_columns_of_one_field_are_refused():
    found = take_in("customer", csv_file(["name", "email", "Name", "E-mail"], ["Ann", "a@example.com", "Bea", "x"]))
    assert "The columns 'name' and 'Name' are both 'name'." in found.refusals


def test_a_column_without_a_name_is_refused():
    assert take_in("customer", b"name,,email\nAnn,x,a@example.com\n").refusals == ["Column 2 has no name."]


def test_the_key_must_be_there():
    assert take_in("customer", csv_file(["name"], ["Ann"])).refusals == [
        "The column 'email' is missing; rows are matched by it."
    ]
    assert take_in("day", csv_file(["name"], ["Arrival"])).refusals == [
        "The column 'trip' and 'number' is missing; rows are matched by them."
    ]


def test_a_new_record_needs_the_required_columns():
    make("customer", name="Ann", email="ann@example.com")
    found = take_in(
        "customer", csv_file(["email", "kind"], ["ann@example.com", "group"], ["bob@example.com", "person"])
    )
    assert told(found) == ["3 name: is missing: a new record needs it."]


def test_a_json_record_without_a_required_key_is_told():
    found = take_in(
        "customer", json_file({"name": "Ann", "email": "ann@example.com"}, {"email": "bob@example.com"}), "json"
    )
    assert told(found) == ["2 name: is missing: a new record needs it."]


# Keys and links


def test_what_a_key_cannot_name_is_told_once_and_is_no_other_row():
    found = take_in(
        "invoice_line",
        csv_file(["invoice", "position", "description", "price"], ["INV-1", 1, "Bus", 5], ["INV-2", 1, "Boat", 7]),
    )
    assert told(found) == ["2 invoice: there is no invoice 'INV-1'.", "3 invoice: there is no invoice 'INV-2'."]


def test_a_key_that_stands_in_the_file_twice_is_told():
    found = take_in(
        "customer",
        csv_file(["name", "email"], ["Ann", "a@example.com"], ["Bea", "b@example.com"], ["Cy", "a@example.com"]),
    )
    assert told(found) == ["4 email: row 2 is the same record already."]


def test_a_key_that_several_records_have_is_told():
    booking = make("booking", seats=3)
    for _ in range(2):
        make("passenger", booking=booking, first_name="Ann", last_name="Lee")
    found = take_in("passenger", csv_file(["booking", "first_name", "last_name"], [booking.number, "Ann", "Lee"]))
    assert told(found) == ["2 booking: 2 records have this key already."]


def test_a_link_to_nobody_and_a_link_to_several_are_told():
    trip = make("trip", code="T1")
    make("customer", name="Ann", email="ann@example.com")
    found = take_in(
        "booking",
        csv_file(
            ["number", "customer", "trip", "unit_price"],
            ["B-1", "ann@example.com", "T2", "5"],
            ["B-2", "nobody", trip.code, "5"],
        ),
    )
    assert told(found) == ["2 trip: there is no trip 'T2'.", "3 customer: there is no customer 'nobody'."]


def test_an_ambiguous_link_is_told(monkeypatch):
    monkeypatch.setitem(entity("customer").sections, "transfer", TransferSection(match_on=["name"]))
    for n in range(2):
        make("customer", name="Ann Lee", email=f"{n}@example.com")
    make("trip", code="T1")
    found = take_in("booking", csv_file(["number", "customer", "trip", "unit_price"], ["B-1", "Ann Lee", "T1", "5"]))
    assert told(found) == ["2 customer: 'Ann Lee' means more than one customer."]


def test_a_person_is_found_however_the_name_is_written_unless_two_are_meant():
    users = get_user_model()._default_manager
    ann, _ = (users.create(username=name, is_staff=True) for name in ("Ann.Lee", "bob"))
    rows = [["Ada", "ada@example.com", "ANN.lee "], ["Ben", "ben@example.com", "Bob"], ["Cy", "cy@example.com", "bob"]]
    assert told(take_in("customer", csv_file(["name", "email", "owner"], *rows))) == []
    owners = dict(model("customer").objects.values_list("name", "owner__username"))
    assert owners == {"Ada": "Ann.Lee", "Ben": "bob", "Cy": "bob"}
    users.create(username="ANN.LEE", is_staff=True)
    found = take_in(
        "customer", csv_file(["email", "owner"], ["ada@example.com", "ann.lee"], ["ben@example.com", "Ann.Lee"])
    )
    assert told(found) == ["2 owner: 'ann.lee' means more than one user."]
    assert model("customer").objects.filter(owner=ann).count() == 1, "nothing was written"


def test_links_of_many_name_each_that_is_not_there():
    make("guide", name="Gil", email="gil@example.com")
    found = take_in(
        "trip",
        csv_file(
            ["code", "name", "country", "start_date", "end_date", "price", "guides"],
            ["T1", "Alps", "CH", "2027-01-01", "2027-01-08", "900", "gil@example.com; who@example.com; x"],
        ),
    )
    assert told(found) == ["2 guides: there is no guide 'who@example.com'.", "2 guides: there is no guide 'x'."]


# What must be unique


def test_a_unique_value_that_is_taken_is_told():
    make("trip", code="T1", slug="alps")
    rows = [["code", "name", "country", "start_date", "end_date", "price", "slug"]]
    rows += [
        [f"N{n}", "Alps", "CH", "2027-01-01", "2027-01-08", "900", slug] for n, slug in enumerate(("alps", "x", "x"))
    ]
    found = take_in("trip", csv_file(*rows))
    assert told(found) == ["2 slug: alps belongs to another record.", "4 slug: is the same as in row 3."]


def test_a_group_of_fields_that_must_be_unique_is_checked(monkeypatch):
    monkeypatch.setitem(entity("day").sections, "transfer", TransferSection())
    trip = make("trip", code="T1")
    make("day", trip=trip, number=1, name="Arrival")
    found = take_in(
        "day", csv_file(["trip", "number", "name"], ["T1", "1", "Again"], ["T1", "2", "Walk"], ["T1", "2", "Rest"])
    )
    assert told(found) == [
        "2 trip: this trip and number belongs to another record.",
        "4 trip: is the same as in row 3.",
    ]


def test_a_value_may_move_from_one_record_to_another_in_one_file():
    """What is taken by a record that gives it up in the same file is free."""
    one, other = make("trip", code="T1", slug="alps"), make("trip", code="T2", slug="lakes")
    found = take_in("trip", csv_file(["code", "slug"], ["T1", "peaks"], ["T2", "alps"]))
    assert told(found) == []
    one.refresh_from_db(), other.refresh_from_db()
    assert (one.slug, other.slug) == ("peaks", "alps")


# Nothing half done


def test_an_error_of_the_database_writes_nothing(monkeypatch):
    make("customer", name="Ann", email="ann@example.com")
    written = importing.write_records

    def fail(*args, **kwargs):
        written(*args, **kwargs)
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(importing, "write_records", fail)
    with pytest.raises(ImportRefused, match="nothing was written: the disk is full"):
        take_in(
            "customer",
            csv_file(["name", "email", "tags"], ["Ann!", "ann@example.com", "new"], ["Bob", "b@example.com", ""]),
        )
    assert list(model("customer").objects.values_list("name", flat=True)) == ["Ann"]
    assert model("customer").history.count() == 1
    assert not ImportRun.objects.exists()


def test_a_row_too_many_for_its_parent_writes_nothing():
    booking = make("booking", number="B-7", seats=3)
    for n in range(3):
        make("passenger", booking=booking, first_name=f"P{n}", last_name="Lee")
    found = take_in("passenger", csv_file(["booking", "first_name", "last_name"], ["B-7", "Fourth", "Lee"]))
    assert told(found) == [f"2 booking: {booking} has 3 passengers already; its party size is 3."]
    assert count("passenger") == 3
    found = take_in("booking", csv_file(["number", "seats"], ["B-7", "2"]))
    assert told(found) == ["2 seats: 3 passengers, but party size is 2."]
    booking.refresh_from_db()
    assert booking.seats == 3


def test_rows_without_a_key_are_counted_for_they_add_a_record_each_time():
    file = csv_file(["name", "email"], ["Ann", "ann@example.com"], ["Ben", ""], ["Cy", ""])
    plan = take_in("customer", file, dry_run=True)
    text = "2 rows have no email, by which rows are matched: they add records each time they are imported."
    assert plan.warning == text
    assert preview_data(plan)["warning"] == text
    assert take_in("customer", csv_file(["name", "email"], ["Ann", "ann@example.com"])).warning == ""
    assert take_in("booking", csv_file(["number"])).warning == "", "numbers are given at saving"


def test_a_row_whose_key_cannot_be_read_is_not_told_to_have_none():
    plan = take_in("customer", csv_file(["name", "email"], ["Ann", "not an e-mail"]), dry_run=True)
    assert [column for _, column, _ in plan.errors] == ["email"]
    assert plan.warning == ""


def test_a_value_of_a_record_that_the_file_changes_otherwise_is_taken():
    """Only what a record gives up in the file is free: else the database refuses, and names no row."""
    make("trip", code="T1", slug="alps", name="Alps"), make("trip", code="T2", slug="lakes", name="Lakes")
    found = take_in("trip", csv_file(["code", "slug", "name"], ["T1", "alps", "High Alps"], ["T2", "alps", "Lakes"]))
    assert told(found) == ["3 slug: alps belongs to another record."]
