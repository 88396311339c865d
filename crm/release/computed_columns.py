"""Columns that become computed, or cease to be: values are recomputed, and what was typed before is archived."""

from __future__ import annotations

from django.db import migrations, models
from django.db.migrations.operations.base import Operation

from crm.blueprint.nodes import Field
from crm.release import data_migrations
from crm.release.plan_context import PlanContext
from crm.release.steps import CONVERTS, LOSES, SAFE, Step, data_migration, pluralize


def add_computed(operation: migrations.AddField, leaf: Field, rows: int) -> Step:
    """Return the step of a new computed column."""
    notes = [f"worked out for {pluralize(rows)}"] if rows else []
    text = f"add the field {leaf} ({leaf.type.name}, computed)"
    return Step(text, SAFE, leaf.place(key=True), notes, operations=[operation])


def compute_column(operation: migrations.AlterField, context: PlanContext, new: Field) -> Step:
    """Return the step of a column whose values are worked out from now on, or in another way than before."""
    old = context.leaf_before(operation.model_name, operation.name)
    rows, place = context.count(operation.model_name), new.place(key=True)
    text = f"work out the field {new} ({new.type.name}) as the definitions say now"
    if old is None or old.computed is None:
        filled = context.filled(operation.model_name, operation.name)
        if filled:
            names = {"model": operation.model_name, "column": operation.name, "release": context.release}
            archive = data_migration(data_migrations.archive_column, context.label, **names)
            notes = [f"{pluralize(filled, 'value')} that were given are archived, then replaced"]
            return Step(text, LOSES, place, notes, [archive], _anew(operation, context))
    notes = [f"worked out for {pluralize(rows)}"] if rows else []
    away, anew = [], _anew(operation, context)
    if isinstance(context.column(operation.model_name, operation.name), models.GeneratedField):
        away, anew = anew[:1], anew[1:]  # it goes before the columns that it reads may go
    return Step(text, CONVERTS if rows else SAFE, place, notes, away, anew)


def _anew(operation: migrations.AlterField, context: PlanContext) -> list[Operation]:
    """Return what changes a column; one that the database generates cannot change, so it goes and comes back."""
    columns = (context.column(operation.model_name, operation.name), operation.field)
    if not any(isinstance(column, models.GeneratedField) for column in columns):
        kinds = {column.get_internal_type() for column in columns}
        return [operation] if len(kinds) == 1 else replaced(operation)
    return replaced(operation)


def replaced(operation: migrations.AlterField) -> list[Operation]:
    """Return what removes a column and adds it anew, empty."""
    return [
        migrations.RemoveField(operation.model_name, operation.name),
        migrations.AddField(operation.model_name, operation.name, operation.field),
    ]
