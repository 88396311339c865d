"""Columns that become computed, or cease to be: values are recomputed, and what was typed before is archived."""

from __future__ import annotations

from django.db import migrations, models
from django.db.migrations.operations.base import Operation

from crm.blueprint.nodes import Field
from crm.release import data_migrations
from crm.release.plan_context import PlanContext
from crm.release.steps import CONVERTS, LOSES, SAFE, Step, data_migration, pluralize


def add_computed(one: migrations.AddField, leaf: Field, rows: int) -> Step:
    """Return the step of a new computed column."""
    notes = [f"worked out for {pluralize(rows)}"] if rows else []
    text = f"add the field {leaf} ({leaf.type.name}, computed)"
    return Step(text, SAFE, leaf.place(key=True), notes, operations=[one])


def compute_column(one: migrations.AlterField, context: PlanContext, new: Field) -> Step:
    """Return the step of a column whose values are worked out from now on, or in another way than before."""
    old = context.leaf_before(one.model_name, one.name)
    rows, place = context.count(one.model_name), new.place(key=True)
    text = f"work out the field {new} ({new.type.name}) as the definitions say now"
    if old is None or old.computed is None:
        filled = context.filled(one.model_name, one.name)
        if filled:
            names = {"model": one.model_name, "column": one.name, "release": context.release}
            archive = data_migration(data_migrations.archive_column, context.label, **names)
            notes = [f"{pluralize(filled, 'value')} that were given are archived, then replaced"]
            return Step(text, LOSES, place, notes, [archive], _anew(one, context))
    notes = [f"worked out for {pluralize(rows)}"] if rows else []
    away, anew = [], _anew(one, context)
    if isinstance(context.column(one.model_name, one.name), models.GeneratedField):
        away, anew = anew[:1], anew[1:]  # it goes before the columns that it reads may go
    return Step(text, CONVERTS if rows else SAFE, place, notes, away, anew)


def _anew(one: migrations.AlterField, context: PlanContext) -> list[Operation]:
    """Return what changes a column; one that the database generates cannot change, so it goes and comes back."""
    columns = (context.column(one.model_name, one.name), one.field)
    if not any(isinstance(column, models.GeneratedField) for column in columns):
        kinds = {column.get_internal_type() for column in columns}
        return [one] if len(kinds) == 1 else replaced(one)
    return replaced(one)


def replaced(one: migrations.AlterField) -> list[Operation]:
    """Return what removes a column and adds it anew, empty."""
    return [migrations.RemoveField(one.model_name, one.name), migrations.AddField(one.model_name, one.name, one.field)]
