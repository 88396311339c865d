"""A field of text takes what a workbook shows of a date, a time or a percentage, or refuses it with its row."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import openpyxl
import pytest

from crm.capabilities.transfer.section import TransferSection
from crm.capabilities.transfer.shown_cells import format_moment, format_share
from tests.capabilities.transfer.files import take_in, told
from tests.support.records import entity, make, model

DAY, MOMENT = datetime(2026, 11, 27), datetime(2026, 3, 7, 9, 5, 3)
HINT = "shown in a way that the file does not tell: make it a cell of text."
SHOWN = [
    (DAY, "yyyy-mm-dd", "2026-11-27"),
    (date(2026, 3, 7), "d.m.yy", "7.3.26"),
    (MOMENT, "dd/mm/yyyy hh:mm", "07/03/2026 09:05"),
    (MOMENT, 'yyyy"T"mm\\-dd', "2026T03-07"),
    (MOMENT, "h:mm:ss", "9:05:03"),
    (MOMENT, "mm:ss", "05:03"),
    (time(9, 5), "hh:mm", "09:05"),
    (0.2, "0%", "20%"),
    (0.075, "0.0%", "7.5%"),
    (0.125, "0%", "13%"),
    (0.1 + 0.2, "General", "0.3"),
]
HIDDEN = [
    (DAY, "mm-dd-yy", "a date or a time"),  # The number of this format stands for the day as each country writes it.
    (DAY, "d mmmm yyyy", "a date or a time"),
    (DAY, "[$-407]yyyy-mm-dd", "a date or a time"),
    (MOMENT, "h:mm AM/PM", "a date or a time"),
    (timedelta(hours=30), "[h]:mm", "a date or a time"),
    (0.2, "#,##0 %", "a percentage"),
]


def workbook(*cells: tuple[Any, str], heading: str, **others: Any) -> bytes:
    """Return a workbook: a column of cells with their formats, and others beside it."""
    book = openpyxl.Workbook()
    book.active.append([heading, *others])
    for row, (value, form) in enumerate(cells, 2):
        book.active.append([value, *(text.format(row) for text in others.values())])
        book.active.cell(row, 1).number_format = form
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


CUSTOMER = {"name": "Ann {}", "email": "ann{}@example.com"}


@pytest.mark.django_db
def test_a_field_of_text_takes_what_is_shown():
    cells = [(value, form) for value, form, _ in SHOWN]
    assert told(take_in("customer", workbook(*cells, heading="name", email="ann{}@example.com"), "xlsx")) == []
    kept = model("customer").objects.order_by("pk").values_list("name", flat=True)
    assert list(kept) == [text for _value, _form, text in SHOWN]


@pytest.mark.django_db
def test_what_the_file_does_not_tell_is_refused_with_its_row():
    cells = [(value, form) for value, form, _ in HIDDEN]
    refused = told(take_in("customer", workbook(*cells, heading="name", email="ann{}@example.com"), "xlsx"))
    assert refused == [
        f"{row} name: is {kind} in the spreadsheet, {HINT}" for row, (_v, _f, kind) in enumerate(HIDDEN, 2)
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["yyyy-mm-dd", "mm-dd-yy", "d mmmm yyyy"])
def test_a_field_of_dates_takes_the_day_whatever_is_shown(form):
    assert told(take_in("customer", workbook((DAY, form), heading="birthday", **CUSTOMER), "xlsx")) == []
    assert model("customer").objects.get().birthday == date(2026, 11, 27)


@pytest.mark.django_db
def test_a_field_of_moments_takes_the_moment():
    number = make("invoice").number
    cells = workbook((MOMENT, "yyyy-mm-dd hh:mm"), heading="received_at", reference="P-1", invoice=number, amount="5")
    assert told(take_in("payment", cells, "xlsx")) == []
    assert model("payment").objects.get().received_at == MOMENT.replace(tzinfo=UTC)


@pytest.mark.django_db
def test_a_cell_that_is_no_text_is_refused_also_as_an_id_and_as_a_part(monkeypatch):
    ids = workbook((DAY, "mm-dd-yy"), (12345678901234567, "0"), heading="id", **CUSTOMER)
    assert [text[:40] for text in told(take_in("customer", ids, "xlsx"))] == [
        "2 id: is a date or a time in the spreads",
        "3 id: 1.23456789012346e+16 has more digi",
    ]
    monkeypatch.setitem(
        entity("customer").sections,
        "transfer",
        TransferSection(match_on=["email"], combine={"name": "{x}-{y}"}),
    )
    parts = workbook((DAY, "mm-dd-yy"), (12345678901234567, "0"), heading="x", y="{}", email="ann{}@example.com")
    assert [text.split(":")[0] for text in told(take_in("customer", parts, "xlsx"))] == [
        "2 name",
        "3 name",
    ]


@pytest.mark.parametrize(("value", "form", "text"), [row for row in SHOWN if not isinstance(row[0], float | time)])
def test_a_moment_is_written_as_its_format_says(value, form, text):
    assert format_moment(datetime.combine(value, time()) if type(value) is date else value, form) == text


def test_a_format_that_is_not_known_tells_nothing():
    assert format_moment(DAY, "General") is None
    assert format_share(0.2, "0.##%") is None
