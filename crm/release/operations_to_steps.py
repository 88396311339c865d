"""Turns the operations of Django's MigrationAutodetector into plan steps.

Each step is a sentence, a risk, and safe replacement operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.db import migrations, models
from django.db.migrations.operations.base import Operation

from crm.blueprint.names import a_field
from crm.blueprint.nodes import Field
from crm.blueprint.problems import Place, did_you_mean
from crm.fields.comparison import is_key_name, source_name
from crm.fields.reading import Reading
from crm.records.soft_delete import DELETED_AT, DELETED_IN
from crm.release import data_migrations
from crm.release.alter_field import alter, alter_versions, unseen, versions_need_values
from crm.release.computed_columns import add_computed, recompute_steps, work_out_on_read
from crm.release.key_columns import add_key, describe_doubles, in_order, refill_key, refuse_doubles, remove_key
from crm.release.plan_context import VERSIONS, PlanContext, record_of
from crm.release.steps import (
    BACKFILL,
    LOSES,
    REFUSED,
    SAFE,
    Step,
    cure_of_missing_value,
    data_migration,
    describe_backfill,
    format_value,
    pluralize,
)

Key = tuple[str, str, str]


def build_steps(operations: list[Operation], context: PlanContext) -> list[Step]:
    """Return the steps that the detector's operations amount to; those on version tables go with their records'."""
    dying = {operation.name_lower for operation in operations if isinstance(operation, migrations.DeleteModel)}
    steps: dict[Key, Step] = {}
    parts: list[Operation] = []
    for operation in operations:
        if _is_version(operation) or (
            isinstance(operation, migrations.RemoveField) and operation.model_name_lower in dying
        ):
            parts.append(operation)
        else:
            steps[_key(operation)] = HANDLERS.get(type(operation), _plain)(operation, context)
    for operation in unseen(operations, context):
        step = alter(operation, context)
        if step.risk != SAFE:
            steps[_key(operation)] = step
            version = f"{VERSIONS}{operation.model_name}"
            column = context.wanted_column(version, operation.name)
            parts += [migrations.AlterField(version, operation.name, column)] if column else []
    for operation in parts:
        _add_part(_owner(operation, steps), operation, context, dying)
    _refuse_lost_renames(steps, context)
    changed = {(model, name) for kind, model, name in steps if kind in ("AddField", "AlterField")}
    return in_order([*steps.values(), *_refills(steps, context), *recompute_steps(changed, context)])


def _refuse_lost_renames(steps: dict[Key, Step], context: PlanContext) -> None:
    """Refuse what is new with a `was:` that names nothing, where something is removed that it may have meant."""
    for (kind, model, name), step in steps.items():
        if kind == "AddField":
            leaf = context.leaf(model, name)
            is_new = leaf is not None and context.former_field(leaf) is None
            former = leaf.options.was if leaf is not None and is_new else None
            removed = [column for other, owner, column in steps if (other, owner) == ("RemoveField", model)]
            removed = [column for column in removed if context.leaf_before(model, column) is not None]
            place = leaf.place("was") if leaf is not None and former else None
        elif kind == "CreateModel":
            entity = context.entity(context.new_business, model)
            former = entity.section.was if entity is not None else None
            gone = [context.entity(context.old_business, owner) for other, owner, _ in steps if other == "DeleteModel"]
            removed = [entity.name for entity in gone if entity is not None]
            place = entity.place("was") if entity is not None and former else None
        else:
            continue
        if former and removed and former not in removed:
            step.risk, step.place = REFUSED, place
            hint = did_you_mean(former, removed).replace("Known: ", "What is removed: ")
            step.notes = [f"'was: {former}' names nothing that is there. {hint} If it is new, leave 'was' out."]


def _refills(steps: dict[Key, Step], context: PlanContext) -> Iterator[Step]:
    """Yield the steps that compute comparison forms again where values are converted or filled."""
    for (kind, model, name), step in steps.items():
        if kind == "AlterField" and any(isinstance(operation, migrations.RunPython) for operation in step.operations):
            refill = refill_key(model, name, context) if not is_key_name(name) else None
            if refill is not None:
                yield refill


def _key(operation: Operation) -> Key:
    if isinstance(operation, migrations.RenameIndex):
        return type(operation).__name__, operation.model_name_lower, operation.new_name
    if not hasattr(operation, "model_name"):
        return type(operation).__name__, operation.name.lower(), ""
    named = getattr(operation, "constraint", None) or getattr(operation, "index", None) or operation
    return type(operation).__name__, operation.model_name.lower(), named.name


def _is_version(operation: Operation) -> bool:
    return _key(operation)[1].startswith(VERSIONS.lower())


def _owner(operation: Operation, steps: dict[Key, Step]) -> Step:
    """Return the step that an operation on a version table, or on a table that goes, is a part of."""
    kind, model, part = _key(operation)
    record, _, column = record_of(model).partition("_")
    own = [(kind, record, part), *((name, record, column) for name in ("AddField", "RemoveField", "AlterField"))]
    for key in (*own, ("CreateModel", record, ""), ("DeleteModel", record, "")):
        if key in steps:
            return steps[key]
    return steps.setdefault(_key(operation), Step(f"history: {operation.describe()}", SAFE))


def _add_part(step: Step, operation: Operation, context: PlanContext, dying: set[str]) -> None:
    if isinstance(operation, migrations.DeleteModel):
        step.pre_operations.insert(
            0,
            data_migration(data_migrations.archive_table, context.label, model=operation.name, release=context.release),
        )
        step.pre_operations.append(operation)
    elif isinstance(operation, migrations.RemoveField):
        step.pre_operations += [operation] if operation.model_name_lower in dying else _removal(operation, context)
    elif isinstance(operation, migrations.AlterField):
        step.history_operations += alter_versions(operation, context)
    elif isinstance(operation, migrations.AddField):
        step.history_operations += _addition(operation, context.leaf(operation.model_name, operation.name))
    else:
        step.history_operations.append(operation)


def _plain(operation: Operation, context: PlanContext) -> Step:
    return Step(operation.describe(), SAFE, operations=[operation])


def _note_options(operation: migrations.AlterModelOptions, context: PlanContext) -> Step:
    entity = context.entity(context.new_business, operation.name)
    return Step(
        f"note the permissions of {entity.name}" if entity else operation.describe(), SAFE, operations=[operation]
    )


def _create(operation: migrations.CreateModel, context: PlanContext) -> Step:
    entity = context.entity(context.new_business, operation.name)
    if entity is None:
        return _plain(operation, context)
    text = f"add the entity {entity.name} with {pluralize(len(entity.leaves), 'field')}, and its history"
    return Step(text, SAFE, Place(entity.document.file), operations=[operation])


def _delete(operation: migrations.DeleteModel, context: PlanContext) -> Step:
    records, versions = context.count(operation.name), context.count(f"{VERSIONS}{operation.name}")
    entity = context.entity(context.old_business, context.renames.model(operation.name))
    name = entity.name if entity else operation.name
    what = f"{pluralize(records)} and {pluralize(versions, 'version')} in the history are archived, then deleted"
    hint = [f"If it was only renamed, write 'was: {name}' in the new file."]
    lost = bool(records or versions)
    archive = data_migration(
        data_migrations.archive_table, context.label, model=operation.name, release=context.release
    )
    free = [
        migrations.RemoveConstraint(operation.name, constraint.name)
        for constraint in context.constraints(operation.name)
    ]
    text = f"remove the entity {name}" + (f": {what}" if lost else "")
    return Step(text, LOSES if lost else SAFE, None, hint if lost else [], [archive, *free], [operation])


def _add(operation: migrations.AddField, context: PlanContext) -> Step:
    leaf = context.leaf(operation.model_name, operation.name)
    if is_key_name(operation.name):
        return add_key(operation, context)
    if leaf is None:
        return _for_trash(operation, context) if operation.name == DELETED_AT else _plain(operation, context)
    rows, place = context.count(operation.model_name), leaf.place(key=True)
    if leaf.computed is not None:
        return add_computed(operation, leaf, rows)
    text = f"add the field {leaf} ({leaf.type.name})"
    if leaf.type.sets_on_save:
        fill = data_migration(
            data_migrations.fill_rows, context.label, model=operation.model_name, **context.field_migration_kwargs(leaf)
        )
        notes = [describe_backfill(rows, "a value, as new ones do")] if rows else []
        return Step(text, BACKFILL if rows else SAFE, place, notes, operations=[operation, fill])
    given = _given(operation, leaf)
    if given is not None:
        notes = [describe_backfill(rows, format_value(given))] if rows and given != "" else []
        return Step(text, BACKFILL if notes else SAFE, place, notes, operations=_addition(operation, leaf))
    column = operation.field
    counts_versions = not rows and versions_need_values(operation, context)
    versions = context.count(f"{VERSIONS}{operation.model_name}") if counts_versions else 0
    if column.many_to_many or column.null or column.has_db_default() or not (rows or versions):
        return Step(text, SAFE, place, operations=_addition(operation, leaf))
    who = pluralize(rows) if rows else f"{pluralize(versions, 'version')} in the history"
    note = f"{who} would have no value. {cure_of_missing_value(leaf)}"
    return Step(text, REFUSED, place, [note], operations=[operation])


def _for_trash(operation: migrations.AddField, context: PlanContext) -> Step:
    return Step(f"let deleted records of {_named(operation, context)} be restored", SAFE, operations=[operation])


def _without_trash(operation: migrations.RemoveField, context: PlanContext) -> Step:
    """Return the step of a trash that is removed: what lies there would come back to life."""
    held = context.filled(operation.model_name, operation.name)
    text = f"remove the trash of {_named(operation, context)}"
    empty = data_migration(data_migrations.empty_trash, context.label, names=_losing_trash(context))
    if not held:
        return Step(text, SAFE, operations=[empty, operation])
    archive = data_migration(
        data_migrations.archive_trash, context.label, model=operation.model_name, release=context.release
    )
    notes = ["What is still wanted must be restored before, on the page of the trash."]
    text += f": what is in it ({pluralize(held)}) is archived, then deleted"
    return Step(text, LOSES, None, notes, [archive], [empty, operation])


def _losing_trash(context: PlanContext) -> list[str]:
    """Return the models whose trash is removed, by their names after the plan."""
    model_names = []
    for label, model in context.to_state.models:
        former = (label, context.renames.model(model))
        before = context.from_state.models.get(former) if label == context.label else None
        if before is not None and record_of(model) == model and DELETED_AT in before.fields:
            model_names += [model] if context.wanted_column(model, DELETED_AT) is None else []
    return sorted(model_names)


def _named(operation: Any, context: PlanContext) -> str:
    entity = context.entity(context.new_business, operation.model_name)
    return entity.name if entity else operation.model_name


def _given(operation: migrations.AddField, leaf: Field) -> Any:
    """Return what existing records get in a new column, or None for nothing."""
    backfill = getattr(leaf.options, "backfill", None)
    if backfill is not None:
        return backfill
    default = leaf.type.default(leaf)
    if default is models.NOT_PROVIDED:
        return None
    return default if not callable(default) else None if operation.field.null else leaf.options.default


def _addition(operation: migrations.AddField, leaf: Field | None) -> list[Operation]:
    """Return what adds a column so that existing rows get its backfill; a moment such as today is not for them."""
    if leaf is None or leaf.type.sets_on_save or leaf.computed is not None or operation.field.many_to_many:
        return [operation]
    column, start = operation.field, operation.field.clone()
    backfill = getattr(leaf.options, "backfill", None)
    if backfill is not None:
        start.default = column.get_prep_value(leaf.type.parse(backfill, leaf, Reading()))
    elif column.null and callable(column.default):
        start.default = models.NOT_PROVIDED
    else:
        return [operation]
    start.db_default = models.NOT_PROVIDED
    return [
        migrations.AddField(operation.model_name, operation.name, start),
        migrations.AlterField(operation.model_name, operation.name, column),
    ]


def _remove(operation: migrations.RemoveField, context: PlanContext) -> Step:
    if is_key_name(operation.name):
        return remove_key(operation, context)
    if operation.name == DELETED_AT and context.leaf_before(operation.model_name, operation.name) is None:
        return _without_trash(operation, context)
    if operation.name == DELETED_IN and context.leaf_before(operation.model_name, operation.name) is None:
        return Step(f"forget what of {_named(operation, context)} was deleted together", SAFE, operations=[operation])
    values, versions = (
        context.filled(model, operation.name) for model in (operation.model_name, f"{VERSIONS}{operation.model_name}")
    )
    leaf = context.leaf(operation.model_name, operation.name)
    if leaf is not None and leaf.computed is not None:
        return work_out_on_read(operation, context, leaf, values)
    entity = context.entity(context.new_business, operation.model_name)
    text = f"remove the field {entity.name if entity else operation.model_name}.{operation.name}"
    if not values and not versions:
        return Step(text, SAFE, operations=_removal(operation, context))
    text += f": {pluralize(values, 'value')} and {versions:,} in the history are archived, then deleted"
    return Step(text, LOSES, None, [_hint_of_removal(operation, context)], operations=_removal(operation, context))


def _hint_of_removal(operation: migrations.RemoveField, context: PlanContext) -> str:
    """Say how the values could be kept: by a `was:`, or past a type that they cannot be converted to."""
    old = context.leaf_before(operation.model_name, operation.name)
    entity = context.entity(context.new_business, operation.model_name)
    same = entity.find(operation.name) if entity is not None else None
    new = [leaf for leaf in entity.leaves if context.former_field(leaf) is None] if entity is not None else []
    new = [same] if same is not None else new
    if old is None or not new or any(_can_become(old, leaf) for leaf in new):
        return f"If it was only renamed, write 'was: {operation.name}' at the new field."
    return (
        f"{a_field(old.type.name).capitalize()} does not convert to {a_field(new[0].type.name)}. To keep the values, "
        f"leave {old.name!r} as it is, add the new field beside it under another name, and take the values over (an "
        f"export, then an import); remove {old.name!r} in a later release."
    )


def _can_become(old: Field, new: Field) -> bool:
    """Say whether a column can become another in place: one of several records cannot, nor one in several parts."""
    return not new.parts and new.type.stored and old.type.many == new.type.many


def _removal(operation: migrations.RemoveField, context: PlanContext) -> list[Operation]:
    names = {"model": operation.model_name, "column": operation.name, "release": context.release}
    return [data_migration(data_migrations.archive_column, context.label, **names), operation]


def _constraint(operation: migrations.AddConstraint, context: PlanContext) -> Step:
    names = [source_name(name) for name in getattr(operation.constraint, "fields", ())]
    entity = context.entity(context.new_business, operation.model_name)
    text = f"keep {' + '.join(names)} of {entity.name if entity else operation.model_name} from occurring twice"
    text += " outside the trash" if operation.constraint.condition else ""
    leaves = [entity.find(name) for name in names] if entity else []
    trouble = describe_doubles(context, operation.model_name, leaves) if leaves and None not in leaves else []
    columns = list(getattr(operation.constraint, "fields", ()))
    check = [refuse_doubles(context, operation.model_name, columns)] if any(map(is_key_name, columns)) else []
    return Step(text, REFUSED if trouble else SAFE, None, trouble, operations=[*check, operation])


def _drop(operation: migrations.RemoveConstraint, context: PlanContext) -> Step:
    entity = context.entity(context.new_business, operation.model_name)
    names = next(
        (each.fields for each in context.constraints(operation.model_name) if each.name == operation.name),
        [operation.name],
    )
    names = [source_name(name) for name in names]
    owner = entity.name if entity else operation.model_name
    text = f"let {' + '.join(names)} of {owner} occur twice"
    if tuple(names) in context.unique_groups(operation.model_name):
        text = f"tell {' + '.join(names)} of {owner} apart in another way"
    return Step(text, SAFE, pre_operations=[operation])


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
