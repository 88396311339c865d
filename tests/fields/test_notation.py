"""Numbers are read back as they were written, in every region; what fits two readings is decided or refused."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from types import SimpleNamespace

import pytest
from contracts.fields import field_of
from hypothesis import given
from hypothesis import strategies as st

from crm.capabilities.transfer.notations import decide_notations, export_notation
from crm.fields.notation import UNDECIDED, Notation, decimal_mark, locale_notation, notation_like, read_text, readings
from crm.fields.reading import Reading
from crm.wiring import LANGUAGE

LOCALES = (
    "en_GB",
    "en_US",
    "de_DE",
    "de_AT",
    "de_CH",
    "fr_FR",
    "es_ES",
    "sv_SE",
    "en_IN",
    "pt_PT",
    "pl_PL",
    "en_ZA",
    "ar_EG",
)
NOTATIONS = [*map(locale_notation, LOCALES), UNDECIDED]
NUMBERS = st.decimals(min_value=-(10**9), max_value=10**9, places=3, allow_nan=False, allow_infinity=False)


@cache
def number_field(kind: str, **options):
    return field_of(LANGUAGE.types[kind], **options)


@pytest.mark.parametrize("notation", NOTATIONS, ids=[*LOCALES, "undecided"])
@given(number=NUMBERS)
def test_what_is_written_is_read_back(notation: Notation, number: Decimal):
    for places in (0, 1, 2, 3, 4):
        field = number_field("decimal", places=places)
        value = round(number, places)
        text = field.type.written(value, field, notation)
        assert field.type.parse(text, field, Reading(numbers=notation)) == value
    whole = number_field("integer")
    text = str(whole.type.written(int(number), whole, notation))
    assert whole.type.parse(text, whole, Reading(numbers=notation)) == int(number)


@pytest.mark.parametrize(
    ("text", "mark"),
    [("0,125", ","), ("13,750", "both"), ("1.375,50", ","), ("1.200", "both"), ("13.75", "."), ("1.234.567", ",")]
    + [("1,75,545.86", "."), ("1234", ""), ("1 234", ""), ("1'234", ""), (",5", ","), ("5%", ""), ("0.125", ".")],
)
def test_a_text_says_which_marks_it_may_have(text, mark):
    assert decimal_mark(text) == mark


@pytest.mark.parametrize(
    "text", ["", "abc", "12 34", "1,2,3", "1..2", "1e999", "--5", "0,125,50", "1 2", "NaN", "Infinity"]
)
def test_what_is_no_number_has_no_reading(text):
    assert readings(text) == {}


@pytest.mark.parametrize(
    ("locale", "text", "value"),
    [
        ("de_DE", "0,125", "0.125"),
        ("de_DE", "13,750", "13.75"),
        ("de_DE", "1.375,50 €", "1375.5"),
        ("de_DE", "1.200", "1200"),
        ("en_US", "13,750", "13750"),
        ("en_US", "13.750", "13.75"),
        ("de_CH", "1’234.50", "1234.5"),
        ("fr_FR", "1\u202f234,5", "1234.5"),
        ("en_IN", "12,34,567", "1234567"),
    ],
)
def test_a_region_decides(locale, text, value):
    assert read_text(text, locale_notation(locale)) == Decimal(value)


@pytest.mark.parametrize(
    ("locale", "text"), [("en_US", "0,125"), ("de_DE", "0.125"), ("fr_FR", "1.234"), ("de_CH", "1,234")]
)
def test_what_a_region_does_not_write_is_refused(locale, text):
    with pytest.raises(ValueError, match="not a number where|may mean"):
        read_text(text, locale_notation(locale))


@pytest.mark.parametrize("sample", ["1.234,56", "1,234.56", "1 234,56", "1'234.56", "1234,56"])
def test_a_sample_shows_a_notation(sample):
    assert read_text(sample, notation_like(sample)) == Decimal("1234.56")


@pytest.mark.parametrize("sample", ["", "comma", "1,234,56", "1234", "12,34"])
def test_what_shows_none_is_refused(sample):
    with pytest.raises(ValueError, match="shows no notation"):
        notation_like(sample)


# Files


def read_column(region: str | None, *cells: str, numbers: str = "", others: tuple[str, ...] = ()) -> list[str]:
    """Return what a column of weights says in a business of a region; `may mean` and such where it is refused."""
    field = number_field("decimal", places=3)
    app = field.business.app.model_copy(update={"region": region})
    entity = SimpleNamespace(business=SimpleNamespace(app=app), sections={"transfer": SimpleNamespace(numbers=numbers)})
    other = number_field("money")
    columns = [(field, list(cells)), (SimpleNamespace(name="other", type=other.type), list(others))]
    notation = decide_notations(entity, columns)["value"]
    found = []
    for cell in cells:
        try:
            found.append(str(field.type.parse(cell, field, Reading(numbers=notation)).normalize()))
        except ValueError:
            found.append("refused")
    return found


@pytest.mark.parametrize(
    ("region", "cells", "values"),
    [
        ("DE", ["0,125", "13,750", "1,234"], ["0.125", "13.75", "1.234"]),
        ("DE", ["13.750", "0,125"], ["1.375E+4", "0.125"]),
        ("DE", ["0.125", "0.5"], ["0.125", "0.5"]),
        ("DE", ["0.125", "13.750"], ["0.125", "refused"]),
        ("DE", ["12,5", "12.5"], ["12.5", "refused"]),
        ("US", ["13,750"], ["1.375E+4"]),
        ("US", ["0,125", "13,75"], ["0.125", "13.75"]),
        ("US", ["0,125", "13,750"], ["0.125", "refused"]),
        (None, ["0,125", "13,750"], ["0.125", "13.75"]),
        (None, ["0.125", "13.750"], ["0.125", "13.75"]),
        (None, ["13,750", "1,234"], ["refused", "refused"]),
        (None, ["13.750"], ["refused"]),
        (None, ["0,125", "0.125"], ["refused", "refused"]),
        (None, ["12", "7"], ["12", "7"]),
    ],
)
def test_a_column_is_read_in_one_way(region, cells, values):
    assert read_column(region, *cells) == values


def test_another_column_tells_how_the_file_is_written():
    assert read_column(None, "13,750", others=("1.375,50",)) == ["13.75"]
    assert read_column(None, "13.750", others=("1,375.50",)) == ["13.75"]
    assert read_column("US", "13,750", others=("1.375,50",)) == ["refused"]


def test_what_transfer_says_is_in_force():
    assert read_column("US", "13,750", "0,125", numbers="1.234,56") == ["13.75", "0.125"]
    assert read_column("DE", "13,750", "0.125", numbers="1,234.56") == ["1.375E+4", "0.125"]
    assert read_column("DE", "0,125", numbers="1,234.56") == ["refused"]


@given(st.lists(NUMBERS, min_size=1, max_size=5), st.sampled_from(["DE", "US", "GB", "FR", "CH", "IN", "AT", None]))
def test_an_exported_column_is_read_back_in_every_region(numbers, region):
    field = number_field("decimal", places=3)
    app = field.business.app.model_copy(update={"region": region})
    entity = SimpleNamespace(business=SimpleNamespace(app=app), sections={"transfer": SimpleNamespace(numbers=None)})
    texts = [field.type.written(number, field, export_notation(entity)) for number in numbers]
    notation = decide_notations(entity, [(field, texts)])["value"]
    assert [field.type.parse(text, field, Reading(numbers=notation)) for text in texts] == numbers


def test_a_duration_is_read_in_the_files_notation():
    field = number_field("duration")
    half = field.type.parse("1.5 h", field, Reading())
    assert field.type.parse("1,5 h", field, Reading(numbers=locale_notation("de_DE"))) == half
    with pytest.raises(ValueError, match="may mean"):
        field.type.parse("1,500 h", field, Reading(numbers=UNDECIDED))
