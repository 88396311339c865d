"""What is written to a file and read back is what it was: every type of field, with values that have hurt elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crm.blueprint.compiler import read_folder
from crm.wiring import FIELD_TYPES, LANGUAGE
from tests.support.workplace import BUSINESSES, ENGINES, workplace


def test_the_business_has_a_field_of_every_type():
    used = {one.type.name for one in read_folder(BUSINESSES / "every", LANGUAGE).entities["thing"].fields.values()}
    assert used == {kind.name for kind in FIELD_TYPES}


@pytest.fixture(scope="module", params=ENGINES)
def report(request, tmp_path_factory) -> dict[str, Any]:
    with workplace("every", tmp_path_factory.mktemp("every"), request.param) as place:
        return json.loads(place.run_script(Path(__file__).with_name("round_trip.py")))


@pytest.mark.parametrize("format", ["csv", "xlsx", "json"])
def test_a_file_that_nobody_touched_changes_nothing(report, format):
    assert report[format]["unchanged"].keys() == report["counts"].keys() != set()
    for name, found in report[format]["unchanged"].items():
        assert found == {"new": 0, "updated": 0, "unchanged": report["counts"][name], "failed": 0, "told": []}


@pytest.mark.parametrize("format", ["csv", "xlsx", "json"])
def test_deleted_records_come_back_from_their_file(report, format):
    assert report[format]["restored"].keys() >= {"thing", "line"}
    for name, found in report[format]["restored"].items():
        assert not found["told"]
        assert found["new"] == report["counts"][name] > 0
    assert not report[format]["differences"]
