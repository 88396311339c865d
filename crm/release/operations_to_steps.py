"""Turns the operations of Django's MigrationAutodetector into plan steps.

Each step is a sentence, a risk, and safe replacement operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.db import migrations, models
from django.db.migrations.operations.base import Operation

from crm.blueprint.nodes import Field
from crm.blueprint.problems import Place
from crm.fields.base import Reading
from crm.fields.comparison import is_key_name, source_name
from crm.records.soft_delete import DELETED_AT, DELETED_IN
from crm.release import data_migrations
from crm.release.alter_field import alter, alter_versions, unseen
from crm.release.comparison_keys import add_key, describe_doubles, in_order, refill_key, refuse_doubles, remove_key
from crm.release.computed_columns import add_computed
from crm.release.plan_context import VERSIONS, PlanContext, record_of
from crm.release.steps import (
    BACKFILL,
    LOSES,
    REFUSED,
    SAFE,
    Step,
    data_migration,
    describe_backfill,
    format_value,
    pluralize,
)

Key = tuple[str, str, str]


def build_steps(operations: list[Operation], context: PlanContext) -> list[Step]:
    """Return the steps that the detector's operations amount to; those on version tables go with their records'."""
    dying = {one.name_lower for one in operations if isinstance(one, migrations.DeleteModel)}
    steps: dict[Key, Step] = {}
    parts: list[Operation] = []
    for one in operations:
        if _is_version(one) or (isinstance(one, migrations.RemoveField) and one.model_name_lower in dying):
            parts.append(one)
        else:
            steps[_key(one)] = HANDLERS.get(type(one), _plain)(one, context)
    for one in unseen(operations, context):
        step = alter(one, context)
        if step.risk != SAFE:
            steps[_key(one)] = step
            version = f"{VERSIONS}{one.model_name}"
            column = context.wanted_column(version, one.name)
            parts += [migrations.AlterField(version, one.name, column)] if column else []
    for one in parts:
        _add_part(_owner(one, steps), one, context, dying)
    return in_order([*steps.values(), *_refills(steps, context)])


def _refills(steps: dict[Key, Step], context: PlanContext) -> Iterator[Step]:
    """Yield the steps that compute comparison forms again where values are converted or filled."""
    for (kind, model, name), step in steps.items():
        if kind == "AlterField" and any(isinstance(one, migrations.RunPython) for one in step.operations):
            refill = refill_key(model, name, context) if not is_key_name(name) else None
            if refill is not None:
                yield refill


def _key(one: Operation) -> Key:
    if not hasattr(one, "model_name"):
        return type(one).__name__, one.name.lower(), ""
    named = getattr(one, "constraint", None) or getattr(one, "index", None) or one
    return type(one).__name__, one.model_name.lower(), named.name


def _is_version(one: Operation) -> bool:
    return _key(one)[1].startswith(VERSIONS.lower())


def _owner(one: Operation, steps: dict[Key, Step]) -> Step:
    """Return the step that an operation on a version table, or on a table that goes, is a part of."""
    kind, model, part = _key(one)
    record, _, column = record_of(model).partition("_")
    own = [(kind, record, part), *((name, record, column) for name in ("AddField", "RemoveField", "AlterField"))]
    for key in (*own, ("CreateModel", record, ""), ("DeleteModel", record, "")):
        if key in steps:
            return steps[key]
    return steps.setdefault(_key(one), Step(f"history: {one.describe()}", SAFE))


def _add_part(step: Step, one: Operation, context: PlanContext, dying: set[str]) -> None:
    if isinstance(one, migrations.DeleteModel):
        step.pre_operations.insert(
            0, data_migration(data_migrations.archive_table, context.label, model=one.name, release=context.release)
        )
        step.pre_operations.append(one)
    elif isinstance(one, migrations.RemoveField):
        step.pre_operations += [one] if one.model_name_lower in dying else _removal(one, context)
    elif isinstance(one, migrations.AlterField):
        step.history_operations += alter_versions(one, context)
    elif isinstance(one, migrations.AddField):
        step.history_operations += _addition(one, context.leaf(one.model_name, one.name))
    else:
        step.history_operations.append(one)


def _plain(one: Operation, context: PlanContext) -> Step:
    return Step(one.describe(), SAFE, operations=[one])


def _note_options(one: migrations.AlterModelOptions, context: PlanContext) -> Step:
    entity = context.entity(context.new_business, one.name)
    return Step(f"note the permissions of {entity.name}" if entity else one.describe(), SAFE, operations=[one])


def _create(one: migrations.CreateModel, context: PlanContext) -> Step:
    entity = context.entity(context.new_business, one.name)
    if entity is None:
        return _plain(one, context)
    text = f"add the entity {entity.name} with {pluralize(len(entity.leaves), 'field')}, and its history"
    return Step(text, SAFE, Place(entity.document.file), operations=[one])


def _delete(one: migrations.DeleteModel, context: PlanContext) -> Step:
    records, versions = context.count(one.name), context.count(f"{VERSIONS}{one.name}")
    entity = context.entity(context.old_business, context.renames.model(one.name))
    name = entity.name if entity else one.name
    what = f"{pluralize(records)} and {pluralize(versions, 'version')} in the history are archived, then deleted"
    hint = [f"If it was only renamed, write 'was: {name}' in the new file."]
    lost = bool(records or versions)
    archive = data_migration(data_migrations.archive_table, context.label, model=one.name, release=context.release)
    free = [migrations.RemoveConstraint(one.name, constraint.name) for constraint in context.constraints(one.name)]
    text = f"remove the entity {name}" + (f": {what}" if lost else "")
    return Step(text, LOSES if lost else SAFE, None, hint if lost else [], [archive, *free], [one])


def _add(one: migrations.AddField, context: PlanContext) -> Step:
    leaf = context.leaf(one.model_name, one.name)
    if is_key_name(one.name):
        return add_key(one, context)
    if leaf is None:
        return _for_trash(one, context) if one.name == DELETED_AT else _plain(one, context)
    rows, place = context.count(one.model_name), leaf.place(key=True)
    if leaf.computed is not None:
        return add_computed(one, leaf, rows)
    text = f"add the field {leaf} ({leaf.type.name})"
    if leaf.type.sets_on_save:
        fill = data_migration(
            data_migrations.fill_rows, context.label, model=one.model_name, **context.field_migration_kwargs(leaf)
        )
        notes = [describe_backfill(rows, "a value, as new ones do")] if rows else []
        return Step(text, BACKFILL if rows else SAFE, place, notes, operations=[one, fill])
    given = _given(one, leaf)
    if given is not None:
        notes = [describe_backfill(rows, format_value(given))] if rows and given != "" else []
        return Step(text, BACKFILL if notes else SAFE, place, notes, operations=_addition(one, leaf))
    column = one.field
    versions = 0 if rows else context.count(f"{VERSIONS}{one.model_name}")
    if column.many_to_many or column.null or column.has_db_default() or not (rows or versions):
        return Step(text, SAFE, place, operations=_addition(one, leaf))
    who = pluralize(rows) if rows else f"{pluralize(versions, 'version')} in the history"
    note = f"{who} would have no value. Give it a 'backfill:' or a 'default:', or leave 'required' out."
    return Step(text, REFUSED, place, [note], operations=[one])


def _for_trash(one: migrations.AddField, context: PlanContext) -> Step:
    return Step(f"let deleted records of {_named(one, context)} be restored", SAFE, operations=[one])


def _without_trash(one: migrations.RemoveField, context: PlanContext) -> Step:
    """Return the step of a trash that is removed: what lies there would come back to life."""
    held, text = context.filled(one.model_name, one.name), f"remove the trash of {_named(one, context)}"
    empty = data_migration(data_migrations.empty_trash, context.label, names=_losing_trash(context))
    if not held:
        return Step(text, SAFE, operations=[empty, one])
    archive = data_migration(
        data_migrations.archive_trash, context.label, model=one.model_name, release=context.release
    )
    notes = ["What is still wanted must be restored before, on the page of the trash."]
    text += f": what is in it ({pluralize(held)}) is archived, then deleted"
    return Step(text, LOSES, None, notes, [archive], [empty, one])


def _losing_trash(context: PlanContext) -> list[str]:
    """Return the models whose trash is removed, by their names after the plan."""
    found = []
    for label, model in context.to_state.models:
        former = (label, context.renames.model(model))
        before = context.from_state.models.get(former) if label == context.label else None
        if before is not None and record_of(model) == model and DELETED_AT in before.fields:
            found += [model] if context.wanted_column(model, DELETED_AT) is None else []
    return sorted(found)


def _named(one: Any, context: PlanContext) -> str:
    entity = context.entity(context.new_business, one.model_name)
    return entity.name if entity else one.model_name


def _given(one: migrations.AddField, leaf: Field) -> Any:
    """Return what existing records get in a new column, or None for nothing."""
    backfill = getattr(leaf.options, "backfill", None)
    if backfill is not None:
        return backfill
    default = leaf.type.default(leaf)
    if default is models.NOT_PROVIDED:
        return None
    return default if not callable(default) else None if one.field.null else leaf.options.default


def _addition(one: migrations.AddField, leaf: Field | None) -> list[Operation]:
    """Return what adds a column so that existing rows get its backfill; a moment such as today is not for them."""
    if leaf is None or leaf.type.sets_on_save or leaf.computed is not None or one.field.many_to_many:
        return [one]
    column, start = one.field, one.field.clone()
    backfill = getattr(leaf.options, "backfill", None)
    if backfill is not None:
        start.default = column.get_prep_value(leaf.type.parse(backfill, leaf, Reading()))
    elif column.null and callable(column.default):
        start.default = models.NOT_PROVIDED
    else:
        return [one]
    start.db_default = models.NOT_PROVIDED
    return [
        migrations.AddField(one.model_name, one.name, start),
        migrations.AlterField(one.model_name, one.name, column),
    ]


def _remove(one: migrations.RemoveField, context: PlanContext) -> Step:
    if is_key_name(one.name):
        return remove_key(one, context)
    if one.name == DELETED_AT and context.leaf_before(one.model_name, one.name) is None:
        return _without_trash(one, context)
    if one.name == DELETED_IN and context.leaf_before(one.model_name, one.name) is None:
        return Step(f"forget what of {_named(one, context)} was deleted together", SAFE, operations=[one])
    values, versions = (context.filled(model, one.name) for model in (one.model_name, f"{VERSIONS}{one.model_name}"))
    entity = context.entity(context.new_business, one.model_name)
    text = f"remove the field {entity.name if entity else one.model_name}.{one.name}"
    if not values and not versions:
        return Step(text, SAFE, operations=_removal(one, context))
    text += f": {pluralize(values, 'value')} and {versions:,} in the history are archived, then deleted"
    notes = [f"If it was only renamed, write 'was: {one.name}' at the new field."]
    return Step(text, LOSES, None, notes, operations=_removal(one, context))


def _removal(one: migrations.RemoveField, context: PlanContext) -> list[Operation]:
    names = {"model": one.model_name, "column": one.name, "release": context.release}
    return [data_migration(data_migrations.archive_column, context.label, **names), one]


def _constraint(one: migrations.AddConstraint, context: PlanContext) -> Step:
    names = [source_name(name) for name in getattr(one.constraint, "fields", ())]
    entity = context.entity(context.new_business, one.model_name)
    text = f"keep {' + '.join(names)} of {entity.name if entity else one.model_name} from occurring twice"
    text += " outside the trash" if one.constraint.condition else ""
    leaves = [entity.find(name) for name in names] if entity else []
    trouble = describe_doubles(context, one.model_name, leaves) if leaves and None not in leaves else []
    columns = list(getattr(one.constraint, "fields", ()))
    check = [refuse_doubles(context, one.model_name, columns)] if any(map(is_key_name, columns)) else []
    return Step(text, REFUSED if trouble else SAFE, None, trouble, operations=[*check, one])


def _drop(one: migrations.RemoveConstraint, context: PlanContext) -> Step:
    entity = context.entity(context.new_business, one.model_name)
    names = next((each.fields for each in context.constraints(one.model_name) if each.name == one.name), [one.name])
    names = [source_name(name) for name in names]
    owner = entity.name if entity else one.model_name
    text = f"let {' + '.join(names)} of {owner} occur twice"
    if tuple(names) in context.unique_groups(one.model_name):
        text = f"tell {' + '.join(names)} of {owner} apart in another way"
    return Step(text, SAFE, pre_operations=[one])


HANDLERS: dict[type[Operation], Callable[[Any, PlanContext], Step]] = {
    migrations.CreateModel: _create,
    migrations.DeleteModel: _delete,
    migrations.AddField: _add,
    migrations.RemoveField: _remove,
    migrations.AlterField: alter,
    migrations.AddConstraint: _constraint,
    migrations.RemoveConstraint: _drop,
    migrations.AlterModelOptions: _note_options,
}
