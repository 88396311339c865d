"""AlterField: every row is tried against the new column, converted or filled; rows that do not fit are named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.db import migrations, models
from django.db.migrations.operations.base import Operation
from django.db.models.functions import Length

from crm.blueprint.nodes import Field
from crm.fields.comparison import is_key_name
from crm.release import data_migrations
from crm.release.computed_columns import compute_column
from crm.release.key_columns import alter_key, describe_doubles
from crm.release.plan_context import VERSIONS, PlanContext, raw_of, record_of
from crm.release.steps import (
    BACKFILL,
    CONVERTS,
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

EXAMPLES = 10
TEXTS = {"CharField", "EmailField", "SlugField", "URLField", "TextField"}
FILES = {"FileField", "ImageField"}
BOUNDLESS = 10**9


def alter(operation: migrations.AlterField, context: PlanContext) -> Step:
    """Return the step of a changed column of records."""
    if is_key_name(operation.name):
        return alter_key(operation, context)
    new = context.leaf(operation.model_name, operation.name)
    if new is None:
        return Step(operation.describe(), SAFE, operations=[operation])
    if new.computed is not None:
        return compute_column(operation, context, new)
    if _relinks(operation, context):
        return _relink(operation, context, new)
    if _converts(operation, context, new):
        return _convert(operation, context, new)
    is_same = _facts(context.column(operation.model_name, operation.name)) == _facts(operation.field)
    if is_same and not _is_needed(operation, context, new):
        text = f"note a detail of {new}, without a change of its table"
        return Step(text, SAFE, new.place(key=True), operations=[operation])
    text = f"change the column of {new} ({new.type.name})"
    trouble = [*_empties(operation, context, new), *_contradictions(operation, context)]
    if trouble:
        return Step(text, REFUSED, new.place(key=True), trouble, operations=[operation])
    value, longer = _filling(new), _too_long(operation, context, f"{VERSIONS}{operation.model_name}")
    empty = (
        context.empty(operation.model_name, operation.name)
        if value is not None and _is_needed(operation, context, new)
        else 0
    )
    if longer is not None and longer.exists():
        notes = [f"{pluralize(longer.count(), 'version')} in the history have more letters: {LOST_VERSIONS}"]
        return Step(text, LOSES, new.place(key=True), notes, operations=[operation])
    if not empty:
        return Step(text, SAFE, new.place(key=True), operations=[*_clear(operation, context), operation])
    notes = [describe_backfill(empty, f"{format_value(value)}, having no value")]
    return Step(text, BACKFILL, new.place(key=True), notes, operations=[*_fill(operation, context, new), operation])


def alter_versions(operation: migrations.AlterField, context: PlanContext) -> list[Operation]:
    """Return the same for the table of the versions, where nothing is refused."""
    new = context.leaf(operation.model_name, operation.name)
    if new is None:
        return [operation]
    if _relinks(operation, context):
        names = {"model": operation.model_name, "column": operation.name, "release": context.release}
        return [data_migration(data_migrations.archive_column, context.label, **names), *_replacement(operation)]
    if _converts(operation, context, new):
        return _conversion(operation, context, new, strict=False)
    before = context.column(operation.model_name, operation.name)
    length = operation.field.max_length
    names = {"model": operation.model_name, "name": operation.name}
    if length and isinstance(operation.field, data_migrations.TEXTS) and (before.max_length or BOUNDLESS) > length:
        return [
            data_migration(data_migrations.shorten, context.label, **names, length=length, release=context.release),
            operation,
        ]
    stricter = before.null and not operation.field.null
    return [*_fill(operation, context, new), operation] if stricter else [*_clear(operation, context), operation]


def unseen(operations: list[Operation], context: PlanContext) -> Iterator[migrations.AlterField]:
    """Yield the columns that look the same to the database, but not to the definitions: their values must be tried."""
    seen = {(operation.model_name_lower, operation.name) for operation in operations if hasattr(operation, "field")}
    for entity in context.new_business.entities.values():
        for leaf in entity.leaves:
            old = context.leaf_before(entity.class_name, leaf.name)
            if old is None or (entity.class_name.lower(), leaf.name) in seen or leaf.type.many or not leaf.stored:
                continue
            if leaf.computed is not None and old.computed is not None:
                continue
            typed = (old.type, old.computed is None) == (leaf.type, leaf.computed is None)
            if not typed or _is_required(leaf) > _is_required(old):
                column = context.wanted_column(entity.class_name, leaf.name)
                yield migrations.AlterField(entity.class_name, leaf.name, column)


def _is_required(leaf: Field) -> bool:
    return getattr(leaf.options, "required", False)


def _facts(column: models.Field) -> tuple[str, dict[str, Any]]:
    """Return what the database knows of a column, apart from where a link leads."""
    _, path, _, options = column.deconstruct()
    unknown = {"default", "limit_choices_to", "on_delete", "related_name", "related_query_name", "to"}
    return path, {key: value for key, value in options.items() if key not in unknown}


# Columns that become required


def _is_needed(operation: migrations.AlterField, context: PlanContext, new: Field) -> bool:
    old = context.leaf_before(operation.model_name, operation.name)
    stricter = context.column(operation.model_name, operation.name).null and not operation.field.null
    return stricter or (_is_required(new) and old is not None and not _is_required(old))


def _filling(new: Field) -> Any:
    """Return what the definitions give to records without a value, as they write it."""
    backfill = getattr(new.options, "backfill", None)
    return backfill if backfill is not None else getattr(new.options, "default", None)


def _empties(operation: migrations.AlterField, context: PlanContext, new: Field) -> Iterator[str]:
    if not _is_needed(operation, context, new) or _filling(new) is not None or operation.field.has_db_default():
        return
    if empty := context.empty(operation.model_name, operation.name):
        yield f"{pluralize(empty)} {'has' if empty == 1 else 'have'} no value. {cure_of_missing_value(new)}"
    elif versions_need_values(operation, context) and (
        empty := context.empty(f"{VERSIONS}{operation.model_name}", operation.name)
    ):
        who = f"{pluralize(empty, 'version')} in the history {'has' if empty == 1 else 'have'}"
        yield f"{who} no value. {cure_of_missing_value(new)}"


def versions_need_values(operation: migrations.AddField | migrations.AlterField, context: PlanContext) -> bool:
    column = context.wanted_column(f"{VERSIONS}{operation.model_name}", operation.name)
    return column is not None and not column.null and column.get_internal_type() not in TEXTS


def _fill(operation: migrations.AlterField, context: PlanContext, new: Field) -> list[Operation]:
    value = _filling(new)
    if value is None or callable(new.type.default(new)) and getattr(new.options, "backfill", None) is None:
        return []
    plain = operation.field.get_prep_value(new.type.parse(value, new, data_migrations.Reading()))
    return [
        data_migration(
            data_migrations.fill_empty, context.label, model=operation.model_name, name=operation.name, value=plain
        )
    ]


def _clear(operation: migrations.AlterField, context: PlanContext) -> list[Operation]:
    """Return what makes empty texts nothing, where a column of text can hold nothing from now on."""
    if not _loosens(context.column(operation.model_name, operation.name), operation.field):
        return []
    loose = operation.field.clone()
    loose._unique = False
    clear = data_migration(data_migrations.clear_empty, context.label, model=operation.model_name, name=operation.name)
    return [migrations.AlterField(operation.model_name, operation.name, loose), clear]


def _loosens(before: models.Field, after: models.Field) -> bool:
    return isinstance(after, data_migrations.TEXTS) and after.null and not before.null


def _contradictions(operation: migrations.AlterField, context: PlanContext) -> Iterator[str]:
    """Say which rows would not fit the changed column: texts too long, values that occur twice."""
    rows = context.rows(operation.model_name)
    if rows is None:
        return
    name, after = context.renames.column(operation.model_name, operation.name), operation.field
    before = rows.model._meta.get_field(name)
    long = _too_long(operation, context, operation.model_name)
    if long is not None and long.exists():
        keys = ", ".join(map(str, long.order_by("pk").values_list("pk", flat=True)[:EXAMPLES]))
        yield f"{pluralize(long.count())} with more than {after.max_length} letters, first: {keys}"
    if after.unique and not before.unique:
        yield from describe_doubles(context, operation.model_name, [context.leaf(operation.model_name, operation.name)])


def _too_long(operation: migrations.AlterField, context: PlanContext, model: str) -> models.QuerySet | None:
    """Return the rows whose text is too long for the changed column; None where it did not become shorter."""
    rows, length = context.rows_with(model, operation.name), operation.field.max_length
    if rows is None or not length or not isinstance(operation.field, data_migrations.TEXTS):
        return None
    name = context.renames.column(operation.model_name, operation.name)
    if (rows.model._meta.get_field(name).max_length or BOUNDLESS) <= length:
        return None
    return rows.annotate(_length=Length(name)).filter(_length__gt=length)


# Links that lead elsewhere


def _relinks(operation: migrations.AlterField, context: PlanContext) -> bool:
    before, after = (
        _target(field) for field in (context.column(operation.model_name, operation.name), operation.field)
    )
    app, _, model = after.partition(".")
    return before != (f"{app}.{context.renames.model(model)}" if app == context.label else after)


def _target(column: models.Field) -> str:
    target = getattr(column.remote_field, "model", "") if column.remote_field else ""
    return (target if isinstance(target, str) else target._meta.label).lower()


def _relink(operation: migrations.AlterField, context: PlanContext, new: Field) -> Step:
    old = context.leaf_before(operation.model_name, operation.name)
    text = f"make {new} {_kind(new)}" + (f" instead of {_kind(old)}" if old else "")
    filled = context.filled(operation.model_name, operation.name)
    if filled:
        notes = [f"{pluralize(filled, 'value')} would mean nothing there. Add a new field, and remove this one later."]
        return Step(text, REFUSED, new.place(key=True), notes, operations=[operation])
    if not operation.field.null and not operation.field.has_db_default() and context.count(operation.model_name):
        notes = [f"{pluralize(context.count(operation.model_name))} would have no value. {cure_of_missing_value(new)}"]
        return Step(text, REFUSED, new.place(key=True), notes, operations=[operation])
    return Step(
        text, SAFE, new.place(key=True), operations=_without_constraints(operation, context, _replacement(operation))
    )


def _kind(field: Field) -> str:
    return f"a link to {field.target.name}" if field.target else f"a field of type {field.type.name}"


def _replacement(operation: migrations.AlterField) -> list[Operation]:
    return [
        migrations.RemoveField(operation.model_name, operation.name),
        migrations.AddField(operation.model_name, operation.name, operation.field),
    ]


# Values that become others


def _converts(operation: migrations.AlterField, context: PlanContext, new: Field) -> bool:
    """Say whether the values must be read anew: another type, another kind of column, or other decimal places."""
    before, after = context.column(operation.model_name, operation.name), operation.field
    kinds = {before.get_internal_type(), after.get_internal_type()}
    if before.remote_field or kinds <= FILES:
        return False
    old = context.leaf_before(operation.model_name, operation.name)
    retyped = old is not None and old.type is not new.type
    places = {getattr(field, "decimal_places", None) for field in (before, after)}
    if isinstance(before, models.GeneratedField):
        return True
    return retyped or len(places) > 1 or (len(kinds) > 1 and not kinds <= TEXTS)


def _convert(operation: migrations.AlterField, context: PlanContext, new: Field) -> Step:
    old = context.leaf_before(operation.model_name, operation.name)
    text = f"convert the field {new} from {old.type.name if old else 'text'} to {new.type.name}"
    place = new.place(key=True)
    operations = _conversion(operation, context, new, strict=True)
    broken, bare = _failed_versions(operation, context, old, new)
    trouble = list(_failures(operation, context, old, new))
    if bare and _filling(new) is None and versions_need_values(operation, context):
        who = f"{pluralize(bare, 'version')} in the history {_hold(bare)}"
        trouble.append(f"{who} no {new.type.name}. {cure_of_missing_value(new)}")
    if trouble:
        return Step(text, REFUSED, place, trouble, operations=operations)
    notes = [f"all of {pluralize(context.count(operation.model_name))} were tried"]
    if broken:
        notes.append(
            f"{pluralize(broken, 'version')} in the history {_hold(broken)} no {new.type.name}: {LOST_VERSIONS}"
        )
    return Step(text, LOSES if broken else CONVERTS, place, notes, operations=operations)


LOST_VERSIONS = "archived, then replaced"


def _hold(count: int) -> str:
    return "holds" if count == 1 else "hold"


def _conversion(operation: migrations.AlterField, context: PlanContext, new: Field, strict: bool) -> list[Operation]:
    """Return what converts a column: in place where it may stay as it is, else by way of a column beside it."""
    before, after = context.column(operation.model_name, operation.name), operation.field
    old = context.leaf_before(operation.model_name, operation.name)
    what = {
        **context.field_migration_kwargs(new),
        "old": raw_of(old) if old else None,
        "strict": strict,
        "release": context.release,
    }
    what |= {"new": what.pop("raw"), "fill": not after.null}
    kinds = {before.get_internal_type(), after.get_internal_type()}
    generated = isinstance(before, models.GeneratedField)
    if kinds <= TEXTS and not generated and (before.null, before.unique) == (after.null, after.unique):
        names = {"model": operation.model_name, "source": operation.name, "target": operation.name}
        copy = data_migration(data_migrations.convert_column, context.label, **names, **what)
        wider = (after.max_length or BOUNDLESS) >= (before.max_length or BOUNDLESS)
        return [operation, copy] if wider else [copy, operation]
    there = f"{operation.name}_converted"
    empty = after.clone()
    empty.null, empty._unique, empty.db_index = True, False, False
    empty.default = empty.db_default = models.NOT_PROVIDED
    copy = data_migration(
        data_migrations.convert_column,
        context.label,
        model=operation.model_name,
        source=operation.name,
        target=there,
        **what,
    )
    operations = [
        migrations.AddField(operation.model_name, there, empty),
        copy,
        migrations.RemoveField(operation.model_name, operation.name),
        migrations.RenameField(operation.model_name, there, operation.name),
        migrations.AlterField(operation.model_name, operation.name, after),
    ]
    return _without_constraints(operation, context, operations)


def _without_constraints(
    operation: migrations.AlterField, context: PlanContext, operations: list[Operation]
) -> list[Operation]:
    """Return operations that remove a column, with the constraints that name it taken away before and back after."""
    kept = context.kept_constraints(operation.model_name, operation.name)
    away = [migrations.RemoveConstraint(operation.model_name, constraint.name) for constraint in kept]
    back = [migrations.AddConstraint(operation.model_name, constraint) for constraint in kept]
    return [*away, *operations, *back]


def _failures(operation: migrations.AlterField, context: PlanContext, old: Field | None, new: Field) -> Iterator[str]:
    """Say which records hold what the new type does not understand, or what would occur twice."""
    failed, counts = [], Counter[Any]()
    for key, value, result, why in _tries(operation.model_name, operation.name, context, old, new):
        if result is None and not why and not operation.field.null and _filling(new) is None:
            why = "there is no value."
        if why:
            failed.append(f"  {key}: {format_value(value)}: {why}")
        elif operation.field.unique and result is not None:
            counts[result] += 1
    if failed:
        yield f"{pluralize(len(failed))} {_hold(len(failed))} no {new.type.name}:"
        yield from failed[:EXAMPLES]
    double = [format_value(value) for value, count in counts.items() if count > 1]
    if double:
        yield f"these values would occur more than once: {', '.join(double[:EXAMPLES])}"


def _failed_versions(
    operation: migrations.AlterField, context: PlanContext, old: Field | None, new: Field
) -> tuple[int, int]:
    """Count the versions that the new type does not understand, and those that would hold nothing."""
    broken = bare = 0
    for _, _, result, why in _tries(f"{VERSIONS}{operation.model_name}", operation.name, context, old, new):
        broken += bool(why)
        bare += result is None
    return (0 if operation.field.get_internal_type() in TEXTS else broken), bare


def _tries(
    model: str, name: str, context: PlanContext, old: Field | None, new: Field
) -> Iterator[tuple[Any, Any, Any, str]]:
    """Yield the key, the value, what it becomes, and why it cannot, of each row."""
    rows = context.rows_with(model, name)
    for some_rows in (
        data_migrations.chunks(rows, context.renames.column(record_of(model), name)) if rows is not None else ()
    ):
        for key, value in some_rows:
            try:
                yield key, value, data_migrations.convert_value(value, old, new), ""
            except ValueError as error:
                yield key, value, None, str(error)
