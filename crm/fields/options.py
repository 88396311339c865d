"""The options that field types have in common, as Pydantic classes: each type takes one of these, or adds to it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field as Key

from crm.blueprint.sections import Flag, Formula, Name, Section, Text


class Options(Section):
    """The options that every field has."""

    label: Text | None = Key(None, description="What people call the field; made from its name when left out.")
    help: Annotated[str, Key(max_length=400)] | None = Key(None, description="A line of help below the input.")
    was: Name | None = Key(None, description="The field's former name: the data and its history move along.")
    read_only: Flag = Key(False, description="Shown in the form, but not changed there.")


class Required(Options):
    """The options of a field that may be required."""

    required: Flag = Key(False, description="Whether a record can be saved without it.")


class Computable(Options):
    """The options of a field whose value may be worked out."""

    compute: Formula | None = Key(
        None, description="The expression that gives the value: `seats * unit_price - discount`. Nobody types it then."
    )


class Stored(Required, Computable):
    """The options of a field with a value of its own in the database."""

    default: Any = Key(
        None,
        description="What a new record starts with: a plain value and no expression, of a choice its key or its label; "
        "some types know a word as well, such as `today`.",
    )
    backfill: Any = Key(None, description="What existing records get when the field is added or becomes required.")
    index: Flag = Key(False, description="Whether the database keeps an index, for filtering and ordering large lists.")


class Keyed(Stored):
    """The options of a field whose values can be kept apart."""

    unique: Flag = Key(False, description="Whether two records may have the same value.")
