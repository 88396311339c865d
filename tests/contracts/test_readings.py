"""What people and other systems write, type by type, and what it means; what means nothing is told in a sentence."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from contracts.fields import PLAIN, field_of

from crm.fields.cell_values import Share
from crm.fields.moments import read_duration
from crm.fields.reading import Reading
from crm.wiring import LANGUAGE

READ: dict[str, list[tuple[Any, Any]]] = {
    "text": [(" x ", "x"), (7, "7"), (7.0, "7"), (7.5, "7.5"), ("007", "007")],
    "long_text": [("a\r\nb", "a\nb"), ("a\rb", "a\nb")],
    "integer": [
        ("1,234", 1234),
        (7.0, 7),
        ("7.0", 7),
        ("1e3", 1000),
        ("-0", 0),
        ("+7", 7),
        ("1 234", 1234),
        (Decimal(7), 7),
    ],
    "decimal": [
        ("1,234.50", Decimal("1234.50")),
        ("1,75,545.86", Decimal("175545.86")),
        (0.1 + 0.2, Decimal("0.30")),
        ("-.5", Decimal("-0.50")),
        (7, Decimal(7)),
    ],
    "money": [
        ("£1,234.50", Decimal("1234.50")),
        ("-£5", Decimal(-5)),
        ("£-5", Decimal(-5)),
        ("GBP 5", Decimal(5)),
        ("12.50 GBP", Decimal("12.50")),
        ("'5", Decimal(5)),
        ("\u00a01\u202f234.5", Decimal("1234.50")),
    ],
    "percent": [("20%", Decimal(20)), ("17.5 %", Decimal("17.50")), (20, Decimal(20)), (Share(0.07), Decimal(7))],
    "boolean": [("Yes", True), ("n", False), (1, True), (0.0, False), ("TRUE", True), ("x", True), ("off", False)],
    "date": [
        ("2026-02-28", date(2026, 2, 28)),
        ("2026-02-28 00:00:00.000", date(2026, 2, 28)),
        (datetime(2026, 2, 28, 14), date(2026, 2, 28)),
        (date(2026, 2, 28), date(2026, 2, 28)),
    ],
    "datetime": [
        ("2026-07-01 14:30", datetime(2026, 7, 1, 13, 30, tzinfo=UTC)),
        ("2026-01-01T14:30:00Z", datetime(2026, 1, 1, 14, 30, tzinfo=UTC)),
        ("2026-07-01", datetime(2026, 6, 30, 23, 0, tzinfo=UTC)),
        ("2026-10-25 01:30:00+00:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        (datetime(2026, 7, 1, 14, 30), datetime(2026, 7, 1, 13, 30, tzinfo=UTC)),
    ],
    "time": [("14:30", time(14, 30)), (time(14, 30), time(14, 30)), (datetime(1900, 1, 1, 14, 30), time(14, 30))],
    "duration": [
        ("1:30", timedelta(minutes=90)),
        ("90m", timedelta(minutes=90)),
        ("1h 30m", timedelta(minutes=90)),
        ("1.5 hours", timedelta(minutes=90)),
        ("-0:30", -timedelta(minutes=30)),
        ("2d", timedelta(days=2)),
        ("2 weeks", timedelta(weeks=2)),
        ("1 hr 5 mins 3 sec", timedelta(hours=1, minutes=5, seconds=3)),
        (time(1, 30), timedelta(minutes=90)),
    ],
    "email": [(" ada@example.org ", "ada@example.org")],
    "phone": [
        ("020 7946 0018", "+442079460018"),
        ("+1 415-555-2671", "+14155552671"),
        ("(020) 7946-0018", "+442079460018"),
    ],
    "choice": [("Draft", "draft"), ("SENT", "sent")],
    "country": [("uk", "GB"), ("PRT", "PT"), ("Germany", "DE"), ("USA", "US"), ("gb", "GB")],
    "color": [("#FFF", "#ffffff"), ("#0D9488", "#0d9488")],
    "json": [('{"a": 1}', {"a": 1}), ({"a": Decimal("1.5")}, {"a": 1.5}), ("7", 7), ([1], [1]), ("null", None)],
    "uuid": [("6F1A1A52-6C1C-4B5E-9D8F-0A4D6A1C2B3E", UUID("6f1a1a52-6c1c-4b5e-9d8f-0a4d6a1c2b3e"))],
}
REFUSED: dict[str, list[Any]] = {
    "text": [["a"], {"a": 1}, "x" * 201, "\0"],
    "long_text": ["\0"],
    "integer": ["x", "7.5", "", "1e99", 2**63, "O12", "l2", "abc5", "1.234,5", True, float("nan"), "--5", "0x10"],
    "decimal": ["1.234,50", "12,5", "1.005", 1e20, float("inf"), "NaN", "1e50", 10**12, "#5", "Mr5", "5 apples"],
    "money": ["1.001", "£", "US$5", "5 €", "12.50 EUR", "kr 5", "x1", "5£5", "10%%", 1_000_000_000_000],
    "percent": ["twenty", "1.005%"],
    "boolean": ["maybe", "2", "", "yesno"],
    "date": ["2026-02-30", "7/1/2026", "2026-02-28 14:30", "tomorrow", "20260228x", 44_000],
    "datetime": [
        "2026-03-29 01:30:00",
        "2026-02-30 10:00",
        "noon",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
    ],
    "time": ["25:00", "14:30Z", "noon"],
    "duration": ["1:70", "90", "soon", "9999999h", "1e5h", ""],
    "email": [
        "ada",
        "a@b",
        "ada@example.org, bob@example.org",
        f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.com",
    ],
    "phone": ["12", "call me", "+44 20 7946"],
    "url": ["example.org", "ftp://example.org", "javascript:alert(1)", f"https://example.org/{'x' * 500}"],
    "choice": ["drafty", ""],
    "country": ["Atlantis", "XX", "ZZZ"],
    "color": ["red", "#12", "#gggggg"],
    "json": ["{", "NaN", "1e999", '"\\u0000"', '["\\ud800"]', float("inf"), {1, 2}],
    "sequence": ["x" * 81, "\0"],
    "slug": ["two words", "ü", "x" * 101],
    "uuid": ["6f1a", "not a uuid"],
}


def cases(table: dict[str, list[Any]]) -> list[Any]:
    return [
        pytest.param(name, *(one if table is READ else [one]), id=f"{name}-{one!r:.40}")
        for name in table
        for one in table[name]
    ]


@pytest.mark.parametrize(("name", "raw", "value"), cases(READ))
def test_what_people_write_is_understood(name, raw, value):
    field = field_of(LANGUAGE.types[name])
    found = field.type.validate(field.type.parse(raw, field, PLAIN), field)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(("name", "raw"), cases(REFUSED))
def test_what_means_nothing_is_refused_with_a_sentence(name, raw):
    field = field_of(LANGUAGE.types[name])
    with pytest.raises(ValueError) as caught:
        field.type.validate(field.type.parse(raw, field, PLAIN), field)
    assert str(caught.value)[-1] in ".?" and len(str(caught.value)) < 400


def test_a_number_that_need_not_exist_is_kept_as_it_was_written():
    field = field_of(LANGUAGE.types["phone"], strict=False)
    for raw in ("030-0074321", "(5) 555-4729", "ext. 7", "020 7946 0018 ext 5"):
        value = field.type.validate(field.type.parse(raw, field, PLAIN), field)
        assert field.type.parse(field.type.serialize(value, field), field, PLAIN) == value
        assert field.type.column(field).clean(value, None) == value
        assert field.type.display(value, field)


@pytest.mark.parametrize(
    ("low", "high", "fine"), [("90m", "8h", True), ("1:30", "90m", True), ("8h", "90m", False), ("9h", "10h", True)]
)
def test_limits_of_a_duration_are_compared_as_durations(low, high, fine):
    told = []
    kind = LANGUAGE.types["duration"]
    kind.check(field_of(kind, min="0m", max="1000h"), lambda *args, **_: told.append(args))
    assert not told
    if fine:
        field_of(kind, min=low, max=high)
    else:
        from crm.blueprint.problems import DefinitionError

        with pytest.raises(DefinitionError, match="is more than 'max'"):
            field_of(kind, min=low, max=high)


def test_the_formats_of_a_file_come_before_iso():
    field = field_of(LANGUAGE.types["date"])
    assert field.type.parse("1/2/2026", field, Reading(dates=("%d/%m/%Y",))) == date(2026, 2, 1)
    with pytest.raises(ValueError, match="write it as %d/%m/%Y"):
        field.type.parse("13.2.2026", field, Reading(dates=("%d/%m/%Y",)))


def test_an_hour_that_comes_twice_is_the_same_as_itself():
    """Python holds two moments of that hour in one zone and in another for different, whatever they are."""
    field = field_of(LANGUAGE.types["datetime"])
    value = field.type.parse("2026-10-25 01:30:00", field, PLAIN)
    assert field.type.equals(value, datetime(2026, 10, 25, 0, 30, tzinfo=UTC))


def test_lines_end_the_same_for_browsers_and_files():
    field = field_of(LANGUAGE.types["long_text"])
    assert field.type.equals("a\r\nb", "a\nb") and not field.type.equals("a\nb", "a b")


@pytest.mark.parametrize("raw", ["1 month", "3 months", "1 year", "1 mile", "5 dogs", "99999999999999 d"])
def test_what_is_no_length_of_time_is_not_read_as_one(raw):
    with pytest.raises(ValueError, match="not a duration|too long"):
        read_duration(raw)


def test_a_number_that_is_kept_as_written_is_no_longer_than_its_column_takes():
    """A file's values pass no other limit, and a column of PostgreSQL refuses the whole file for one."""
    field = field_of(LANGUAGE.types["phone"], strict=False)
    assert field.type.parse("1" * 40, field, Reading()) == "1" * 40
    with pytest.raises(ValueError, match="40 letters at most"):
        field.type.parse("1" * 41, field, Reading())


@pytest.mark.parametrize(("kind", "raw"), [("duration", "9999999999999w"), ("time", "14:30+01:00")])
def test_a_length_beyond_all_clocks_and_a_zone_that_would_be_dropped_are_told(kind, raw):
    field = field_of(LANGUAGE.types[kind])
    with pytest.raises(ValueError, match="too long|not a time of day"):
        field.type.parse(raw, field, Reading())
