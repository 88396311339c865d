"""The field types: what each is for, its options, and what its values are everywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from crm.blueprint.nodes import Field
from crm.fields.base import FieldType
from crm.fields.choices import Choice
from crm.fields.options import Keyed
from crm.fields.reading import Reading
from crm.records.record import RECORD_FIELDS
from crm.release.data_migrations import convert_value
from crm.release.reference.samples import sample
from crm.release.reference.tables import flow, row, table
from crm.wiring import FIELD_TYPES


def fields_part() -> Iterator[str]:
    yield from ["## Fields", "", "A field is its type, `email: email`, or a map of `type` and options:"]
    yield from ["`email: {type: email, required: true}`.", "", "| Type | What it is for | Filter | Sorts | Searched |"]
    yield "|---|---|---|---|---|"
    for kind in FIELD_TYPES:
        filters, searched = _looks(sample(kind))
        sorts = "yes" if kind.sortable else ""
        yield row(f"[`{kind.name}`](#{kind.name})", kind.summary, filters, sorts, "yes" if searched else "")
    yield from ["", "Every record also has " + " and ".join(f"`{name}`" for name in RECORD_FIELDS) + ": moments that"]
    yield from ["the engine keeps, and that may stand in `columns`, `filters` and `order`.", ""]
    yield from ["### Options that most fields share", "", *table(Keyed)]
    for kind in FIELD_TYPES:
        yield from _type(kind)
    yield from _conversions()


def _conversions() -> Iterator[str]:
    """Yield which types a field may become, tried with the examples of its own."""
    yield from ["### Which types convert", "", "Where a field gets another type, every value is written as an export"]
    yield from [
        "writes it, and read as an import reads it. `plan` tries them all, and names those that do not fit.",
        "",
    ]
    yield from ["| Type | Becomes | Becomes, where its values fit |", "|---|---|---|"]
    kinds = [kind for kind in FIELD_TYPES if converts(kind)]
    tries = {kind: {other: taken_examples(kind, other) for other in kinds if other is not kind} for kind in kinds}
    takes_all = {kind for kind in kinds if all(all(taken[kind]) for other, taken in tries.items() if other is not kind)}
    for kind, taken in tries.items():
        whole = [f"`{other.name}`" for other, each in taken.items() if all(each)]
        partly = [f"`{other.name}`" for other, each in taken.items() if any(each) and not all(each)]
        rest = "every other" if kind in takes_all else ", ".join(partly)  # It may hold what any other type writes.
        yield row(f"`{kind.name}`", ", ".join(whole), rest)
    rest = ", ".join(f"`{kind.name}`" for kind in FIELD_TYPES if kind not in kinds)
    yield from ["", f"No value becomes another in {rest}: an export and an import take them over.", ""]


def converts(kind: FieldType) -> bool:
    """Say whether the values of a type stand in one column, and are no records, uploads or rows."""
    field = sample(kind)
    return kind.stored and not kind.many and not kind.uploads and kind.reference(field) is None


def taken_examples(kind: FieldType, other: FieldType) -> list[bool]:
    """Return for each example of a type whether another one takes it."""
    old, new = sample(kind), sample(other)
    return [_is_taken(kind.parse(raw, old, Reading()), old, new) for raw in kind.examples]


def _is_taken(value: Any, old: Field, new: Field) -> bool:
    try:
        convert_value(value, old, new)
    except ValueError:
        return False
    return True


def _type(kind: FieldType) -> Iterator[str]:
    field = sample(kind)
    shared, own = _options(kind)
    yield from [f"### {kind.name}", "", kind.summary, ""]
    if own:
        yield from table(kind.Options, own)
    if shared:
        link = "[as most fields](#options-that-most-fields-share)"
        yield from [f"{'Also' if own else 'Options'}, {link}: {', '.join(f'`{key}`' for key in shared)}.", ""]
    yield f"- In the database: {_column(field)}."
    notation = "; files of text write its numbers as the region does, or as `numbers` of `transfer` says"
    yield f"- In files: {_in_files(field)}{notation if kind.writes_numbers else ''}."
    yield f"- In forms: `{kind.input}`." if not field.parts else "- In forms: an input for each part."
    yield f"- In lists: {_in_lists(field)}."
    yield from ["", "```yaml fields", _written(kind), "```", ""]
    if "Choice" in kind.Options.model_json_schema().get("$defs", {}):
        yield from ["#### A choice", "", "What may stand behind a key instead of a label.", "", *table(Choice)]


def _options(kind: FieldType) -> tuple[list[str], set[str]]:
    """Return the options that a type has as all others do, and those of its own."""
    common = Keyed.model_json_schema()["properties"]
    schema = kind.Options.model_json_schema()["properties"]
    shared = [key for key, schema_of_key in schema.items() if schema_of_key == common.get(key)]
    return shared, set(schema) - set(shared)


def _column(field: Field) -> str:
    if field.parts:
        names = ", ".join(f"`{name}`" for name in field.parts)
        return f"a column for each part, {names} for a field called `example`"
    column = field.type.column(field)
    return f"`{column.deconstruct()[1].rsplit('.', 1)[-1]}`" if column is not None else "nothing of its own"


def _in_files(field: Field) -> str:
    kind = field.type
    reference = kind.reference(field)
    if field.parts:
        return "a column for each part, named as in the database"
    if not kind.stored:
        return "nothing; the rows have files of their own"
    if reference is None:
        return ", ".join(f"`{_cell(example)}`" for example in kind.examples) or "text, as an export writes it"
    named = "the `match_on` fields of the target, joined by `|`; its `id` where it has none"
    text = named if reference.entity else f"the {reference.key}"
    return f"{text}; several are separated by `;`, and are a list in JSON" if reference.many else text


def _cell(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).strip('"') if not isinstance(value, str) else value.replace("\n", "↵")


def _in_lists(field: Field) -> str:
    kind = field.type
    if not kind.listable:
        return "no column"
    filters, searched = _looks(field)
    facts = ["a column", f"filter: {filters}" if filters else "no filter"]
    facts += ["sorts" if kind.sortable else "does not sort", "searched" if searched else "not searched"]
    return ", ".join(facts)


def _looks(field: Field) -> tuple[str, bool]:
    """Return the kinds of filter that a field's values have, and whether the search looks there."""
    filters = sorted({leaf.type.filter for leaf in field.leaves if leaf.type.filter})
    return " and ".join(filters), any(leaf.type.searchable for leaf in field.leaves)


def _written(kind: FieldType) -> str:
    raw = {"type": kind.name, **kind.example_options}
    value = kind.name if len(raw) == 1 else raw
    return flow({"example": value})[1:-1]
