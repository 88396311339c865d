"""Identity: a kept column with the comparison form of each field by which records are told apart.

`unique`, `match_on` and the links of files compare values by their type's comparison form (`fields/comparison.py`),
not by what was typed. A field that folds gets a twin column, `_code_key` beside `code`, which `save()` and bulk writes
fill alike, and which carries the unique constraint: so the database itself keeps doubles out, also when two people save
at once, and SQLite and PostgreSQL agree. A value that is nothing has no key: any number of records may have none.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import models

from crm.blueprint.expressions.computing import GENERATED
from crm.blueprint.nodes import Field
from crm.fields.columns import FactsOnly
from crm.fields.comparison import MAX_KEY, bounded_key, key_name, source_name
from crm.kernel.contributions import Contributions, Kind
from crm.records.chunks import chunks
from crm.records.computed import compute


class KeyColumn(FactsOnly, models.CharField):
    """A column with the comparison form of another; to migrations it is text like any other.

    `source` is the field that it follows; the copies that Django's migrations make know none, and keep what they have.
    """

    source: Field | None = None

    def __init__(self, *args: Any, source: Field | None = None, **kwargs: Any):
        kwargs.setdefault("max_length", MAX_KEY)
        super().__init__(*args, **{"null": True, "blank": True, "editable": False, **kwargs})
        self.source = source

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Follow the source: whoever writes the record, by `save()` or in bulk, writes its key along."""
        if self.source is not None:
            setattr(model_instance, self.attname, key_of_record(model_instance, self.source))
        return super().pre_save(model_instance, add)


class UniqueByKeys(models.UniqueConstraint):
    """Keeps records from having the same values together; to migrations it is a constraint like any other."""

    def deconstruct(self) -> tuple[str, tuple, dict[str, Any]]:
        _, args, kwargs = super().deconstruct()
        return "django.db.models.UniqueConstraint", args, kwargs

    def validate(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: a record names it among its unique checks, as it does with unique columns."""


def comparison_key(leaf: Field, value: Any) -> Any:
    """Return what a value is compared by; None for nothing, which is equal to nothing else."""
    if value is None or value == "":
        return None
    key = leaf.type.comparison_key(value, leaf)
    return bounded_key(key) if isinstance(key, str) else key


def key_of_record(record: models.Model, leaf: Field) -> Any:
    """Return the comparison form of a record's value."""
    value = compute(record, leaf) if leaf.storage == GENERATED else getattr(record, leaf.name)
    return comparison_key(leaf, value)


def needs_key(leaf: Field, in_group: bool = False) -> bool:
    """Return whether a field that tells records apart needs a twin column.

    In a group of several fields one does that keeps nothing as an empty text: to a database those are equal.
    """
    return leaf.type.folds or (in_group and leaf.type.empty(leaf) == "")


def compared_column(model: type[models.Model], name: str) -> str:
    """Return the column by which a field's values are compared: its twin, or the field's own."""
    twin = key_name(name)
    return twin if any(column.name == twin for column in model._meta.concrete_fields) else name


def compared_value(model: type[models.Model], leaf: Field, value: Any) -> Any:
    """Return a value as `compared_column` holds it."""
    if compared_column(model, leaf.name) == leaf.name:
        return None if value == "" else value
    return comparison_key(leaf, value)


def compared_groups(model: type[models.Model]) -> list[tuple[str, ...]]:
    """Return the columns whose values may occur once: alone, or together."""
    alone = [(column.name,) for column in model._meta.concrete_fields if column.unique and not column.primary_key]
    groups = [tuple(one.fields) for one in model._meta.constraints if isinstance(one, models.UniqueConstraint)]
    return list(dict.fromkeys([*alone, *groups]))


def unique_groups(model: type[models.Model]) -> list[tuple[str, ...]]:
    """Return the fields whose values may occur once, by the names of the definitions: alone, or together."""
    return [tuple(map(source_name, names)) for names in compared_groups(model)]


def is_unique(model: type[models.Model], name: str) -> bool:
    """Return whether no two live records may have the same value in a field."""
    return (name,) in unique_groups(model)


def key_columns(model: type[models.Model]) -> list[KeyColumn]:
    """Return the twin columns of a model."""
    return [column for column in model._meta.concrete_fields if isinstance(column, KeyColumn) and column.source]


def set_keys(record: models.Model) -> None:
    """Give a record at hand its keys, as saving will."""
    for column in key_columns(type(record)):
        setattr(record, column.attname, key_of_record(record, column.source))


def keys_for_update(model: type[models.Model], values: dict[str, Any]) -> dict[str, Any]:
    """Return the keys that go along with plain values of an UPDATE; those of expressions, `refresh_keys` finds."""
    twins = {column.source.name: column for column in key_columns(model)}
    return {
        twins[name].name: comparison_key(twins[name].source, value)
        for name, value in values.items()
        if name in twins and not hasattr(value, "resolve_expression")
    }


def follows_expression(model: type[models.Model], values: Collection[str]) -> bool:
    """Return whether a key can only be told from the rows once these columns are updated."""
    sources = [(column.name, column.source) for column in key_columns(model)]
    return any(leaf.storage or (leaf.name in values and name not in values) for name, leaf in sources)


def with_keys(model: type[models.Model], names: Collection[str]) -> list[str]:
    """Return columns that are written with the twins that follow them; those of computed fields always do."""
    twins = [column for column in key_columns(model) if column.source.name in names or column.source.storage]
    return list(dict.fromkeys([*names, *(column.name for column in twins)]))


def refresh_keys(model: type[models.Model], keys: Collection[Any], *, only_computed: bool = False) -> int:
    """Compute the keys of stored records again, write those that differ, and return how many did."""
    twins = [column for column in key_columns(model) if column.source.storage or not only_computed]
    written = 0
    for batch in chunks(sorted(keys)) if twins else ():
        changed = []
        for record in model._base_manager.filter(pk__in=batch):
            before = [getattr(record, column.attname) for column in twins]
            # A generated value stands in the row that was just read; computing it would ask its links again.
            after = [comparison_key(column.source, getattr(record, column.source.name)) for column in twins]
            if before != after:
                for column, key in zip(twins, after, strict=True):
                    setattr(record, column.attname, key)
                changed.append(record)
        model._base_manager.bulk_update(changed, [column.name for column in twins], batch_size=200)
        written += len(changed)
    return written


def plan_key_column(leaf: Field, plan: Contributions, *, unique: bool = False) -> None:
    """Add the twin column of a field to the plan of its model, unless it is planned already."""
    name = key_name(leaf.name)
    if name not in plan.by_kind(Kind.COLUMN):
        column = KeyColumn(leaf.label, source=leaf, unique=unique, db_index=not unique)
        plan.add("column", name, column, leaf.origin, leaf.name)
