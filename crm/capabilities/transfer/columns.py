"""Which column of a file is which field."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _

from crm.blueprint.nodes import Entity, Field
from crm.blueprint.problems import did_you_mean
from crm.records import access

ID = "id"


@dataclass
class Column:
    """A column to be read: its heading, its field (None for `id`), and where its cells stand in a row.

    Several positions make a combined column, written by `parts`: text, and positions in the row.
    """

    heading: str
    field: Field | None
    position: int = -1
    parts: tuple[str | int, ...] = ()


def file_fields(entity: Entity) -> list[Field]:
    """Return the fields that files hold, in the order of the file: those that the viewer may see."""
    return [leaf for leaf in entity.leaves if leaf.has_value and access.viewer_can_view_field(leaf)]


def known_headings(entity: Entity) -> dict[str, Field | None]:
    """Return what a heading may be, in small letters → its field; names first, then labels, then the file's own."""
    section = entity.sections["transfer"]
    known: dict[str, Field | None] = {ID: None}
    readable = [*file_fields(entity), entity.record_fields["created"]]
    for leaf in readable:
        known[leaf.name] = leaf
    for leaf in readable:
        label = f"{leaf.whole.label} {leaf.label}" if leaf.whole else leaf.label
        for text in (label, label.replace(" ", "_"), leaf.full_label):
            known.setdefault(text.lower(), leaf)
    for heading, name in section.columns.items():
        leaf = entity.find(name)
        if leaf in readable:
            known[heading.lower()] = leaf
    return known


def map_columns(entity: Entity, headings: list[str]) -> tuple[list[Column], list[str]]:
    """Return the columns to read, and what is wrong with the headings."""
    section = entity.sections["transfer"]
    known, complaints, columns = known_headings(entity), [], []
    taken: dict[str, str] = {}
    ignored = {heading.lower() for heading in section.ignore}
    combined = _combined(entity, headings, complaints)
    used = {headings[part] for column in combined for part in column.parts if isinstance(part, int)}
    for position, heading in enumerate(headings):
        if heading.lower() in ignored or (heading in used and heading.lower() not in known):
            continue
        if not heading:
            complaints.append(_("Column %(number)s has no name.") % {"number": position + 1})
        elif heading.lower() not in known:
            if section.unknown_columns == "refuse":
                words = {"column": repr(heading), "record": entity.label.lower()}
                hint = did_you_mean(heading, _suggestions(entity))
                text = _("The column %(column)s is no field of %(record)s.") % words
                complaints.append(f"{text} {hint}".strip())
        elif (field := known[heading.lower()]) is None or field.computed is None:
            columns.append(Column(heading, field, position))
    for column in [*combined, *columns]:
        name = column.field.name if column.field else ID
        if name in taken:
            words = {"first": repr(taken[name]), "second": repr(column.heading), "field": repr(name)}
            complaints.append(_("The columns %(first)s and %(second)s are both %(field)s.") % words)
        taken[name] = column.heading
    return [*columns, *combined], complaints


def headings_below(entity: Entity, sheet: Any) -> str:
    """Say which row looks like the headings, where the first one does not: a title stands above them."""
    known = {*known_headings(entity), *map(str.lower, entity.sections["transfer"].ignore)}
    if any(heading.lower() in known for heading in sheet.headings):
        return ""
    for number, row in islice(sheet.rows, 20):
        words = [cell.strip().lower() for cell in row if isinstance(cell, str) and cell.strip()]
        if len(words) > 1 and all(word in known for word in words):
            return _("Row %(row)s looks like the headings: take the rows above it away.") % {"row": number}
    return ""


def _suggestions(entity: Entity) -> list[str]:
    return [*(leaf.name for leaf in file_fields(entity)), *entity.sections["transfer"].columns]


def combined_of(source: str) -> tuple[list[str], list[str]]:
    """Take `{year}-{Month name}` apart: the texts around the headings, and the headings. Raises ValueError."""
    pieces = re.split(r"\{([^{}]+)\}", source)
    texts, headings = pieces[::2], [heading.strip() for heading in pieces[1::2]]
    if not headings or any("{" in text or "}" in text for text in texts):
        raise ValueError(f"{source!r} names its columns in braces, such as '{{year}} {{month}} {{day}}'")
    return texts, headings


def _combined(entity: Entity, headings: list[str], complaints: list[str]) -> list[Column]:
    positions = {heading.lower(): position for position, heading in reversed(list(enumerate(headings)))}
    columns = []
    for name, source in entity.sections["transfer"].combine.items():
        if not access.viewer_can_view_field(entity.find(name)):
            continue
        texts, wanted = combined_of(source)
        missing = [heading for heading in wanted if heading.lower() not in positions]
        if not missing:
            parts = [
                part
                for text, heading in zip(texts[:-1], wanted, strict=True)
                for part in (text, positions[heading.lower()])
            ]
            columns.append(Column(name, entity.find(name), parts=(*parts, texts[-1])))
        elif len(missing) < len(wanted):
            words = {"field": repr(name), "source": repr(source), "column": repr(missing[0])}
            complaints.append(_("%(field)s is made of %(source)s, but the column %(column)s is not there.") % words)
    return columns
