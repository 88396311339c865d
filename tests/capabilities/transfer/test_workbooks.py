"""What a workbook holds beside plain values: errors, several sheets, and numbers with more digits than it shows."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

import openpyxl
import pytest

from crm.capabilities.transfer.file_reader import FileRefused, read_sheet
from crm.capabilities.transfer.runs import start_run
from crm.capabilities.transfer.section import TransferSection
from tests.capabilities.transfer.files import take_in, told
from tests.support.records import entity, make, model

ERRORS = ["#N/A", "#DIV/0!", "#REF!", "#NAME?", "#VALUE!", "#NUM!", "#NULL!"]
MEND = "mend the formula, or empty the cell."


def _saved(book: openpyxl.Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _workbook(*rows: Iterable[Any], form: str = "General") -> bytes:
    """Return a workbook; openpyxl writes `#N/A` as an error, and what begins with an apostrophe as that text."""
    book = openpyxl.Workbook()
    for number, row in enumerate(rows, 1):
        for column, value in enumerate(row, 1):
            cell = book.active.cell(number, column, value)
            cell.number_format = form
            if isinstance(value, str) and value.startswith("'"):
                cell.value, cell.data_type = value[1:], "s"
    return _saved(book)


def _sheets(**sheets: Mapping[str, Any]) -> bytes:
    """Return a workbook of several sheets: title → its state and its rows."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, given in sheets.items():
        sheet = book.create_sheet(title)
        sheet.sheet_state = given.get("state", "visible")
        for row in given.get("rows", ()):
            sheet.append(row)
    return _saved(book)


# Errors


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["General", "0.0"], ids=["plain formats", "other formats"])
def test_a_cell_with_an_error_is_refused_with_its_row_and_column(form):
    rows = [[error, f"ann{number}@example.com"] for number, error in enumerate(ERRORS)]
    found = take_in("customer", _workbook(["name", "email"], *rows, form=form), "xlsx")
    assert told(found) == [f"{row} name: shows the error {error}: {MEND}" for row, error in enumerate(ERRORS, 2)]
    assert not model("customer").objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("column", ["birthday", "payment_terms", "phone"])
def test_an_error_is_told_as_one_whatever_the_type_of_the_field(column):
    data = _workbook(["name", "email", column], ["Ann", "ann@example.com", "#REF!"])
    assert told(take_in("customer", data, "xlsx")) == [f"2 {column}: shows the error #REF!: {MEND}"]


@pytest.mark.django_db
def test_an_error_at_the_end_of_a_row_in_a_heading_and_in_a_link_is_told():
    number = make("invoice").number
    rows = [["P-1", "#N/A", 5], ["P-2", number, "#N/A"]]
    links = _workbook(["reference", "invoice", "amount"], *rows)
    assert told(take_in("payment", links, "xlsx")) == [
        f"2 invoice: shows the error #N/A: {MEND}",
        f"3 amount: shows the error #N/A: {MEND}",
    ]
    with pytest.raises(FileRefused, match="The column '#N/A' is no field of customer"):
        start_run(entity("customer"), "list.xlsx", _workbook(["name", "#N/A"], ["Ann", 1]), None)


@pytest.mark.django_db
def test_a_text_that_reads_as_an_error_is_text():
    data = _workbook(["name", "email"], ["'#N/A", "ann@example.com"])
    assert told(take_in("customer", data, "xlsx")) == []
    assert model("customer").objects.get().name == "#N/A"


@pytest.mark.django_db
def test_an_error_that_the_definitions_name_as_nothing_is_nothing(monkeypatch):
    section = TransferSection(match_on=["email"], nulls=["#N/A"], combine={"name": "{first}{last}"})
    monkeypatch.setitem(entity("customer").sections, "transfer", section)
    data = _workbook(["first", "last", "email", "company_number"], ["Ann", "#N/A", "a@example.com", "#N/A"])
    assert told(take_in("customer", data, "xlsx")) == []
    ann = model("customer").objects.get()
    assert (ann.name, ann.company_number) == ("Ann", "")


@pytest.mark.django_db
def test_a_number_that_is_shown_as_a_day_but_is_none_is_refused():
    data = _workbook(["name", "email"], [99_999_999, "ann@example.com"], form="yyyy-mm-dd")
    assert told(take_in("customer", data, "xlsx")) == ["2 name: is shown as a date, but its number is none."]


@pytest.mark.django_db
@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_in_json_is_refused_with_its_row(value):
    text = json.dumps([{"name": "Ann", "email": "a@example.com"}, {"name": "?", "email": "b@example.com"}])
    for written in (value, f"[{value}]", f'{{"a": [{value}]}}'):
        found = take_in("customer", text.replace('"?"', written).encode(), "json")
        assert told(found) == [f"2 name: holds {value}, which is no value of JSON."]


# Sheets


def test_the_first_visible_sheet_is_read():
    rows = {"rows": [["name"], ["Ann"]]}
    hidden = {"rows": [["secret"], ["x"]]}
    data = _sheets(One={"state": "veryHidden", **hidden}, Two={"state": "hidden", **hidden}, Three=rows)
    sheet = read_sheet(data, "xlsx")
    assert (sheet.headings, sheet.warning) == (["name"], "")


def test_the_sheets_that_were_not_read_are_named():
    rows = {"rows": [["name"], ["Ann"]]}
    told = "The sheet “People” was read; not read: {}."
    data = _sheets(People=rows, Empty={}, Hidden={"state": "hidden", **rows}, Others=rows)
    assert read_sheet(data, "xlsx").warning == told.format("“Others”")
    many = _sheets(People=rows, **{f"S{number}": rows for number in range(7)})
    assert read_sheet(many, "xlsx").warning == told.format("“S0”, “S1”, “S2”, “S3”, “S4” and 2 more")
    assert read_sheet(_sheets(People=rows, Empty={}), "xlsx").warning == ""


@pytest.mark.django_db
def test_the_preview_and_a_refusal_say_which_sheet_was_read():
    rows = {"rows": [["name", "email"], ["Ann", "ann@example.com"]]}
    told = "The sheet “Notes” was read; not read: “People”."
    run = start_run(entity("customer"), "list.xlsx", _sheets(Notes=rows, People=rows), None)
    assert run.read_preview()["warning"] == told
    assert take_in("customer", _sheets(Notes=rows, People=rows), "xlsx").warning == told
    wrong = _sheets(Notes={"rows": [["to do"], ["Call Ann"]]}, People=rows)
    with pytest.raises(FileRefused) as refused:
        start_run(entity("customer"), "list.xlsx", wrong, None)
    assert str(refused.value).splitlines()[-1] == told


# Numbers of more than 15 digits


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["General", "0.0"], ids=["plain formats", "other formats"])
def test_a_number_is_what_its_fifteen_digits_say(form):
    eight = (0.1 + 0.7) * 10
    assert eight != 8
    data = _workbook(["a", "b", "c"], [eight, 0.1 + 0.2, -eight], form=form)
    assert [[float(cell) for cell in row] for _, row in read_sheet(data, "xlsx").rows] == [[8, 0.3, -8]]


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["General", "0"], ids=["plain formats", "other formats"])
def test_every_type_takes_the_number_of_fifteen_digits(form):
    eight = (0.1 + 0.7) * 10
    cells = [eight, "ann@example.com", eight, eight]
    data = _workbook(["name", "email", "payment_terms", "credit_limit"], cells, form=form)
    assert told(take_in("customer", data, "xlsx")) == []
    ann = model("customer").objects.get()
    assert (ann.payment_terms, ann.credit_limit, ann.name) == (8, 8, "8")
