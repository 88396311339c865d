"""Values that may occur once: held against the records that are there, and against one another, for many writes.

They are compared by their comparison forms (`identity.py`), as the database compares them. What somebody else saves
between that look and the write, the database alone keeps out; `taken_as_rule_error` says it in the words of the guard.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import IntegrityError, connection, models

from crm.fields.comparison import source_name
from crm.records.chunks import chunks
from crm.records.identity import compared_groups, set_keys
from crm.records.intended_write import NOTHING, Batch, IntendedWrite, Refusal
from crm.records.rules import RuleBroken
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
    moving = set() if batch.way_in.is_row_in_form else {write.record.pk for write in batch.writes}
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


# After writing


UNIQUE_VIOLATION = "23505"
"""How PostgreSQL numbers what breaks a unique constraint (SQLSTATE)."""


class ValueTaken(RuleBroken, IntegrityError):
    """A unique value that somebody else saved after the gate was asked; the message is the gate's.

    It is an IntegrityError too, for code that saves past the gate and expects one.
    """

    def __init__(self, record: models.Model, names: tuple[str, ...]):
        super().__init__(None, record, record.unique_error_message(type(record), names).messages[0])
        self.field = names[0] if len(names) == 1 else ""


@contextmanager
def taken_as_rule_error(records: Iterable[Any] = ()) -> Iterator[None]:
    """Turn the breach of a unique constraint into a ValueTaken of the one of `records` that broke it.

    Stands around the transaction or the savepoint of the write: once that is rolled back, the database can be asked.
    """
    try:
        yield
    except ValueTaken:
        raise
    except IntegrityError as error:
        model, columns = violated_group(error)
        if model is None:
            raise
        raise ValueTaken(_first_taken(model, columns, records), tuple(map(source_name, columns))) from error


def violated_group(error: IntegrityError) -> tuple[Any, tuple[str, ...]]:
    """Return the model and the columns whose unique constraint an error is about; None and nothing if about none."""
    diagnosis = getattr(error.__cause__, "diag", None)
    if diagnosis is None:
        match = re.search(r"UNIQUE constraint failed: (.+)", str(error))
        pairs = [name.strip().partition(".") for name in match[1].split(",")] if match else []
        table, names = (pairs[0][0] if pairs else ""), {name for _table, _dot, name in pairs}
    elif diagnosis.sqlstate == UNIQUE_VIOLATION:
        table, names = diagnosis.table_name, _columns_of(diagnosis.table_name, diagnosis.constraint_name)
    else:
        return None, ()
    for model in (
        model for model in apps.get_models() if model._meta.db_table == table and hasattr(model, "definition")
    ):
        for group in compared_groups(model):
            if {model._meta.get_field(name).column for name in group} == names:
                return model, group
    return None, ()


def _columns_of(table: str, constraint: str) -> set[str]:
    with connection.cursor() as cursor:
        return set(connection.introspection.get_constraints(cursor, table).get(constraint, {}).get("columns", ()))


def _first_taken(model: Any, columns: tuple[str, ...], records: Iterable[Any]) -> Any:
    """Return the first of the records whose values another record holds; if none does any more, the first of all."""
    mine = [record for record in records if type(record) is model]
    fields, by_value = [model._meta.get_field(name) for name in columns], dict[Value, Any]()
    for record in mine:
        set_keys(record)
        by_value.setdefault(hashable(tuple(_value_of(record, column) for column in fields)), record)
    stored = [value for value in by_value if not any(part is None or isinstance(part, Unsaved) for part in value)]
    held = _held(model, [column.attname for column in fields], stored)
    taken = {value for value, key in held if by_value[value].pk != key}  # in no order: the database has its own
    return next((by_value[value] for value in stored if value in taken), mine[0] if mine else model())


def hashable(value: Value) -> Value:
    """Return values as the key of a dict: what cannot be one, as its text."""
    return tuple(str(part) if part.__class__.__hash__ is None else part for part in value)
