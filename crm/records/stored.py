"""What the guards read of the database for a whole batch: records as they are, and what intended ones lead to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.db import models

from crm.blueprint.expressions.tree import Aggregate, Expression, Path
from crm.blueprint.nodes import Entity, Field
from crm.records import access
from crm.records.chunks import chunks
from crm.records.intended_write import Batch, own_leaves
from crm.records.locks import select_for_write


def as_stored(
    model: type[models.Model], keys: Collection[Any], user: Any = None, joins: Collection[str] = ()
) -> dict[Any, Any]:
    """Return records as the database has them, by primary key; within a transaction, everybody else waits for it.

    Those in the trash are among them. What the rules for rows of a `user` follow is read along, and what `joins` names.
    """
    records = dict[Any, Any]()
    rows = select_for_write(model._base_manager.order_by("pk"))
    joins = list(dict.fromkeys([*_joins_of(model.definition, user), *joins]))
    rows = rows.select_related(*joins) if joins else rows
    for batch in chunks(sorted(keys)):
        records.update((record.pk, record) for record in rows.filter(pk__in=batch))
    return records


def read_along(batch: Batch) -> None:
    """Read what the intended records link to, and what the ones before linked to, so that no guard asks for each."""
    befores = [write.before for write in batch.writes if write.before is not None]
    many = {name for write in batch.writes for name in write.links if write.before is not None}
    if many:
        models.prefetch_related_objects(befores, *sorted(many))
    joins = _joins_of(batch.entity, batch.user, *{batch.verb_of(write) for write in batch.writes})
    for link in (one for one in own_leaves(batch.entity) if one.type.reference(one) is not None):
        beyond = {join.partition("__")[2] for join in joins if join.partition("__")[0] == link.name}
        if beyond:
            _read_targets(batch, link, sorted(beyond - {""}))


def _read_targets(batch: Batch, link: Field, joins: list[str]) -> None:
    column = batch.model._meta.get_field(link.name)
    records = [write.record for write in batch.writes if not column.is_cached(write.record)]
    keys = {getattr(record, column.attname) for record in records} - {None}
    rows = column.related_model._base_manager.all()
    rows, targets = (rows.select_related(*joins) if joins else rows), dict[Any, Any]()
    for pk_batch in chunks(sorted(keys)):
        targets.update(rows.in_bulk(pk_batch))
    if column.related_model is batch.model:  # as the batch leaves them
        targets |= {write.record.pk: write.record for write in batch.writes if write.record.pk in targets}
    for record in records:
        target = targets.get(getattr(record, column.attname))
        if target is not None:
            setattr(record, link.name, target)


def _joins_of(entity: Entity, user: Any, *verbs: str) -> list[str]:
    """Return the links that rules, conditions of fields, and a user's rules for rows follow, as lookups."""
    joins = joins_of_rules(entity)
    for verb in verbs or ("change",) if user is not None else ():
        joins += access.joins_of(user, entity, verb)
    return list(dict.fromkeys(joins))


def joins_of_rules(entity: Entity, more: Iterable[Expression] = ()) -> list[str]:
    """Return the links that an entity's rules and conditions of fields follow, and `more` expressions, as lookups."""
    asked: list[Expression] = [one.check for one in entity.rules.checks]
    for showing in entity.rules.showing.values():
        asked += filter(None, [showing.visible_if, showing.required_if, showing.read_only_if])
    return list(dict.fromkeys(_lookup_paths([*asked, *more])))


def _lookup_paths(expressions: Iterable[Expression]) -> Iterator[str]:
    for node in (node for one in expressions for node in one.root.walk()):
        if isinstance(node, Path) and not node.of_user:
            steps = node.steps
        elif isinstance(node, Aggregate):
            steps = node.relation_path
        else:
            continue
        names = [step.name for step in steps if step.type.reference(step) is not None and not step.type.many]
        if names:
            yield "__".join(names)
