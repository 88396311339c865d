"""The schema of the key `transfer:`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, StringConstraints
from pydantic import Field as Key

from crm.blueprint.sections import Name, Section
from crm.fields.notation import notation_like

Header = Annotated[str, StringConstraints(min_length=1, max_length=200)]


def _notation(value: str) -> str:
    notation_like(value)
    return value


def _encoding(value: str) -> str:
    """Take an encoding of text that Python knows."""
    try:
        "".encode(value)
    except (LookupError, UnicodeError):
        raise ValueError(f"{value!r} is no encoding; a spreadsheet in western Europe writes cp1252") from None
    return value


class TransferSection(Section):
    """`transfer`: how records come from files, and how other files name them."""

    match_on: list[Name] = Key(
        [],
        description="The fields that tell which record a row means: found, it is updated; else it is new. Links from "
        "other entities are written as these fields' values. Left out: every row without an `id` is a new record.",
    )
    columns: dict[Header, Name] = Key({}, description="The headings of a file that differ from the fields' names.")
    combine: dict[Name, Annotated[str, StringConstraints(min_length=1, max_length=400)]] = Key(
        {}, description="Fields made of several columns of a file: `date: '{year} {month} {day}'`."
    )
    ignore: list[Header] = Key([], description="Columns of files that are not wanted.")
    unknown_columns: Literal["refuse", "ignore"] = Key(
        "refuse", description="Whether a file with a column that is no field is refused, or the column left out."
    )
    nulls: list[Annotated[str, StringConstraints(max_length=40)]] = Key(
        [], description="Words that mean an empty cell, such as NULL or n/a, besides the empty cell itself."
    )
    numbers: Annotated[str, AfterValidator(_notation)] | None = Key(
        None,
        description="How files write numbers, as `1.234,56` or `1,234.56`. Left out: as the region of the business "
        "does; without one, as the only way in which a whole column can be read.",
    )
    encoding: Annotated[str, AfterValidator(_encoding)] | None = Key(
        None, description="The encoding of CSV files, such as `cp1252`. Left out: UTF-8."
    )
    dates: list[Annotated[str, StringConstraints(min_length=2, max_length=40)]] = Key(
        [], description="Formats of dates and moments in files, as in Python's strptime: `%m/%d/%Y`. ISO always works."
    )
