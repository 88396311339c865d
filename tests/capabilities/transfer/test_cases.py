"""Files as people have them, rebuilt from reports on other systems: what they say is taken in, or told, on both databases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.workplace import ENGINES, workplace


@pytest.fixture(scope="module", params=ENGINES)
def report(request, tmp_path_factory) -> dict[str, Any]:
    with workplace("depot", tmp_path_factory.mktemp("depot"), request.param) as place:
        return json.loads(place.run_script(Path(__file__).with_name("import_cases.py")))


def column(found: dict[str, Any], name: str) -> list[Any]:
    return [row.get(name) for row in found["rows"]]


def test_numbers_are_those_of_the_region(report):
    assert report["31_mirror.csv"]["told"] == []
    assert column(report["31_mirror.csv"], "weight") == ["13750.000", "0.125"]
    for file, rows in (("01_decimal_comma.csv", {5}), ("01b_decimal_comma_3digits.csv", {4, 6})):
        assert {int(text.split()[0]) for text in report[file]["told"]} == rows
        assert report[file]["rows"] == []


def test_what_nothing_decides_is_refused_and_can_be_said(report):
    (told,) = report["unsure"]["told"]
    assert told.startswith("3 weight: '13.750' may mean 13.75 or 13750. Say how the file writes numbers")
    assert column(report["points"], "weight") == ["0.125", "13.750"]


def test_the_preview_shows_numbers_as_the_business_writes_them(report):
    assert dict(report["preview"])["Weight"] == "0,125"
    assert dict(report["preview"])["Credit"] == "1.375,50\u00a0€"


@pytest.mark.parametrize("format", ["csv", "xlsx", "json"])
def test_an_export_changes_nothing_when_it_is_imported(report, format):
    found = report[f"again {format}"]
    assert found["told"] == []
    assert found["counts"] == {"new": 0, "updated": 0, "unchanged": 2, "failed": 0}


def test_an_export_is_written_as_the_business_writes(report):
    assert '"1375,50","13,750"' in report["again csv"]["text"]
    assert ",+4930901820," in report["again csv"]["text"]


def test_a_text_field_holds_what_a_spreadsheet_shows(report):
    found = report["02_leading_zeros.xlsx"]
    assert found["told"] == []
    assert column(found, "home_postcode")[:4] == ["01067", "01067", None, "1067"]
    assert column(found, "mobile")[2] == "+4930901820"


def test_percentages_are_those_that_people_see(report):
    assert column(report["03_percent.xlsx"], "discount") == [
        "15.00",
        "7.50",
        "15.00",
        "15.00",
        "15.50",
        "100.00",
        None,
        None,
    ]


def test_what_a_workbook_does_not_hold_is_told_with_its_place(report):
    assert [text[:30] for text in report["21c_ints.xlsx"]["told"]] == ["4 code: 1.23456789012346e+19 h"]
    assert report["06m_merged.xlsx"]["told"][0].startswith("3 office: is merged with C2")
    told = report["06o_formula_error.xlsx"]["told"]
    assert [text.split(":")[0] for text in told] == [
        f"{row} {name}" for row in (2, 3) for name in ("credit", "points", "born")
    ]
    assert "is a formula whose value the file does not keep" in told[0]
    assert column(report["06p_phantom_rows.xlsx"], "code") == ["R1"]


def test_hints_titles_blanks_and_encodings(report):
    assert column(report["05f_sep_line.csv"], "code") == ["E8"]
    assert "Is 'Customer list as of May 2026' a title?" in report["06f_title_row.csv"]["told"][0]
    assert column(report["28_blank_ws.csv"], "day") == ["2026-01-01", "2026-01-02"]
    assert "not UTF-8" in report["05a_cp1252.csv"]["told"][0]
    assert column(report["cp1252"], "notes") == ["Preis 12 € – ok"]


def test_an_address_in_capitals_is_the_same_person(report):
    found = report["20b_mail.csv"]
    assert found["counts"]["updated"] == 1
    assert [(row["email"], row["city"]) for row in found["rows"]] == [
        ("ann@example.org", "Bradford"),
        ("bob@example.org", "York"),
    ]


def test_a_code_is_the_same_however_it_is_written(report):
    assert [(row["code"], row["name"]) for row in report["spelling"]["rows"]] == [("UML-Ä 1", "uml\u2011ä  1")]
    assert report["18_nfd.csv"]["told"] == ["3 code: row 2 is the same record already."]


def test_a_tag_is_there_once_as_it_was_first_written(report):
    assert column(report["18b_tag_case.csv"], "interests") == [["Wine"]] * 4
    assert report["tags"] == ["Wine", "beer"]


def test_nothing_is_no_double_and_the_database_refuses_the_others_too(report):
    fine, double = "fine", "already exists. (refused)"
    assert [text.removeprefix("__all__: ") for text in report["bikes"]] == [
        fine,
        fine,
        fine,
        f"Bike with this Brand and Frame {double}",
        fine,
        f"Bike with this Brand, Country and Size {double}",
        fine,
        f"serial: Bike with this Serial {double}",
    ]


def test_the_key_of_a_computed_value_follows_it(report):
    assert report["computed"] == [["Trek!", "trek!"], ["Giant!", "giant!"], ["Cube!", "cube!"]]
