"""Columns that become computed, or cease to be: values are recomputed, and what was typed before is archived."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from django.db import migrations, models
from django.db.migrations.operations.base import Operation

from crm.blueprint.expressions.computing import computed_reads
from crm.blueprint.expressions.tree import Aggregate, Literal, Node, Path
from crm.blueprint.expressions.tree import Operation as Operator
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
    text = _text(new)
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


def work_out_on_read(operation: migrations.RemoveField, context: PlanContext, leaf: Field, values: int) -> Step:
    """Return the step of a column that goes, since its field is worked out whenever it is asked for from now on."""
    text = f"work out the field {leaf} ({leaf.type.name}) when it is asked for, and keep it no longer"
    old = context.leaf_before(operation.model_name, operation.name)
    notes = ["Its values in the history are archived."]
    if old is not None and old.computed is not None or not values:
        return Step(text, SAFE, leaf.place(key=True), notes, operations=[operation])
    names = {"model": operation.model_name, "column": operation.name, "release": context.release}
    archive = data_migration(data_migrations.archive_column, context.label, **names)
    notes = [f"{pluralize(values, 'value')} that were given are archived, then deleted"]
    return Step(text, LOSES, leaf.place(key=True), notes, operations=[archive, operation])


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


def _text(leaf: Field) -> str:
    return f"work out the field {leaf} ({leaf.type.name}) as the definitions say now"


def recompute_steps(changed: Collection[tuple[str, str]], context: PlanContext) -> Iterator[Step]:
    """Yield a step for each computed column whose values change though the column itself stays as it is.

    A column that the engine keeps does not hold its expression, so Django's detector sees no difference when that
    changes; nor does it see what follows from a changed field. `changed` are the columns that have a step already, by
    model and name. The steps have no operations: every release works out all values after its migrations.
    """
    verdicts: dict[Field, bool] = {}
    for entity in context.new_business.entities.values():
        for leaf in entity.leaves:
            if leaf.computed is not None:
                _gets_other_values(leaf, context, verdicts)
    for leaf, is_other in verdicts.items():  # Each behind those that it reads.
        model = leaf.entity.class_name
        if is_other and leaf.stored and (model.lower(), leaf.name) not in changed:
            rows = context.count(model)
            notes = [f"worked out for {pluralize(rows)}"] if rows else []
            if rows or not context.counts:
                yield Step(_text(leaf), CONVERTS if rows else SAFE, leaf.place(key=True), notes)


def _gets_other_values(leaf: Field, context: PlanContext, verdicts: dict[Field, bool]) -> bool:
    """Return whether a computed field, or one that it reads, is worked out in another way than before."""
    if leaf not in verdicts:
        old = context.leaf_before(leaf.entity.class_name, leaf.name)
        if old is None or old.computed is None or leaf.computed is None:
            verdicts[leaf] = True
        else:
            is_same = _meaning(leaf.computed.root, _former_name(context)) == _meaning(old.computed.root, str)
            inner = computed_reads(leaf)
            verdicts[leaf] = not is_same or any(_gets_other_values(other, context, verdicts) for other in inner)
    return verdicts[leaf]


def _former_name(context: PlanContext) -> Callable[[Field], str]:
    def name(leaf: Field) -> str:
        return str(context.leaf_before(leaf.entity.class_name, leaf.name) or leaf)

    return name


def _meaning(node: Node, name: Callable[[Field], str]) -> tuple[Any, ...]:
    """Return an expression as plain data without its spaces and places, its fields by the names that `name` gives."""
    facts: tuple[Any, ...] = ()
    if isinstance(node, Path):
        facts = (node.of_user, *map(name, node.steps))
    elif isinstance(node, Literal):
        facts = (repr(node.value),)
    elif isinstance(node, Operator):
        facts = (node.name,)
    elif isinstance(node, Aggregate):
        facts = (node.name, tuple(map(name, node.relation_path)), name(node.link), tuple(map(name, node.value)))
    return type(node).__name__, facts, tuple(_meaning(part, name) for part in node.parts)
