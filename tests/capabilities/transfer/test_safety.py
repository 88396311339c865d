"""No cell of an export is run by a spreadsheet, and none is taken for something else when it is read again."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crm.capabilities.transfer import resource as resources
from crm.capabilities.transfer.file_reader import read_sheet
from crm.capabilities.transfer.formula_injection import (
    ExportRefused,
    csv_text,
    decode,
    encode,
    escape,
    escape_null_word,
    unescape,
    unescape_null_word,
)
from crm.capabilities.transfer.keys import join_words, split_words
from crm.capabilities.transfer.resource import export_rows
from tests.capabilities.transfer.files import take_in, told
from tests.support.records import entity, make, model

NULLS = {"", "NULL", "n/a", "-", "0"}
CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.text(
    "'=+-@＝＋－＠\t\r\nNUL0/na;,\"\\|_x05Ff", max_size=12
)
WORDS = CELLS.map(str.strip).filter(bool)


SIGNS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


@pytest.mark.parametrize("cell", ["+4930901820", "-5", "-3,50", "-3.50"])
def test_a_phone_or_a_number_is_written_as_it_is(cell):
    assert escape(cell) == cell == unescape(cell)
    assert unescape(escape(f"'{cell}")) == f"'{cell}"


@pytest.mark.parametrize("cell", ["+44", "+1+1", "-1+1", "+4930901820+1", "-2-3", "+49 30 901820", "+4930901820\n=1"])
def test_what_might_be_calculated_is_marked(cell):
    assert escape(cell) == f"'{cell}"


def is_formula(cell):
    """Say whether a spreadsheet would run a cell; a number it only shows."""
    cell = cell.removeprefix("\r\n")  # Where a quote at the end of a row seemed to begin a cell.
    return cell.startswith(SIGNS) and not re.fullmatch(r"-?\d+([.,]\d+)?|\+[0-9]{7,15}", cell)


@given(CELLS, st.booleans())
def test_escaping_is_undone_by_reading(text, is_csv):
    assert unescape(escape(text, is_csv), is_csv) == text


@given(CELLS, st.booleans())
def test_no_escaped_cell_is_a_formula(text, is_csv):
    assert not is_formula(escape(text, is_csv))


def as_another_region_reads(text, separator):
    """Return the cells as a spreadsheet takes them whose list separator is this one; quotes count at the start alone."""
    return [cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) for cell in row]


@given(st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=3), st.sampled_from(",;\t"))
@example([["x", "a;=1+1;"]], ";")
@example([["x", "a\n=1+1"]], ";")
@example([["x", 'a;"=1+1']], ";")
@example([["x", 'a"\t＝1+1', "y"]], "\t")
def test_no_region_reads_a_formula_out_of_a_csv_file(rows, separator):
    text = csv_text([[escape(cell, is_csv=True) for cell in row] for row in rows])
    assert not [cell for cell in as_another_region_reads(text, separator) if is_formula(cell)]


@given(st.lists(st.lists(CELLS.filter(lambda text: "\0" not in text), min_size=2, max_size=2), min_size=1, max_size=3))
def test_a_csv_file_is_read_as_it_was_written(rows):
    assert list(csv.reader(io.StringIO(csv_text(rows), newline=""), strict=True)) == rows


def test_a_cell_that_holds_the_separator_of_any_region_stands_in_quotes():
    cells = ["plain", "a;b", "a,b", "a\tb", "a\nb", 'a"b', "'=1", -5, None, ""]
    assert csv_text([cells]) == 'plain,"a;b","a,b","a\tb","a\nb","a""b","\'=1",-5,,\r\n'
    assert csv_text([[""], [None]]) == '""\r\n""\r\n'


def test_headings_are_escaped_as_cells_are(notes, monkeypatch):
    monkeypatch.setattr(resources, "escape", lambda cell, is_csv=False: f"<{cell}>")
    heading = _export("note", "csv").decode().splitlines()[0]
    assert heading and all(re.fullmatch("<[a-z_]+>", name) for name in heading.split(","))


@given(CELLS, CELLS)
def test_no_two_texts_become_the_same_cell(one, other):
    if one != other:
        assert escape(escape_null_word(one, NULLS)) != escape(escape_null_word(other, NULLS))
        assert escape(escape_null_word(one, NULLS), is_csv=True) != escape(escape_null_word(other, NULLS), is_csv=True)
        assert encode(one) != encode(other)


@given(CELLS)
def test_a_word_for_nothing_is_kept_apart_from_nothing(text):
    cell = unescape(escape(escape_null_word(text, NULLS)))
    assert unescape_null_word(cell, NULLS) == text
    assert cell.strip() not in NULLS or not text.strip()


@given(CELLS.filter(lambda text: "\0" not in text))
def test_every_character_can_stand_in_a_workbook(text):
    cell = encode(text)
    assert decode(cell) == text
    assert all(letter in "\t\n" or " " <= letter < "\ufffe" or letter > "\uffff" for letter in cell)


@given(st.lists(WORDS, max_size=5))
def test_several_values_of_a_cell_are_taken_apart_as_they_were_put_together(words):
    assert split_words(join_words(words)) == words


@pytest.mark.parametrize("text", ["a;b", "a ; b;", ";;a;;b;", "a; b"])
def test_people_need_not_be_exact(text):
    assert split_words(text) == ["a", "b"]


# Exports


FORMULAS = [
    "＝1+1",
    "－1",
    "a;=1+1;",
    "a\t@x",
    "=1+1",
    "+44",
    "-x",
    "@SUM(A1)",
    "'=1",
    "'",
    '=HYPERLINK("http://evil")',
    "\u200b=1",
    "|cmd",
    "%0A=1",
]


@pytest.fixture
def notes(db):
    customer = make("customer", name="=Ann", email="ann@example.com")
    return [make("note", subject=text, body=f"a\n{text}", customer=customer) for text in FORMULAS]


def test_no_cell_of_a_csv_export_begins_like_a_formula(notes):
    cells = [cell for row in csv.reader(io.StringIO(_export("note", "csv").decode())) for cell in row]
    assert cells and not [cell for cell in cells if cell.startswith(SIGNS)]
    assert not [cell for cell in as_another_region_reads(_export("note", "csv").decode(), ";") if is_formula(cell)]


def test_no_cell_of_a_workbook_is_a_formula(notes):
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(_export("note", "xlsx")))
    assert book.active.max_row == len(FORMULAS) + 1
    assert not [cell for row in book.active.iter_rows() for cell in row if cell.data_type == "f"]
    assert not [cell for row in book.active.iter_rows(values_only=True) for cell in row if str(cell).startswith(SIGNS)]


def test_json_holds_the_texts_as_they_are(notes):
    assert [one["subject"] for one in json.loads(_export("note", "json"))] == FORMULAS


@pytest.mark.parametrize("format", ["csv", "xlsx", "json"])
def test_an_export_changes_nothing_when_it_is_imported(notes, format):
    found = take_in("note", _export("note", format), format)
    assert told(found) == [] and found.counts["unchanged"] == len(FORMULAS)


def test_a_text_that_no_cell_of_excel_holds_is_not_cut(db):
    make("note", customer=make("customer"), body="x" * 40_000)
    with pytest.raises(ExportRefused, match="Body: a text has 40,000 letters.*CSV or JSON"):
        _export("note", "xlsx")
    assert read_sheet(_export("note", "csv"), "csv").numbers


def _export(name: str, format: str) -> bytes:
    return export_rows(entity(name), model(name).objects.order_by("pk"), format)
