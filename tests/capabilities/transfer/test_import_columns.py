"""Which column is which field, and what its cells mean."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal

import openpyxl
import pytest

from crm.capabilities.transfer.section import TransferSection
from tests.capabilities.transfer.files import csv_file, json_file, take_in, told, xlsx_file
from tests.support.records import entity, make, model

pytestmark = pytest.mark.django_db


@pytest.fixture
def section(monkeypatch):
    """Set the section `transfer` of an entity."""
    return lambda name, **keys: monkeypatch.setitem(entity(name).sections, "transfer", TransferSection(**keys))


def only(name: str):
    return model(name).objects.get()


# Headings


@pytest.mark.parametrize(
    "headings",
    [
        ["name", "email", "payment_terms", "address_city"],
        ["NAME", " Email ", "Payment terms (days)", "Address city"],
        ["Name", "email", "payment terms (DAYS)", "Address: City"],
        ["\ufeffname", "email", "payment_terms", "address city"],
    ],
)
def test_a_heading_is_a_name_or_a_label_in_any_case(headings):
    assert told(take_in("customer", csv_file(headings, ["Ann", "ann@example.com", "30", "Bath"]))) == []
    ann = only("customer")
    assert (ann.name, ann.payment_terms, ann.address_city) == ("Ann", 30, "Bath")


def test_the_section_maps_other_headings(section):
    section("customer", match_on=["email"], columns={"Kunde": "name", "E-Mail": "email"}, ignore=["Notiz"])
    assert told(take_in("customer", csv_file(["Kunde", "e-mail", "Notiz"], ["Ann", "ann@example.com", "x"]))) == []
    assert only("customer").name == "Ann"


def test_unknown_columns_can_be_left_out(section):
    section("customer", match_on=["email"], unknown_columns="ignore")
    assert told(take_in("customer", csv_file(["name", "email", "shoe size"], ["Ann", "ann@example.com", "38"]))) == []
    assert only("customer").email == "ann@example.com"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_separator_is_found_out(delimiter):
    data = csv_file(
        ["name", "email", "address_street"], ["Ann, Lee; Co", "ann@example.com", "1\tHigh St"], delimiter=delimiter
    )
    assert told(take_in("customer", data)) == []
    assert only("customer").name == "Ann, Lee; Co"


def test_empty_cells_that_spreadsheets_add_at_the_end_do_no_harm():
    data = b"name,email,,\nAnn,ann@example.com,,\n,,,\n\nBob,bob@example.com\n,,,\n"
    assert told(take_in("customer", data)) == []
    assert model("customer").objects.count() == 2


def test_a_cell_beside_the_columns_is_refused():
    from crm.capabilities.transfer.file_reader import FileRefused

    with pytest.raises(FileRefused, match="Row 3 has 3 cells, but there are 2 columns"):
        take_in("customer", b"name,email\nAnn,a@example.com\nLee, Bob,b@example.com\n")


# The column `id`


def test_an_id_means_that_very_record():
    ann, bob = make("customer", name="Ann", email="ann@example.com"), make("customer", name="Bob", email="")
    found = take_in(
        "customer", csv_file(["id", "name", "email"], [ann.pk, "Ann B", "new@example.com"], [bob.pk, "Bob B", ""])
    )
    assert told(found) == [] and found.counts["updated"] == 2
    ann.refresh_from_db()
    assert (ann.name, ann.email) == ("Ann B", "new@example.com")


def test_an_id_alone_is_enough_where_the_key_is_left_out():
    ann = make("customer", name="Ann", email="ann@example.com")
    assert told(take_in("customer", csv_file(["id", "name"], [ann.pk, "Ann B"]))) == []
    assert only("customer").name == "Ann B"


def test_an_empty_id_is_a_new_record():
    found = take_in("customer", csv_file(["id", "name", "email"], ["", "Ann", "ann@example.com"]))
    assert found.counts["new"] == 1


def test_an_id_that_is_not_there_is_no_new_record():
    found = take_in("customer", csv_file(["id", "name", "email"], ["7", "Ann", "ann@example.com"], ["x", "Bob", ""]))
    assert told(found) == ["2 id: there is no customer 7.", "3 id: 'x' is no number."]


def test_an_id_and_a_key_that_disagree_are_told():
    ann, _ = (
        make("customer", name="Ann", email="ann@example.com"),
        make("customer", name="Bob", email="bob@example.com"),
    )
    found = take_in("customer", csv_file(["id", "name", "email"], [ann.pk, "Ann", "bob@example.com"]))
    assert told(found) == ["2 id: the id means “Ann”, the key means “Bob”."]


def test_one_record_by_id_and_by_key_is_the_same_record_twice():
    ann = make("customer", name="Ann", email="ann@example.com")
    found = take_in(
        "customer", csv_file(["id", "name", "email"], [ann.pk, "A", "ann@example.com"], ["", "B", "ann@example.com"])
    )
    assert told(found) == ["3 email: row 2 is the same record already."]


def test_an_id_of_a_spreadsheet_is_a_number():
    ann = make("customer", name="Ann", email="ann@example.com")
    assert told(take_in("customer", xlsx_file(["id", "name"], [float(ann.pk), "Ann B"]), "xlsx")) == []


# Nothing


def test_words_for_nothing_are_nothing(section):
    section("customer", match_on=["email"], nulls=["NULL", "n/a"])
    make(
        "customer",
        name="Ann",
        kind="company",
        email="ann@example.com",
        birthday=date(1990, 1, 1),
        phone="+442079460018",
        company_number="1",
    )
    row = ["ann@example.com", " NULL ", "n/a", "null"]
    found = take_in("customer", csv_file(["email", "birthday", "phone", "company_number"], row))
    assert told(found) == []
    ann = only("customer")
    assert (ann.birthday, ann.phone, ann.company_number) == (None, "", "null")


def test_an_empty_cell_empties_what_was_there_and_a_missing_column_does_not():
    make("customer", name="Ann", email="ann@example.com", birthday=date(1990, 1, 1), payment_terms=30, newsletter=True)
    found = take_in("customer", csv_file(["email", "birthday", "newsletter"], ["ann@example.com", "", ""]))
    assert found.counts["updated"] == 1
    ann = only("customer")
    assert (ann.birthday, ann.newsletter, ann.payment_terms) == (None, False, 30)


def test_an_empty_cell_of_a_new_record_leaves_it_the_default():
    take_in("customer", csv_file(["name", "email", "payment_terms", "kind"], ["Ann", "ann@example.com", "", ""]))
    ann = only("customer")
    assert (ann.payment_terms, ann.kind) == (14, "person")


def test_null_in_json_is_nothing_and_an_absent_key_says_nothing():
    one = {"name": "Ann", "email": "ann@example.com", "payment_terms": None, "kind": None}
    found = take_in("customer", json_file(one, {"name": "Bob", "email": "bob@example.com"}), "json")
    assert told(found) == []
    ann, bob = model("customer").objects.order_by("name")
    assert (ann.payment_terms, ann.kind) == (None, "")
    assert (bob.payment_terms, bob.kind) == (14, "person")
    again = take_in(
        "customer",
        json_file({"email": "bob@example.com", "birthday": "1990-01-01"}, {"email": "ann@example.com"}),
        "json",
    )
    assert again.counts == {"new": 0, "updated": 1, "unchanged": 1, "failed": 0}


def test_a_required_field_with_a_default_gets_it_even_from_null():
    customer, trip = make("customer", email="ann@example.com"), make("trip", code="T1")
    booking = {"customer": customer.email, "trip": trip.code, "unit_price": 5, "booked_on": None, "number": None}
    assert told(take_in("booking", json_file(booking), "json")) == []
    assert only("booking").booked_on is not None and only("booking").number


# Dates


def test_the_formats_of_the_section_are_understood_besides_iso(section):
    section("payment", match_on=["reference"], dates=["%m/%d/%Y", "%d.%m.%Y %H:%M"])
    invoice = make("invoice")
    moments = ["7/1/2026", "01.07.2026 14:30", "2026-07-01 14:30:15", "2026-07-01T12:00:00Z"]
    rows = [[f"P-{n}", invoice.number, "5", text] for n, text in enumerate(moments)]
    assert told(take_in("payment", csv_file(["reference", "invoice", "amount", "received_at"], *rows))) == []
    found = model("payment").objects.order_by("reference").values_list("received_at", flat=True)
    assert list(found) == [
        datetime(2026, 6, 30, 23, 0, tzinfo=UTC),
        datetime(2026, 7, 1, 13, 30, tzinfo=UTC),
        datetime(2026, 7, 1, 13, 30, 15, tzinfo=UTC),
        datetime(2026, 7, 1, 12, 0, tzinfo=UTC),
    ]


def test_an_hour_that_never_was_is_told_and_one_that_was_twice_is_known_again():
    invoice = make("invoice")
    headings = ["reference", "invoice", "amount", "received_at"]
    gap = take_in("payment", csv_file(headings, ["P-1", invoice.number, "5", "2026-03-29 01:30:00"]))
    assert told(gap) == ["2 received_at: '2026-03-29 01:30:00' does not exist: the clocks were put forward then."]
    twice = csv_file(headings, ["P-1", invoice.number, "5", "2026-10-25 01:30:00"])
    assert take_in("payment", twice).counts["new"] == 1
    assert take_in("payment", twice).counts["unchanged"] == 1


def test_dates_and_numbers_of_a_spreadsheet_are_taken_as_such():
    rows = (
        ["name", "email", "birthday", "credit_limit", "newsletter"],
        ["Ann", "a@example.com", datetime(1990, 5, 1), 0.1 + 0.2, True],
    )
    assert told(take_in("customer", xlsx_file(*rows), "xlsx")) == []
    ann = only("customer")
    assert (ann.birthday, ann.credit_limit, ann.newsletter) == (date(1990, 5, 1), Decimal("0.30"), True)


def test_a_percentage_of_a_spreadsheet_is_what_people_see_there():
    """A cell that shows 20 % holds 0.2; beside it, 20 without a sign is 20 %, too."""
    book = openpyxl.Workbook()
    invoice = make("invoice", number="INV-1")
    book.active.append(["invoice", "position", "description", "price", "tax", "discount"])
    book.active.append([invoice.number, 1, "Tour", 100, 0.2, 5])
    book.active.append([invoice.number, 2, "Tip", 10, 0.07, 0])
    for row in (2, 3):
        book.active.cell(row, 5).number_format = "0.0%"
    file = io.BytesIO()
    book.save(file)
    assert told(take_in("invoice_line", file.getvalue(), "xlsx")) == []
    lines = model("invoice_line").objects.order_by("position").values_list("tax", "discount", "price")
    assert list(lines) == [(Decimal(20), Decimal(5), Decimal(100)), (Decimal(7), Decimal(0), Decimal(10))]


# Columns put together


def test_a_field_is_put_together_from_columns(section):
    section(
        "customer",
        match_on=["email"],
        combine={"birthday": "{Year of birth}-{m}-{d}"},
        dates=["%Y-%m-%d"],
        nulls=["NULL"],
    )
    headings = ["name", "email", "Year of birth", "m", "d"]
    found = take_in(
        "customer",
        csv_file(headings, ["Ann", "a@example.com", "1990", "5", "1"], ["Bob", "b@example.com", "NULL", "", ""]),
    )
    assert told(found) == []
    assert list(model("customer").objects.order_by("name").values_list("birthday", flat=True)) == [
        date(1990, 5, 1),
        None,
    ]


def test_a_spreadsheets_numbers_are_put_together_as_they_are_shown(section):
    section("customer", match_on=["email"], combine={"birthday": "{y}-{m}-{d}"}, dates=["%Y-%m-%d"])
    found = take_in(
        "customer", xlsx_file(["name", "email", "y", "m", "d"], ["Ann", "a@example.com", 1990, 5.0, "1"]), "xlsx"
    )
    assert told(found) == [] and only("customer").birthday == date(1990, 5, 1)


def test_a_part_that_is_missing_is_told_and_none_at_all_is_not(section):
    section("customer", match_on=["email"], combine={"birthday": "{y} {m}"})
    found = take_in("customer", csv_file(["name", "email", "y"], ["Ann", "a@example.com", "1990"]))
    assert "'birthday' is made of '{y} {m}', but the column 'm' is not there." in found.refusals
    assert told(take_in("customer", csv_file(["name", "email"], ["Ann", "a@example.com"]))) == []


def test_json_without_the_parts_leaves_the_field_alone(section):
    section("customer", match_on=["email"], combine={"birthday": "{y}-{m}-{d}"}, dates=["%Y-%m-%d"])
    make("customer", name="Ann", email="a@example.com", birthday=date(1990, 5, 1))
    found = take_in(
        "customer",
        json_file({"email": "a@example.com"}, {"name": "B", "email": "b@example.com", "y": 1, "m": 2, "d": 3}),
        "json",
    )
    assert told(found) == ["2 birthday: '1-2-3' is not a date; write it as %Y-%m-%d."] or told(found) == []
    assert found.rows[0].status == "unchanged"


# Links


def test_a_link_is_named_by_its_targets_key_also_through_links():
    trip, hotel = make("trip", code="T1"), make("hotel", name="Ritz | Paris")
    rows = ["trip", "hotel", "check_in", "check_out"], ["T1", "Ritz | Paris", "2027-01-01", "2027-01-03"]
    assert told(take_in("stay", csv_file(*rows))) == []
    assert (only("stay").trip, only("stay").hotel) == (trip, hotel)
    assert take_in("stay", csv_file(*rows)).counts["unchanged"] == 1


def test_json_names_several_links_in_a_list():
    gil, ida = make("guide", name="Gil", email="gil@example.com"), make("guide", name="Ida", email="ida@example.com")
    trip = make("trip", code="T1")
    found = take_in("trip", json_file({"code": "T1", "guides": ["gil@example.com", "ida@example.com"]}), "json")
    assert told(found) == [] and set(trip.guides.all()) == {gil, ida}
    assert take_in("trip", json_file({"code": "T1", "guides": []}), "json").counts["updated"] == 1
    assert not trip.guides.exists()


def test_new_tags_are_made_once_and_fixed_ones_are_not_made_up():
    from crm.models import Tag

    rows = [
        ["Ann", "a@example.com", "vip; Summer"],
        ["Bob", "b@example.com", "Summer;vip; a\\;b"],
        ["Cy", "c@example.com", ""],
    ]
    assert told(take_in("customer", csv_file(["name", "email", "tags"], *rows))) == []
    assert sorted(Tag.objects.values_list("name", flat=True)) == ["Summer", "a;b", "vip"]
    assert {one.name for one in model("customer").objects.get(name="Bob").tags.all()} == {"Summer", "vip", "a;b"}
    found = take_in("guide", csv_file(["name", "email", "speaks"], ["Gil", "g@example.com", "English; Klingon"]))
    assert [line.split(" Known")[0] for line in told(found)] == ["2 speaks: 'Klingon' is none of the tags."]
