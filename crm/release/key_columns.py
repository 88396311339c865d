"""Columns with the comparison form of a field: they are filled when they come, and doubles that show up are named.

A field that becomes unique, or a release that begins to compare in another form, must not fail halfway in the database:
the records that would be doubles are counted and named by the plan, and `apply` refuses.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import DatabaseError, connection, migrations, models, transaction
from django.db.migrations.operations.base import Operation

from crm.blueprint.nodes import Field
from crm.fields.comparison import fold_text, is_key_name, key_name, source_name
from crm.fields.reading import Reading
from crm.records.identity import comparison_key, key_columns
from crm.records.soft_delete import DELETED_AT
from crm.release import data_migrations
from crm.release.plan_context import PlanContext
from crm.release.steps import REFUSED, SAFE, Step, data_migration, pluralize

logger = logging.getLogger(__name__)

EXAMPLES = 10
NAMED = 5


def add_key(operation: migrations.AddField, context: PlanContext) -> Step:
    """Return the step of a new twin column: it is added, filled, and only then unique."""
    leaf = context.leaf(operation.model_name, source_name(operation.name))
    if leaf is None:
        return Step(operation.describe(), SAFE, operations=[operation])
    unique = operation.field.unique
    text = f"compare {leaf} in one form, whatever its capitals and spaces"
    text += ", and keep it from occurring twice" if unique else ""
    loose = operation.field.clone()
    loose._unique, loose.db_index = False, False
    names = {"model": operation.model_name, "column": operation.name}
    fill = data_migration(data_migrations.fill_keys, context.label, **names, **context.field_migration_kwargs(leaf))
    operations: list[Operation] = [migrations.AddField(operation.model_name, operation.name, loose), fill]
    if unique:
        operations.append(refuse_doubles(context, operation.model_name, [operation.name]))
    if unique or operation.field.db_index:
        operations.append(migrations.AlterField(operation.model_name, operation.name, operation.field))
    trouble = describe_doubles(context, operation.model_name, [leaf]) if unique else []
    rows = context.count(operation.model_name)
    notes = trouble or ([f"computed for {pluralize(rows)}"] if rows else [])
    return Step(text, REFUSED if trouble else SAFE, leaf.place(key=True), notes, operations=operations)


def alter_key(operation: migrations.AlterField, context: PlanContext) -> Step:
    """Return the step of a twin column that becomes unique, or is so no longer."""
    leaf = context.leaf(operation.model_name, source_name(operation.name))
    unique = operation.field.unique
    text = f"{'keep' if unique else 'let'} {leaf or operation.name} {'from occurring' if unique else 'occur'} twice"
    trouble = describe_doubles(context, operation.model_name, [leaf]) if unique and leaf else []
    place = leaf.place(key=True) if leaf else None
    check = [refuse_doubles(context, operation.model_name, [operation.name])] if unique else []
    return Step(text, REFUSED if trouble else SAFE, place, trouble, operations=[*check, operation])


def refill_key(model: str, name: str, context: PlanContext) -> Step | None:
    """Return the step of a twin column that is there already, and whose source gets other values; else None."""
    leaf, twin = context.leaf(model, name), key_name(name)
    column = context.wanted_column(model, twin)
    state = context.from_state.models.get((context.label, context.renames.model(model)))
    if leaf is None or column is None or state is None or context.renames.column(model, twin) not in state.fields:
        return None
    kept = context.kept_constraints(model, twin)
    loose = column.clone()
    loose._unique, loose.db_index = False, False
    checked = [[twin]] if column.unique else [list(each.fields) for each in kept]
    groups = [[context.leaf(model, source_name(one)) for one in columns] for columns in checked]
    trouble = [line for group in groups if None not in group for line in describe_doubles(context, model, group)]
    operations = [
        migrations.AlterField(model, twin, loose),
        data_migration(
            data_migrations.fill_keys, context.label, model=model, column=twin, **context.field_migration_kwargs(leaf)
        ),
        *(refuse_doubles(context, model, columns) for columns in checked),
        migrations.AlterField(model, twin, column),
        *(migrations.AddConstraint(model, constraint) for constraint in kept),
    ]
    away: list[Operation] = [migrations.RemoveConstraint(model, constraint.name) for constraint in kept]
    text = f"compare the new values of {leaf}"
    return Step(text, REFUSED if trouble else SAFE, leaf.place(key=True), trouble, away, operations)


def refuse_doubles(context: PlanContext, model: str, columns: list[str]) -> Operation:
    """Return what stops a migration by name, before the database does, on a database that the plan could not see."""
    return data_migration(data_migrations.refuse_doubles, context.label, model=model, columns=columns)


def remove_key(operation: migrations.RemoveField, context: PlanContext) -> Step:
    """Return the step of a twin column that goes: it holds nothing of its own."""
    entity = context.entity(context.new_business, operation.model_name)
    name = f"{entity.name if entity else operation.model_name}.{source_name(operation.name)}"
    return Step(f"compare {name} no longer", SAFE, operations=[operation])


def in_order(steps: list[Step]) -> list[Step]:
    """Return steps with those of twin columns behind all that may change their sources, and constraints last."""
    return sorted(steps, key=_rank)


def _rank(step: Step) -> int:
    own = [*step.pre_operations, *step.operations]
    if any(is_key_name(getattr(operation, "name", "")) for operation in own if isinstance(operation, KEY_OPERATIONS)):
        return 1
    if any(isinstance(operation, migrations.AddConstraint) for operation in step.operations):
        last = (migrations.AddConstraint, migrations.RunPython)
        return 2 if all(isinstance(operation, last) for operation in own) else 0
    return 0


KEY_OPERATIONS = (migrations.AddField, migrations.AlterField)


def describe_doubles(context: PlanContext, model: str, leaves: list[Field]) -> list[str]:
    """Say how many records have the same values in these fields, and name the first of them."""
    groups: dict[tuple, list[tuple[Any, str]]] = {}
    first: dict[tuple, tuple[Any, str]] = {}
    for pk, shown, keys in _keys_of_rows(context, model, leaves):
        if None in keys:
            continue
        if keys in first:
            groups.setdefault(keys, [first[keys]]).append((pk, shown))
        else:
            first[keys] = (pk, shown)
    if not groups:
        return []
    count = sum(len(records) for records in groups.values())
    names = " + ".join(leaf.name for leaf in leaves)
    lines = [f"{pluralize(count)} would be doubles in {names}; make them differ, or bring them together:"]
    for records in list(groups.values())[:EXAMPLES]:
        titles = record_titles(context, model, [pk for pk, _ in records[:NAMED]])
        told = [f"{shown} ({titles[pk]})" for pk, shown in records[:NAMED]]
        lines.append("  " + " = ".join(told) + (" …" if len(records) > NAMED else ""))
    if len(groups) > EXAMPLES:
        lines.append(f"  … and {pluralize(len(groups) - EXAMPLES, 'value')} more")
    return lines


def _keys_of_rows(context: PlanContext, model: str, leaves: list[Field]) -> Iterator[tuple[Any, str, tuple]]:
    """Yield the primary key, the values as they are shown, and their comparison forms, of each live record."""
    rows = context.rows(model)
    if rows is None:
        return
    known = {column.name: column for column in rows.model._meta.concrete_fields}
    if DELETED_AT in known:
        rows = rows.filter(**{f"{DELETED_AT}__isnull": True})
    names = [context.renames.column(model, leaf.name) for leaf in leaves]
    if any(leaf.computed is not None and name not in known for leaf, name in zip(leaves, names, strict=True)):
        return  # its values are not there before the release computes them; the database still refuses doubles
    columns = [known[name].attname if name in known else None for name in names]
    given = [_given(leaf) if column is None else None for leaf, column in zip(leaves, columns, strict=True)]
    former = [context.leaf_before(model, leaf.name) for leaf in leaves]
    there = [column for column in columns if column is not None]
    for batch in data_migrations.chunks(rows, *there):
        for pk, *row_values in batch:
            stored = iter(row_values)
            values = [next(stored) if column else start for column, start in zip(columns, given, strict=True)]
            values = [_converted(*one) for one in zip(values, former, leaves, columns, strict=True)]
            keys = tuple(comparison_key(leaf, value) for leaf, value in zip(leaves, values, strict=True))
            yield pk, " + ".join(repr(value) if isinstance(value, str) else str(value) for value in values), keys


def _given(leaf: Field) -> Any:
    """Return what existing records will have in a new column; None where each gets its own, or nothing."""
    if leaf.type.sets_on_save:
        return None
    backfill = getattr(leaf.options, "backfill", None)
    if backfill is not None:
        return leaf.type.parse(backfill, leaf, Reading())
    default = leaf.type.default(leaf)
    return None if default is models.NOT_PROVIDED or callable(default) else default


def _converted(value: Any, old: Field | None, new: Field, column: str | None) -> Any:
    """Return a value as it will be; what cannot be converted is told by the step that converts it."""
    if column is None or old is None or old.type is new.type or new.type.reference(new) is not None:
        return value
    try:
        return data_migrations.convert_value(value, old, new)
    except ValueError:
        return None


def record_titles(context: PlanContext, model: str, keys: list[Any]) -> dict[Any, str]:
    """Return what records are called, with their keys; only the keys where their titles cannot be read yet."""
    titles = {key: f"id {key}" for key in keys}
    entity = context.entity(context.old_business, context.renames.model(model))
    try:
        live = apps.get_model(context.label, entity.class_name) if entity else None
        with transaction.atomic():
            rows = live._base_manager.filter(pk__in=keys) if live else ()
            rows = rows.defer(*(column.name for column in key_columns(live))) if live else ()
            return titles | {record.pk: f"{record}, id {record.pk}" for record in rows}
    except (LookupError, DatabaseError) as error:
        logger.info("The titles of %s cannot be read yet: %s", model, error)
        return titles


def describe_tags(pending: list[str]) -> list[str]:
    """Say which tags a waiting migration of the engine makes one, each as it was first written."""
    if TAG_MIGRATION not in pending or "crm_tag" not in connection.introspection.table_names():
        return []
    groups: dict[tuple[str, str], list[str]] = {}
    for scope, name in apps.get_model("crm", "Tag").objects.order_by("pk").values_list("scope", "name"):
        groups.setdefault((scope, fold_text(name)), []).append(name)
    doubles = {key: names for key, names in groups.items() if len(names) > 1}
    lines = [
        f"~ {len(names)} tags of {scope} become {names[0]!r}: {', '.join(map(repr, names))}"
        for (scope, _), names in doubles.items()
    ]
    return lines[:EXAMPLES] + ([f"… and {len(lines) - EXAMPLES:,} more"] if lines[EXAMPLES:] else [])


TAG_MIGRATION = "crm.0004_tag_key"
