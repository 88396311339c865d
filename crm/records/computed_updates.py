"""Recomputes materialized (denormalized) columns in the transaction of the write that they depend on.

Every kept field is watched for what it reads: columns of its own record, of records that its links lead to, and of the
records that point to it. A write tells which records it touched; those whose values depend on them are locked, worked
out by the database in one statement for all, and written where something changed. That goes on for what depends on
the changed values in turn, in the order of the definitions' dependencies.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import models, transaction

from crm.blueprint.expressions.computing import GENERATED, MATERIALIZED
from crm.blueprint.nodes import Entity, Field
from crm.kernel.events import values_computed
from crm.records.after_writing import checking
from crm.records.changes import ensure_change_scope
from crm.records.chunks import chunks
from crm.records.computed import compile_context, computed_expression, set_generated_values
from crm.records.dependencies import ADDED, RULES, Dependency, dependency_graph
from crm.records.gate import check_written
from crm.records.identity import refresh_keys
from crm.records.locks import lock_in_order
from crm.records.row_limits import parents_with_limit, tables_with_limit
from crm.records.rules import overflow_as_rule_error
from crm.records.soft_delete import not_deleted
from crm.records.uniqueness import taken_as_rule_error

# What a write touched


DirtyFields = dict[type[models.Model], dict[str, set[Any]]]
"""Model → kept field → primary keys of the records whose value may have changed."""

_waiting: ContextVar[DirtyFields | None] = ContextVar("waiting", default=None)


def find_dependents(
    model: type[models.Model], keys: Collection[Any], columns: Collection[str] | None = None, added: bool = False
) -> DirtyFields:
    """Return which kept values depend on these records of a model; of their `columns` alone, where given.

    Records that were just `added` have every value of their own worked out.
    """
    dirty: DirtyFields = {}
    for dependency, read in (
        dependency_graph(model.definition.business).of_source(model.definition.name) if keys else ()
    ):
        wanted = {column for column in read if columns is None or column in columns} - ({ADDED} if not added else set())
        names = set().union(*(read[column] for column in wanted))
        if names:
            _add_dirty(dirty, model, dependency, names, list(keys))
    return dirty


def find_parent_dependents(model: type[models.Model], keys: Collection[Any]) -> DirtyFields:
    """Return which kept values of their parents depend on these children: asked before a link may move."""
    dirty: DirtyFields = {}
    for dependency, read in (
        dependency_graph(model.definition.business).of_source(model.definition.name) if keys else ()
    ):
        if dependency.link and not dependency.inner_path:
            names = set().union(*(fields for column, fields in read.items() if column != ADDED))
            _add_dirty(dirty, model, dependency, names, list(keys))
    return dirty


def _add_dirty(
    dirty: DirtyFields, model: type[models.Model], dependency: Dependency, names: set[str], keys: list[Any]
) -> None:
    target = _model(model, dependency.target)
    dependents = (
        set(keys)
        if not dependency.lookup_path and not dependency.link
        else set(_dependent_keys(model, target, dependency, keys))
    )
    for name in names if dependents else ():
        dirty.setdefault(target, {}).setdefault(name, set()).update(dependents)


def _model(known: type[models.Model], entity: str) -> type[models.Model]:
    business = known.definition.business
    return known._meta.apps.get_model(business.label, business.entities[entity].class_name)


def _dependent_keys(
    model: type[models.Model], target: type[models.Model], dependency: Dependency, keys: list[Any]
) -> Iterator[Any]:
    for batch in chunks(keys):
        if not dependency.link:
            yield from target._base_manager.filter(**{f"{dependency.lookup_path}__in": batch}).values_list(
                "pk", flat=True
            )
            continue
        child = _model(model, dependency.child)
        parents = child._base_manager.filter(
            **{f"{dependency.inner_path or 'pk'}__in": batch, f"{dependency.link}__isnull": False}
        )
        if dependency.lookup_path:
            where = {f"{dependency.lookup_path}__in": parents.values(dependency.link)}
            yield from target._base_manager.filter(**where).values_list("pk", flat=True)
        else:
            yield from parents.values_list(dependency.link, flat=True)


def merge_dirty(dirty: DirtyFields, other: DirtyFields) -> DirtyFields:
    """Add what the other holds, and return the first."""
    for entity, names in other.items():
        for name, keys in names.items():
            dirty.setdefault(entity, {}).setdefault(name, set()).update(keys)
    return dirty


@contextmanager
def defer_recompute() -> Iterator[None]:
    """Put off the working out of kept values to the end: many writes of one act cost as much as one."""
    if _waiting.get() is not None:
        yield
        return
    with transaction.atomic(), checking():
        token = _waiting.set({})
        try:
            yield
            dirty = _waiting.get()
        finally:
            _waiting.reset(token)
        recompute_dirty(dirty or {})


def schedule_recompute(dirty: DirtyFields) -> None:
    """Work out kept values anew: now, or at the end of `defer_recompute()`."""
    waiting = _waiting.get()
    if waiting is None:
        recompute_dirty(dirty)
    else:
        merge_dirty(waiting, dirty)


def recompute_dirty(dirty: DirtyFields) -> None:
    """Work out what is dirty, and what depends on what has changed then."""
    if not dirty:
        return
    with taken_as_rule_error(), transaction.atomic(), ensure_change_scope(), checking():
        while dirty:
            level, model = min(((_lowest_level(one, dirty[one]), one) for one in dirty), key=lambda pair: pair[0])
            todo, graph = dirty[model], dependency_graph(model.definition.business)
            now = {name: todo.pop(name) for name in list(todo) if graph.level[model.definition.name, name] == level}
            if not todo:
                del dirty[model]
            check_written(model, now.pop(RULES, ()))
            changed, columns = _recompute(model, now) if now else ([], set())
            check_written(model, changed, columns)
            merge_dirty(dirty, find_dependents(model, changed, columns))


def _lowest_level(model: type[models.Model], names: Collection[str]) -> int:
    graph = dependency_graph(model.definition.business)
    return min(graph.level[model.definition.name, name] for name in names)


def _recompute(model: type[models.Model], names: dict[str, set[Any]]) -> tuple[list[Any], set[str]]:
    """Work out fields of some records, and write what is another value now.

    Returns the primary keys of the records that changed, and the names of the columns that did in any of them.
    """
    entity, setting = model.definition, compile_context(model._meta.apps)
    leaves = [entity.find(name) for name in names]
    values = {f"_new_{leaf.name}": computed_expression(leaf, setting) for leaf in leaves}
    generated = [name for name, storage in entity.storage.items() if storage == GENERATED]
    changed: list[Any] = []
    columns: set[str] = set()
    for batch in chunks(sorted(set().union(*names.values()))):
        rows = not_deleted(model).filter(pk__in=batch).order_by("pk")
        lock_in_order(rows)
        updates: dict[Any, dict[str, Any]] = {}
        with overflow_as_rule_error(model, batch):
            computed = list(rows.annotate(**values).values("pk", *names, *values))
        for row in computed:
            new = {leaf.name: _round_to_column(leaf, row[f"_new_{leaf.name}"]) for leaf in leaves}
            other = {name: value for name, value in new.items() if not _same_value(value, row[name])}
            if other:
                updates[row["pk"]] = other
        if updates:
            model._base_manager.filter(pk__in=list(updates)).update(
                **{leaf.name: _as_subquery(model, values[f"_new_{leaf.name}"]) for leaf in leaves}
            )
            refresh_keys(model, list(updates), only_computed=True)
            for row in model._base_manager.filter(pk__in=list(updates)).values("pk", *generated) if generated else ():
                updates[row.pop("pk")] |= row
            values_computed.send(model, values=updates)
        changed += updates
        columns.update(*updates.values())
    return changed, columns


def _as_subquery(model: type[models.Model], value: Any) -> Any:
    """Return an expression as an UPDATE may read it: there, nothing may be joined but within a subquery."""
    row = model._base_manager.filter(pk=models.OuterRef("pk")).order_by()
    return models.Subquery(row.annotate(_value=value).values("_value"), output_field=value.output_field)


def _round_to_column(leaf: Field, value: Any) -> Any:
    return round(value, leaf.type.places(leaf)) if leaf.type.kind == "number" and value is not None else value


def _same_value(value: Any, other: Any) -> bool:
    return value == other and (value is None) == (other is None)


def refresh_computed(record: models.Model) -> None:
    """Take over the kept values of a record that was just written."""
    names = [name for name, storage in record.definition.storage.items() if storage == MATERIALIZED]
    if names:
        values = type(record)._base_manager.filter(pk=record.pk).values(*names).first()
        for name, value in (values or {}).items():
            setattr(record, name, value)
        set_generated_values(record)


def recompute(model: type[models.Model]) -> None:
    """Work out every kept value of a model anew, and what depends on those that change."""
    keys = set(model._base_manager.values_list("pk", flat=True))
    names = [name for name, storage in model.definition.storage.items() if storage == MATERIALIZED]
    recompute_dirty({model: {name: set(keys) for name in names}} if keys and names else {})


def _has_row_limits(entity: Entity) -> bool:
    return bool(parents_with_limit(entity) or tables_with_limit(entity))
