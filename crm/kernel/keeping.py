"""Keeps computed columns true: whatever is written, what depends on it is worked out anew in the same transaction.

Every kept field is watched for what it reads: columns of its own record, of records that its links lead to, and of the
records that point to it. A write tells which records it touched; those whose values depend on them are locked, worked
out by the database in one statement for all, and written where something changed. That goes on for what depends on
the changed values in turn, in the order of the definitions' dependencies.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.db import connection, models, transaction
from django.db.models.signals import post_delete, pre_delete

from crm.blueprint.expressions.computing import GENERATED, KEPT, computed_reads
from crm.blueprint.expressions.tree import Aggregate, Node, Path
from crm.blueprint.nodes import Business, Entity, Field
from crm.kernel import actions
from crm.kernel.changes import one_change
from crm.kernel.computed import compute_row, setting_for, value_of_field
from crm.kernel.deletion import emptied, everything, foresee, may_empty_links
from crm.kernel.events import values_computed
from crm.kernel.presence import PRESENT, present
from crm.kernel.rules import check_written, checking, within_numbers

CHUNK = 500
RULES = "="
"""Stands among the kept fields for the rules of a record that read its children: they are held up last of all."""
ADDED = "+"
"""Stands among the columns for the adding of a record."""


@dataclass(frozen=True)
class Watch:
    """How the records of a kept field are found from a record that it reads.

    `way` leads by links from the field's record to the read one, or to the parent of the children that are read;
    `link` is the children's link to that parent, and `inner` the way from a child to the read record.
    """

    target: str
    source: str
    way: str = ""
    link: str = ""
    child: str = ""
    inner: str = ""


@dataclass
class Net:
    """All watches of a business: by what they read, with the fields that must be worked out then."""

    watches: dict[Watch, dict[str, set[str]]] = field(default_factory=dict)
    """Watch → column that is read → names of the kept fields."""
    level: dict[tuple[str, str], int] = field(default_factory=dict)
    """(entity, kept field) → how many kept fields stand before it."""

    def of_source(self, entity: str) -> list[tuple[Watch, dict[str, set[str]]]]:
        return [(watch, columns) for watch, columns in self.watches.items() if watch.source == entity]


@lru_cache(maxsize=8)
def net_of(business: Business) -> Net:
    """Return the watches of a business."""
    net, levels = Net(), dict[Field, int]()
    for entity in business.entities.values():
        for name, storage in entity.storage.items():
            if storage == KEPT:
                leaf = entity.find(name)
                net.level[entity.name, name] = _level(leaf, levels)
                net.watches.setdefault(Watch(entity.name, entity.name), {}).setdefault(ADDED, set()).add(name)
                for watch, column in _watches(leaf, leaf.computed.root, ""):
                    net.watches.setdefault(watch, {}).setdefault(column, set()).add(name)
        net.level[entity.name, RULES] = LAST
        for watch, column in _watches_of_rules(entity):
            net.watches.setdefault(watch, {}).setdefault(column, set()).add(RULES)
    return net


def _level(leaf: Field, known: dict[Field, int]) -> int:
    if leaf not in known:
        inner = [_level(one, known) + (one.storage == KEPT) for one in computed_reads(leaf)]
        known[leaf] = max(inner, default=0)
    return known[leaf]


def computing_order(entity: Entity) -> list[Field]:
    """Return the computed fields of an entity, each behind those of the same record that it reads."""
    ordered: list[Field] = []

    def visit(leaf: Field) -> None:
        for one in computed_reads(leaf):
            if one.entity is entity and one not in ordered:
                visit(one)
        if leaf not in ordered:
            ordered.append(leaf)

    for name in entity.computed:
        visit(entity.find(name))
    return ordered


def _watches_of_rules(entity: Entity) -> Iterator[tuple[Watch, str]]:
    """Yield how a record is found from its children, where a rule reads these."""
    for node in (one for rule in entity.rules.checks for one in rule.check.root.walk()):
        if isinstance(node, Aggregate) and not node.way:
            yield from _of_children(entity, node, "")


LAST = 1_000_000


def _watches(leaf: Field, root: Node, way: str) -> Iterator[tuple[Watch, str]]:
    if isinstance(root, Path):
        yield from _along(leaf.entity, root.steps, way)
    elif isinstance(root, Aggregate):
        yield from _of_children(leaf.entity, root, way)
    else:
        for part in root.parts:
            yield from _watches(leaf, part, way)


def _along(entity: Entity, steps: Iterable[Field], way: str) -> Iterator[tuple[Watch, str]]:
    for step in steps:
        if step.parts:
            continue
        yield Watch(entity.name, step.entity.name, way), step.name
        if step.storage == GENERATED:
            for path in (one for one in step.computed.root.walk() if isinstance(one, Path)):
                yield from _along(entity, path.steps, way)
        way = f"{way}__{step.name}" if way else step.name


def _of_children(entity: Entity, node: Aggregate, way: str) -> Iterator[tuple[Watch, str]]:
    yield from _along(entity, node.way, way)
    parent = "__".join(filter(None, [way, *(step.name for step in node.way)]))
    child = node.link.entity

    def inside(steps: Iterable[Field], inner: str) -> Iterator[tuple[Watch, str]]:
        for step in steps:
            if step.parts:
                continue
            yield Watch(entity.name, step.entity.name, parent, node.link.name, child.name, inner), step.name
            if step.storage == GENERATED:
                for path in (one for one in step.computed.root.walk() if isinstance(one, Path)):
                    yield from inside(path.steps, inner)
            inner = f"{inner}__{step.name}" if inner else step.name

    yield from inside([node.link], "")
    yield from inside(node.value, "")
    for path in (one for one in node.where.walk() if isinstance(one, Path)) if node.where else ():
        yield from inside(path.steps, "")


# What a write touched


Dirty = dict[type[models.Model], dict[str, set[Any]]]
"""Model → kept field → primary keys of the records whose value may have changed."""

_waiting: ContextVar[Dirty | None] = ContextVar("waiting", default=None)


def affected(
    model: type[models.Model], keys: Collection[Any], columns: Collection[str] | None = None, added: bool = False
) -> Dirty:
    """Return which kept values depend on these records of a model; of their `columns` alone, where given.

    Records that were just `added` have every value of their own worked out.
    """
    dirty: Dirty = {}
    for watch, read in net_of(model.definition.business).of_source(model.definition.name) if keys else ():
        wanted = {column for column in read if columns is None or column in columns} - ({ADDED} if not added else set())
        names = set().union(*(read[column] for column in wanted))
        if names:
            _note(dirty, model, watch, names, list(keys))
    return dirty


def affected_by_links(model: type[models.Model], keys: Collection[Any]) -> Dirty:
    """Return which kept values of their parents depend on these children: asked before a link may move."""
    dirty: Dirty = {}
    for watch, read in net_of(model.definition.business).of_source(model.definition.name) if keys else ():
        if watch.link and not watch.inner:
            names = set().union(*(found for column, found in read.items() if column != ADDED))
            _note(dirty, model, watch, names, list(keys))
    return dirty


def _note(dirty: Dirty, model: type[models.Model], watch: Watch, names: set[str], keys: list[Any]) -> None:
    target = _model(model, watch.target)
    found = set(keys) if not watch.way and not watch.link else set(_targets(model, target, watch, keys))
    for name in names if found else ():
        dirty.setdefault(target, {}).setdefault(name, set()).update(found)


def _model(known: type[models.Model], entity: str) -> type[models.Model]:
    business = known.definition.business
    return known._meta.apps.get_model(business.label, business.entities[entity].class_name)


def _targets(model: type[models.Model], target: type[models.Model], watch: Watch, keys: list[Any]) -> Iterator[Any]:
    for some in _chunks(keys):
        if not watch.link:
            yield from target._base_manager.filter(**{f"{watch.way}__in": some}).values_list("pk", flat=True)
            continue
        child = _model(model, watch.child)
        parents = child._base_manager.filter(**{f"{watch.inner or 'pk'}__in": some, f"{watch.link}__isnull": False})
        if watch.way:
            where = {f"{watch.way}__in": parents.values(watch.link)}
            yield from target._base_manager.filter(**where).values_list("pk", flat=True)
        else:
            yield from parents.values_list(watch.link, flat=True)


def _chunks(keys: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(keys), CHUNK):
        yield keys[start : start + CHUNK]


def merge(one: Dirty, other: Dirty) -> Dirty:
    """Add what the other holds, and return the first."""
    for entity, names in other.items():
        for name, keys in names.items():
            one.setdefault(entity, {}).setdefault(name, set()).update(keys)
    return one


@contextmanager
def keeping() -> Iterator[None]:
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
        settle(dirty or {})


def touched(dirty: Dirty) -> None:
    """Work out kept values anew: now, or at the end of `keeping()`."""
    waiting = _waiting.get()
    if waiting is None:
        settle(dirty)
    else:
        merge(waiting, dirty)


def settle(dirty: Dirty) -> None:
    """Work out what is dirty, and what depends on what has changed then."""
    if not dirty:
        return
    with transaction.atomic(), one_change(), checking():
        while dirty:
            level, model = min(((_lowest(one, dirty[one]), one) for one in dirty), key=lambda found: found[0])
            todo, net = dirty[model], net_of(model.definition.business)
            now = {name: todo.pop(name) for name in list(todo) if net.level[model.definition.name, name] == level}
            if not todo:
                del dirty[model]
            check_written(model, now.pop(RULES, ()))
            changed = _recompute(model, now) if now else {}
            check_written(model, list(changed), {column for one in changed.values() for column in one})
            merge(dirty, affected(model, list(changed), {column for one in changed.values() for column in one}))


def _lowest(model: type[models.Model], names: Collection[str]) -> int:
    net = net_of(model.definition.business)
    return min(net.level[model.definition.name, name] for name in names)


def _recompute(model: type[models.Model], names: dict[str, set[Any]]) -> dict[Any, dict[str, Any]]:
    """Work out fields of some records, write what is another value now, and return it: key → field → value."""
    entity, setting = model.definition, setting_for(model._meta.apps)
    leaves = [entity.find(name) for name in names]
    values = {f"_new_{leaf.name}": value_of_field(leaf, setting) for leaf in leaves}
    generated = [name for name, storage in entity.storage.items() if storage == GENERATED]
    changed: dict[Any, dict[str, Any]] = {}
    for some in _chunks(sorted(set().union(*names.values()))):
        rows = present(model).filter(pk__in=some).order_by("pk")
        if connection.features.has_select_for_no_key_update:
            list(rows.select_for_update(no_key=True).values_list("pk"))
        found: dict[Any, dict[str, Any]] = {}
        with within_numbers(model, some):
            computed = list(rows.annotate(**values).values("pk", *names, *values))
        for row in computed:
            new = {leaf.name: _as_kept(leaf, row[f"_new_{leaf.name}"]) for leaf in leaves}
            other = {name: value for name, value in new.items() if not _same(value, row[name])}
            if other:
                found[row["pk"]] = other
        if found:
            model._base_manager.filter(pk__in=list(found)).update(
                **{leaf.name: _for_update(model, values[f"_new_{leaf.name}"]) for leaf in leaves}
            )
            for row in model._base_manager.filter(pk__in=list(found)).values("pk", *generated) if generated else ():
                found[row.pop("pk")] |= row
            values_computed.send(model, values=found)
        changed |= found
    return changed


def _for_update(model: type[models.Model], value: Any) -> Any:
    """Return an expression as an UPDATE may read it: there, nothing may be joined but within a subquery."""
    row = model._base_manager.filter(pk=models.OuterRef("pk")).order_by()
    return models.Subquery(row.annotate(_value=value).values("_value"), output_field=value.output_field)


def _as_kept(leaf: Field, value: Any) -> Any:
    return round(value, leaf.type.places(leaf)) if leaf.type.kind == "number" and value is not None else value


def _same(one: Any, other: Any) -> bool:
    return one == other and (one is None) == (other is None)


def refresh(record: models.Model) -> None:
    """Take over the kept values of a record that was just written."""
    names = [name for name, storage in record.definition.storage.items() if storage == KEPT]
    if names:
        found = type(record)._base_manager.filter(pk=record.pk).values(*names).first()
        for name, value in (found or {}).items():
            setattr(record, name, value)
        compute_row(record)


def recompute(model: type[models.Model]) -> None:
    """Work out every kept value of a model anew, and what depends on those that change."""
    keys = set(model._base_manager.values_list("pk", flat=True))
    names = [name for name, storage in model.definition.storage.items() if storage == KEPT]
    settle({model: {name: set(keys) for name in names}} if keys and names else {})


class Records(models.QuerySet):
    """Rows of records: what is written or deleted past the records themselves keeps the computed values true too."""

    def update(self, **values: Any) -> int:
        entity = self.model.definition
        if not (entity.rules.checks or net_of(entity.business).of_source(entity.name)):
            return super().update(**values)
        with transaction.atomic():
            keys = list(self.order_by().values_list("pk", flat=True))
            before = affected_by_links(self.model, keys)
            written = super().update(**values)
            touched(merge(before, affected(self.model, keys)))
            check_written(self.model, keys)
        return written

    def delete(self) -> tuple[int, dict[str, int]]:
        if self.model.into_trash:
            return actions.run(
                "put_in_trash", model=self.model, keys=list(self.order_by().values_list("pk", flat=True))
            )
        return self.delete_for_good()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def delete_for_good(self) -> tuple[int, dict[str, int]]:
        with keeping(), one_change():
            if may_empty_links(self.model):
                empty_links(self.model, list(self.order_by().values_list("pk", flat=True)))
            return super().delete()

    delete_for_good.alters_data = True  # type: ignore[attr-defined]
    delete_for_good.queryset_only = True  # type: ignore[attr-defined]


class PresentRecords(models.Manager.from_queryset(Records)):
    """The manager of records: those in the trash are not among them."""

    def get_queryset(self) -> Records:
        rows = super().get_queryset()
        return rows.filter(PRESENT) if self.model.keeps_deleted else rows


def empty_links(model: type[models.Model], keys: Collection[Any]) -> None:
    """Empty the links to records that are about to go for good, as writes of those that have them.

    Left to Django's deletion, they would become empty past rules, computed values and history.
    """
    for (other, name), some in emptied(foresee(model, keys, everything).going).items():
        for part in _chunks(sorted(some)):
            other._base_manager.filter(pk__in=part).update(**{name: None})
        touched(affected(other, some, {name}))
        values_computed.send(other, values={key: {name: None} for key in some})
        check_written(other, some)


def watch_deletions(models_of_business: Iterable[type[models.Model]]) -> None:
    """Keep values true when records that they depend on are deleted, be it by a cascade."""
    for model in models_of_business:
        if net_of(model.definition.business).of_source(model.definition.name):
            pre_delete.connect(_before_deletion, sender=model, dispatch_uid=f"keeping {model._meta.label}")
            post_delete.connect(_after_deletion, sender=model, dispatch_uid=f"keeping {model._meta.label}")


def _before_deletion(sender: type[models.Model], instance: models.Model, **_: Any) -> None:
    instance._depending = affected(sender, [instance.pk])


def _after_deletion(sender: type[models.Model], instance: models.Model, **_: Any) -> None:
    touched(instance.__dict__.pop("_depending", {}))
