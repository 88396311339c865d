"""The schema of the key `transfer:`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field as Key
from pydantic import StringConstraints

from crm.blueprint.sections import Name, Section

Header = Annotated[str, StringConstraints(min_length=1, max_length=200)]


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
    dates: list[Annotated[str, StringConstraints(min_length=2, max_length=40)]] = Key(
        [], description="Formats of dates and moments in files, as in Python's strptime: `%m/%d/%Y`. ISO always works."
    )
