"""Values that may occur once: held against the records that are there, and against one another, for many writes.

They are compared by their comparison forms (`identity.py`), as the database compares them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models

from crm.fields.comparison import source_name
from crm.records.chunks import chunks
from crm.records.identity import compared_groups, set_keys
from crm.records.intended_write import NOTHING, Batch, IntendedWrite, Refusal
from crm.records.soft_delete import not_deleted

Value = tuple[Any, ...]


@dataclass(frozen=True)
class Unsaved:
    """Stands for the key that the target of a link will have; `target` is the `id()` of the record at hand."""

    target: int


def refuse_taken_values(batch: Batch) -> Iterator[Refusal]:
    """Refuse values that belong to another record, or to a write before it."""
    groups = compared_groups(batch.model)
    for write in batch.writes if groups else ():
        set_keys(write.record)
    # Rows of a form are saved one after the other: what one of them holds is free only once another save is done.
    moving = set() if batch.way_in.with_parent else {write.record.pk for write in batch.writes}
    for columns in groups:
        asked = [write for write in batch.writes if _is_asked(write, tuple(map(source_name, columns)))]
        if asked:
            yield from _taken(batch.model, columns, asked, moving & {write.record.pk for write in asked})


def _is_asked(write: IntendedWrite, names: tuple[str, ...]) -> bool:
    if set(names) & write.skipped:
        return False
    computed = (leaf for leaf in map(write.record.definition.find, names) if leaf is not None and leaf.computed)
    return write.appears or bool(set(names) & write.changes) or any(computed)


def _taken(
    model: Any, columns: tuple[str, ...], asked: Sequence[IntendedWrite], moving: Collection[Any]
) -> Iterator[Refusal]:
    names, fields = tuple(map(source_name, columns)), [model._meta.get_field(name) for name in columns]
    writes: dict[Value, list[IntendedWrite]] = {}
    for write in asked:
        value = tuple(_value_of(write.record, column) for column in fields)
        if not any(part in NOTHING for part in value):
            writes.setdefault(hashable(value), []).append(write)
    stored = [value for value in writes if not any(isinstance(part, Unsaved) for part in value)]
    for value, key in _held(model, [column.attname for column in fields], stored):
        if key not in moving:
            yield from (_refusal(write, names) for write in writes[value] if write.record.pk != key)
    for same in writes.values():
        yield from (_refusal(write, names, twin=same[0]) for write in same[1:])


def _value_of(record: Any, column: models.Field) -> Any:
    """Return what the column of a record will hold; of a link to a record that is not saved yet, what stands for it."""
    value = getattr(record, column.attname)
    if value is None and column.is_relation and column.is_cached(record):
        target = column.get_cached_value(record)
        return None if target is None else Unsaved(id(target))
    return value


def _held(model: Any, attributes: list[str], values: list[Value]) -> Iterator[tuple[Value, Any]]:
    """Yield those of the values that records hold, each with the primary key of such a record."""
    wanted = set(values)
    for batch in chunks(values):
        where = {f"{name}__in": {value[index] for value in batch} for index, name in enumerate(attributes)}
        for key, *held in not_deleted(model).filter(**where).values_list("pk", *attributes):
            if hashable(tuple(held)) in wanted:
                yield hashable(tuple(held)), key


def _refusal(write: IntendedWrite, names: tuple[str, ...], twin: IntendedWrite | None = None) -> Refusal:
    error = write.record.unique_error_message(type(write.record), names)
    return Refusal(write, error.messages[0], names[0] if len(names) == 1 else "", taken=names, twin=twin)


def hashable(value: Value) -> Value:
    """Return values as the key of a dict: what cannot be one, as its text."""
    return tuple(str(part) if part.__class__.__hash__ is None else part for part in value)
