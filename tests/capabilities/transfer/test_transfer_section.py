"""The key `transfer:`: every mistake in it is told at its place."""

from __future__ import annotations

import pytest

from tests.blueprint.writing import business, told

THING = """
fields: {name: text, memo: long_text, photo: image, people: {type: links, to: person}, boss: {type: link, to: person}, tags: tags}
"""
PERSON = "fields: {name: text, first: {type: link, to: thing}}\ntransfer: {match_on: [first]}"


@pytest.mark.parametrize(
    ("transfer", "said"),
    [
        ("{match_on: [nam]}", "'Thing' has no field 'nam' that files hold (Did you mean 'name'?)"),
        ("{columns: {Title: nam}}", "'Thing' has no field 'nam' that files hold (Did you mean 'name'?)"),
        ("{combine: {nam: '{a}'}}", "'Thing' has no field 'nam' that files hold (Did you mean 'name'?)"),
        ("{match_on: [people]}", "'people' holds several records and cannot tell rows apart"),
        ("{match_on: [photo]}", "an image field cannot tell rows apart"),
        ("{match_on: [boss]}", "'boss' leads to records that are named by this one again"),
        (
            "{dates: ['%d/%m/%Y', '%m/%d/%Y']}",
            "'02/03/2001' is another day as '%m/%d/%Y' than as '%d/%m/%Y': only one of them can be right",
        ),
        ("{combine: {name: year}}", "'name': 'year' names its columns in braces, such as '{year} {month} {day}'"),
    ],
)
def test_a_mistake_is_told_at_its_place(transfer, said):
    found = told(app="name: Shop", thing=f"{THING}transfer: {transfer}", person=PERSON)
    (mine,) = [one for one in found if one.startswith("thing.yaml:2:")]
    assert mine.split(": ", 1)[1] == said


@pytest.mark.parametrize(
    ("transfer", "said"),
    [
        ("{numbers: '12'}", "'12' shows no notation: write the number as 1,234.56, 1.234,56, 1 234,56 or 1234.56"),
        ("{encoding: latin-nine}", "'latin-nine' is no encoding; a spreadsheet in western Europe writes cp1252"),
    ],
)
def test_how_files_are_written_is_said_in_a_way_that_there_is(transfer, said):
    (found,) = told(app="name: Shop", thing=f"fields: {{name: text}}\ntransfer: {transfer}")
    assert said in found


def test_every_way_that_there_is_can_be_said():
    for numbers in ("1,234.56", "1.234,56", "1 234,56", "1'234.56", "1234.56"):
        made = business(
            app="name: Shop", thing=f'fields: {{name: text}}\ntransfer: {{numbers: "{numbers}", encoding: cp1252}}'
        )
        section = made.entities["thing"].sections["transfer"]
        assert (section.numbers, section.encoding) == (numbers, "cp1252")
