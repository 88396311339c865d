"""Large files are worked on in parts: few records at a time, and the same answers as if all rows were one part."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.capabilities.transfer import importing
from crm.capabilities.transfer.file_reader import read_sheet
from crm.capabilities.transfer.models import ImportRun
from crm.capabilities.transfer.runs import undo_run
from crm.records.writes import write_records
from tests.capabilities.transfer.files import csv_file, json_file, take_in, told
from tests.support.records import make, model

pytestmark = pytest.mark.django_db


def customers(count: int) -> bytes:
    return csv_file(["name", "email"], *([f"Guest {number}", f"guest{number}@example.org"] for number in range(count)))


def trips(*slugs: str) -> bytes:
    rows = ([f"N{row}", f"Trip {row}", slug, "PT", "2030-01-01", "2030-01-08", "9"] for row, slug in enumerate(slugs))
    return csv_file(["code", "name", "slug", "country", "start_date", "end_date", "price"], *rows)


@pytest.fixture
def parts(monkeypatch):
    """The number of records at hand whenever some are handed to the gate or to the database."""
    seen: list[tuple[str, int]] = []

    def watched(name, function):
        def call(plan, *args):
            seen.append((name, sum(row.record is not None for row in plan.rows)))
            return function(plan, *args)

        return call

    for name in ("check_rows", "_write_part"):
        monkeypatch.setattr(importing, name, watched(name, getattr(importing, name)))
    return seen


def test_no_more_records_than_a_part_are_at_hand(parts):
    assert take_in("customer", customers(7)).counts["new"] == 7
    assert parts == [*[("check_rows", 2)] * 3, ("check_rows", 1), *[("_write_part", 2)] * 3, ("_write_part", 1)]
    assert model("customer").objects.count() == 7
    parts.clear()
    changed = csv_file(["name", "email"], *([f"Other {number}", f"guest{number}@example.org"] for number in range(5)))
    assert take_in("customer", changed).counts == {"new": 0, "updated": 5, "unchanged": 0, "failed": 0}
    assert max(count for _, count in parts) == 2
    assert model("customer").objects.filter(name__startswith="Other").count() == 5


def test_a_value_twice_in_rows_far_apart_is_told_with_its_row():
    plan = take_in("trip", trips(*(f"slug-{number}" for number in range(5)), "slug-0"))
    assert plan.errors == [(7, "slug", "is the same as in row 2.")]


def test_a_value_may_be_handed_on_between_rows_far_apart(parts):
    """One record gives its value up in the last row, and another takes it over in the first."""
    for number in range(5):
        make("trip", code=f"T{number}", slug=f"slug-{number}")
    rows = [["T4", "new"], *([f"T{number}", f"slug-{number}"] for number in range(1, 4)), ["T0", "slug-4"]]
    plan = take_in("trip", csv_file(["code", "slug"], *rows))
    assert told(plan) == [] and plan.counts["updated"] == 2
    assert ("check_rows", 5) in parts, "then all rows are one part"
    assert {trip.code: trip.slug for trip in model("trip").objects.all()}["T0"] == "slug-4"


@pytest.mark.parametrize(
    "slugs",
    [
        {"T0": "slug-1", "T1": "slug-0"},
        {"T0": "slug-1", "T1": "slug-2", "T2": "slug-3", "T3": "new"},
        {"T3": "new", "T2": "slug-3", "T1": "slug-2"},
        {"T0": "slug-4", "T4": "slug-2", "T2": "slug-0"},
    ],
    ids=["exchanged", "shifted up", "shifted down", "in a circle"],
)
def test_unique_values_are_exchanged_and_shifted_and_that_is_undone(slugs):
    for number in range(5):
        make("trip", code=f"T{number}", slug=f"slug-{number}")
    before = dict(model("trip").objects.values_list("code", "slug"))
    plan = take_in("trip", csv_file(["code", "slug"], *slugs.items()))
    assert told(plan) == [] and plan.counts["updated"] == len(slugs)
    assert dict(model("trip").objects.values_list("code", "slug")) == before | slugs
    undo_run(ImportRun.objects.get(), None)
    assert dict(model("trip").objects.values_list("code", "slug")) == before


@pytest.mark.parametrize("numbers", [{1: 2, 2: 1}, {1: 2, 2: 3, 3: 9}, {3: 9, 2: 3, 1: 2}, {1: 3, 3: 2, 2: 1}], ids=str)
def test_unique_numbers_that_may_not_be_empty_are_exchanged_and_shifted(numbers):
    trip = make("trip")
    days = {number: make("day", trip=trip, number=number).pk for number in (1, 2, 3)}
    rows = [[days[before], after] for before, after in numbers.items()]
    assert told(take_in("day", csv_file(["id", "number"], *rows))) == []
    kept = dict(model("day").objects.values_list("pk", "number"))
    assert kept == {pk: numbers.get(number, number) for number, pk in days.items()}
    undo_run(ImportRun.objects.get(), None)
    assert dict(model("day").objects.values_list("pk", "number")) == {pk: number for number, pk in days.items()}


@pytest.mark.parametrize("end", [0, 1], ids=["lowest", "highest"])
def test_numbers_at_the_limit_of_their_column_are_exchanged(end):
    """What they are given meanwhile lies within the column."""
    limit = connection.ops.integer_field_range(model("day")._meta.get_field("number").get_internal_type())[end]
    trip = make("trip")
    first, second = (make("day", trip=trip, number=number) for number in (1, 2))
    model("day").objects.filter(pk=first.pk).update(number=limit)
    first.number, second.number = 2, limit
    write_records(model("day"), updated=[first, second], columns=["number"])
    assert set(model("day").objects.values_list("pk", "number")) == {(first.pk, 2), (second.pk, limit)}


def test_only_values_that_another_row_takes_are_emptied_before():
    for number in range(4):
        make("trip", code=f"T{number}", slug=f"slug-{number}")
    with CaptureQueriesContext(connection) as free:
        take_in("trip", csv_file(["code", "slug"], *([f"T{number}", f"new-{number}"] for number in range(4))))
    assert not [query for query in free if 'SET "slug" = NULL' in query["sql"] or '"_slug_key" = NULL' in query["sql"]]
    with CaptureQueriesContext(connection) as taken:
        take_in("trip", csv_file(["code", "slug"], ["T0", "new-1"], ["T1", "other"], ["T2", "another"]))
    (emptied,) = [query["sql"] for query in taken if re.search(r'SET "_?slug(_key)?" = NULL', query["sql"])]
    assert len(re.search(r"IN \(([^)]*)\)", emptied)[1].split(",")) == 1


def test_a_new_row_takes_what_another_gives_up():
    make("trip", code="T0", slug="slug-0")
    heading = ["code", "name", "slug", "country", "start_date", "end_date", "price"]
    new = ["N1", "Trip", "slug-0", "PT", "2030-01-01", "2030-01-08", "9"]
    plan = take_in("trip", csv_file(heading, new, ["T0", "Trip", "other", "PT", "2030-01-01", "2030-01-08", "9"]))
    assert told(plan) == []
    assert dict(model("trip").objects.values_list("code", "slug")) == {"N1": "slug-0", "T0": "other"}


def test_a_value_of_a_record_that_is_not_in_the_file_is_refused_in_parts(parts):
    make("trip", code="T0", slug="taken")
    plan = take_in("trip", trips(*(f"slug-{number}" for number in range(4)), "taken"))
    assert plan.errors == [(6, "slug", "taken belongs to another record.")]
    assert max(count for _, count in parts) == 2


def test_texts_that_repeat_are_one_object_and_a_sheet_is_used_up():
    sheet = read_sheet(csv_file(["a", "b"], ["x" * 40, "1"], ["x" * 40, "2"]), "csv")
    first, second = sheet.take_column(0)
    assert first is second
    assert sheet.columns[0] == [] and len(sheet.columns[1]) == 2


def test_what_json_leaves_out_is_compared_with_all_rows(parts):
    """Where a row does not say a unique value, only all rows together tell whether it is free."""
    for number in range(3):
        make("trip", code=f"T{number}", slug=f"slug-{number}")
    plan = take_in("trip", json_file({"code": "T0", "slug": "slug-1"}, {"code": "T2"}, {"code": "T1"}), "json")
    assert [(row, text) for row, _, text in plan.errors] == [(1, "slug-1 belongs to another record.")]
