"""How a file writes its numbers, decided for the file and never cell by cell.

`numbers` of `transfer`, or what was chosen for this file, is in force as it is. Else the region of the business is; a
column that can only be read in the other way is read so, but where it also holds what fits both ways, that is refused.
Without a region, a column is read in the one way that all its cells allow, or as the file's other columns are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crm.blueprint.nodes import Entity, Field
from crm.fields.notation import (
    AMBIGUOUS,
    EXACT,
    MIXED,
    SAMPLES,
    UNDECIDED,
    Notation,
    decimal_mark,
    notation_like,
    region_notation,
)


def given_notation(entity: Entity, chosen: str = "") -> Notation | None:
    """Return the notation that was chosen for a file, or that `transfer` names; None where neither does."""
    sample = chosen or entity.sections["transfer"].numbers
    return notation_like(sample) if sample else None


def export_notation(entity: Entity) -> Notation:
    """Return how files of text are written, so that an import reads them back."""
    return given_notation(entity) or region_notation(entity.business) or UNDECIDED


def decide_notations(
    entity: Entity, columns: Iterable[tuple[Field, Iterable[Any]]], *, chosen: str = "", exact: bool = False
) -> dict[str, Notation]:
    """Return the notation of each field that holds numbers, by the cells of its column."""
    columns = [(leaf, cells) for leaf, cells in columns if leaf.type.writes_numbers]
    given = EXACT if exact else given_notation(entity, chosen)
    if given is not None:
        return {leaf.name: given for leaf, _ in columns}
    region = region_notation(entity.business)
    marks = {leaf.name: _marks(leaf, cells) for leaf, cells in columns}
    told = set().union(*marks.values()) - {AMBIGUOUS} if marks else set()
    return {name: _decide(found, told, region) for name, found in marks.items()}


def _marks(leaf: Field, cells: Iterable[Any]) -> set[str]:
    """Return the decimal marks that the texts of a column ask for; AMBIGUOUS is among them where some fit both."""
    texts = {cell for cell in cells if isinstance(cell, str)}
    return {decimal_mark(number) for text in texts for number in leaf.type.number_texts(text)} - {""}


def _decide(marks: set[str], told: set[str], region: Notation | None) -> Notation:
    """Return the notation of a column: `marks` are its own, `told` those that any column of the file asks for."""
    own = marks - {AMBIGUOUS}
    if region is None:
        if len(own) == 2:
            return MIXED
        decided = own or (told if len(told) == 1 else set())
        return _family(next(iter(decided))) if decided else UNDECIDED
    contrary = (own or told) and region.decimal not in (own or told)
    if not contrary:
        return region
    return UNDECIDED if AMBIGUOUS in marks else _family(next(iter(own or told)))


def _family(mark: str) -> Notation:
    return notation_like(SAMPLES[mark])
